/** The PS3.6 dictionary: tag, VR, multiplicity and keyword of each data element, repeating groups included. */
import { DICTIONARY_LINES } from './dictionary-data.ts';

export interface DictionaryEntry {
  /** Of the first group where the group repeats. */
  readonly tag: number;
  /** As written in PS3.6; an instance of a repeating group answers with the base entry (`OverlayData`). */
  readonly keyword: string;
  readonly vr: string;
  /** The data decide between two VRs: US or SS by PixelRepresentation, OB or OW by the encoding, US or OW for LUT data. */
  readonly vrDepends: boolean;
  /** Value multiplicity as in PS3.6: `1`, `1-n`, `2-2n`, … */
  readonly vm: string;
  /** More than one value is possible, so that a JSON value is an array. */
  readonly isMultiple: boolean;
}

/** Masks of PS3.6's repeating groups, tried in this order after the exact tag. */
const REPEATING_MASKS = [0xff00ffff, 0xffffff00];

interface Tables {
  readonly byTag: Map<number, DictionaryEntry>;
  readonly repeating: Map<number, DictionaryEntry>;
  readonly tagByKeyword: Map<string, number>;
}

let tables: Tables | undefined;

/** Built at first use: a Lambda that never asks does not pay for it. */
function load(): Tables {
  if (tables) return tables;
  const built: Tables = { byTag: new Map(), repeating: new Map(), tagByKeyword: new Map() };
  for (const line of DICTIONARY_LINES.split('\n')) {
    const [tag, vr, vm, keyword] = line.split(' ');
    if (!tag || !vr || !vm || !keyword) continue;
    const number = Number.parseInt(tag.replaceAll('x', '0'), 16);
    const entry: DictionaryEntry = {
      tag: number,
      keyword,
      vr: vr.slice(0, 2),
      vrDepends: vr.length > 2,
      vm,
      isMultiple: vm !== '1',
    };
    (tag.includes('x') ? built.repeating : built.byTag).set(number, entry);
    if (!built.tagByKeyword.has(keyword)) built.tagByKeyword.set(keyword, number);
  }
  tables = built;
  return built;
}

/** The dictionary's entry of a standard element, or undefined (private, unknown, group length). */
export function lookUp(tag: number): DictionaryEntry | undefined {
  const { byTag, repeating } = load();
  const exact = byTag.get(tag);
  if (exact) return exact;
  if (isPrivate(tag)) return undefined;
  for (const mask of REPEATING_MASKS) {
    const entry = repeating.get((tag & mask) >>> 0);
    if (entry) return entry;
  }
  return undefined;
}

/** The tag of a keyword; of the first group where the group repeats (`OverlayData` → 0x60003000). */
export function tagOf(keyword: string): number | undefined {
  return load().tagByKeyword.get(keyword);
}

/** Odd group numbers above 0x0008 are private (PS3.5 7.1). */
export function isPrivate(tag: number): boolean {
  return ((tag >>> 16) & 1) === 1;
}

/** `GGGGEEEE`, upper case: HealthImaging's key of elements without a keyword. */
export function hexTag(tag: number): string {
  return tag.toString(16).toUpperCase().padStart(8, '0');
}

/** How a message names an element: the keyword, else `(gggg,eeee)`. */
export function nameOf(tag: number): string {
  const hex = hexTag(tag);
  return lookUp(tag)?.keyword ?? `(${hex.slice(0, 4)},${hex.slice(4)})`;
}
