/** DICOM JSON (PS3.18 annex F) as the metadata document has it: by keyword, typed by VR, arrays by multiplicity. Pure. */
import { representation } from '../../../shared/dicom/value-representations.ts';
import { attributeName } from './attribute-names.ts';
import type { DicomJson, DicomValue } from './document.ts';
import type { EditLevel } from './edits.ts';

export type Levels = Readonly<Record<EditLevel, DicomJson>>;

interface JsonElement {
  readonly vr?: string;
  readonly Value?: readonly unknown[];
  readonly InlineBinary?: string;
}

/** The instance's place and its pixels are the P10 object's own: an enrichment does not move or redraw it. */
const OWN = new Set(['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID', 'SOPClassUID']);
const PIXEL_GROUPS = [0x0002, 0x7fe0];
const IMAGE_PIXEL_MODULE = /^0028(0002|0004|0006|0008|0010|0011|010[0-3])$/;

/** Elements by the level where the document keeps them, and the VRs of private ones. Unknown names are left out. */
export function fromDicomJson(json: Readonly<Record<string, unknown>>): {
  levels: Levels;
  vrs: Record<string, string>;
} {
  const levels: Record<EditLevel, Record<string, DicomValue>> = {
    Patient: {},
    Study: {},
    Series: {},
    Instance: {},
  };
  const vrs: Record<string, string> = {};
  for (const [tag, element] of Object.entries(json)) {
    const found = nameOf(tag);
    if (!found || OWN.has(found.name) || IMAGE_PIXEL_MODULE.test(tag)) continue;
    const { vr = found.vr ?? 'UN' } = element as JsonElement;
    levels[found.level][found.name] = toValue(element as JsonElement, vr, found.isMultiple);
    if (found.isPrivate) vrs[found.name] = vr;
  }
  return { levels, vrs };
}

function nameOf(tag: string) {
  const byTag = /^[0-9A-Fa-f]{8}$/.test(tag) ? attributeName(tag.toUpperCase()) : undefined;
  if (!byTag || PIXEL_GROUPS.includes(byTag.tag >>> 16)) return undefined;
  return { ...byTag, name: byTag.keyword ?? byTag.name };
}

function toValue(element: JsonElement, vr: string, isMultiple: boolean): DicomValue {
  if (typeof element.InlineBinary === 'string') return element.InlineBinary;
  const values = (Array.isArray(element.Value) ? element.Value : []).map((value) => toOne(value, vr));
  if (values.length === 0) return null;
  return isMultiple || vr === 'SQ' || values.length > 1 ? values : (values[0] ?? null);
}

function toOne(value: unknown, vr: string): DicomValue {
  if (vr === 'SQ') return itemOf(value);
  if (vr === 'PN') return personName(value);
  if (value === null || value === undefined) return representation(vr).kind === 'text' ? '' : null;
  return representation(vr).kind === 'number' ? Number(value) : String(value);
}

function itemOf(value: unknown): DicomJson {
  const item: Record<string, DicomValue> = {};
  for (const [tag, element] of Object.entries((value ?? {}) as Record<string, JsonElement>)) {
    const found = nameOf(tag);
    if (found) item[found.name] = toValue(element, element.vr ?? found.vr ?? 'UN', found.isMultiple);
  }
  return item;
}

/** `{Alphabetic, Ideographic, Phonetic}` as the text `A=I=P`. */
function personName(value: unknown): string {
  if (typeof value === 'string') return value;
  const { Alphabetic = '', Ideographic = '', Phonetic = '' } = (value ?? {}) as Record<string, string>;
  return `${Alphabetic}=${Ideographic}=${Phonetic}`.replace(/=+$/, '');
}
