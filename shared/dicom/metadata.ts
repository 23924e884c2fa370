/**
 * The parts of HealthImaging's metadata document that one instance contributes (GetImageSetMetadata, schema 1.1):
 * JSON types by VR, arrays by the dictionary's multiplicity, null for what is there but empty.
 */
import type { DataSet, Element } from './data-set.ts';
import { hexTag, isPrivate, lookUp } from './dictionary.ts';
import { readTag } from './element-header.ts';
import { inLittleEndian } from './little-endian.ts';
import { type Level, levelOf } from './normalisation.ts';
import type { P10 } from './p10.ts';
import { representation } from './value-representations.ts';
import { numbersOf, rawText, withoutPadding } from './values.ts';

export type DicomJsonValue = string | number | null | readonly DicomJsonValue[] | DicomJson;
export interface DicomJson {
  readonly [key: string]: DicomJsonValue;
}

export interface InstanceMetadata {
  readonly Patient: DicomJson;
  readonly Study: DicomJson;
  readonly Series: DicomJson;
  /** Group 0002 included; without pixel data, whose value the frames are. */
  readonly Instance: DicomJson;
  /** VRs of private elements of the main data set, by `GGGGEEEE`. */
  readonly DICOMVRs: Readonly<Record<string, string>>;
}

/** Native and encapsulated pixel values and their offset tables are no metadata. */
function isPixelGroup(tag: number): boolean {
  return tag >>> 16 === 0x7fe0;
}

/** The document's key of an element: the PS3.6 keyword, else eight upper-case hex digits. */
export function keyOf(tag: number): string {
  const entry = lookUp(tag);
  // OverlayData of group 6002 would hide that of 6000: the keyword of a repeating group is its first group's.
  return entry?.tag === tag ? entry.keyword : hexTag(tag);
}

/** A level or an item being written. */
type Document = Record<string, DicomJsonValue>;

/** Binary values that are still in the source, with their place in the document. */
interface Unread {
  readonly document: Document;
  readonly key: string;
  readonly element: Element;
}

/**
 * Metadata of one instance by level. Reads binary values that were too big to hold from the source; else pure. Text
 * is unicode; numbers that JSON cannot hold (NaN, infinities) become null.
 */
export async function toMetadata(p10: P10): Promise<InstanceMetadata> {
  const levels: Record<Level, Document> = { Patient: {}, Study: {}, Series: {}, Instance: {} };
  const vrs: Record<string, string> = {};
  const unread: Unread[] = [];
  for (const element of p10.meta.dataSet.elements.values())
    put(levels.Instance, p10.meta.dataSet, element, unread);
  for (const element of p10.dataset.elements.values()) {
    const { tag } = element;
    if (isPixelGroup(tag) || (tag & 0xffff) === 0 || tag === 0xfffcfffc) continue;
    put(levels[levelOf(tag)], p10.dataset, element, unread);
    if (isPrivate(tag)) vrs[hexTag(tag)] = element.vr;
  }
  for (const { document, key, element } of unread) {
    const bytes = await p10.source.read(element.offset, element.offset + element.length);
    document[key] = base64(element, bytes);
  }
  return { ...levels, DICOMVRs: vrs };
}

function put(document: Document, dataSet: DataSet, element: Element, unread: Unread[]): void {
  const key = keyOf(element.tag);
  const isUnread = element.length > 0 && !element.value && !element.items;
  if (isUnread) unread.push({ document, key, element });
  document[key] = isUnread ? '' : toJson(dataSet, element, unread);
}

function toJson(dataSet: DataSet, element: Element, unread: Unread[]): DicomJsonValue {
  const { kind } = representation(element.vr);
  const entry = lookUp(element.tag);
  if (kind === 'sequence') return sequence(element, unread);
  if (element.length === 0) return entry ? null : '';
  if (kind === 'binary') return base64(element, element.value ?? new Uint8Array(0));
  const values = kind === 'text' ? textValues(dataSet, element) : numberValues(element);
  const isArray = entry ? entry.isMultiple && isSplit(element.vr) : values.length > 1;
  if (isArray) return values;
  // A value where the dictionary allows one, and several are there: they are kept as they stand in the file.
  if (values.length > 1) return kind === 'text' ? values.join('\\') : values;
  return values[0] ?? null;
}

/** Text that never parts (LT, ST, UT, UR) is one value whatever its multiplicity. */
function isSplit(vr: string): boolean {
  const { kind, splits } = representation(vr);
  return kind !== 'text' || splits;
}

function sequence(element: Element, unread: Unread[]): DicomJsonValue {
  if (!element.items?.length) return null;
  return element.items.map((item) => {
    const document: Document = {};
    for (const child of item.elements.values())
      if ((child.tag & 0xffff) !== 0) put(document, item, child, unread);
    return document;
  });
}

/** IS and DS keep the file's spaces, as the service's documents show since 2025; others lose their padding. */
function textValues(dataSet: DataSet, element: Element): string[] {
  const whole = rawText(dataSet, element) ?? '';
  const isNumeric = element.vr === 'IS' || element.vr === 'DS';
  const parts = representation(element.vr).splits ? whole.split('\\') : [whole];
  return parts.map((value) => (isNumeric ? value.replace(/\0+$/, '') : withoutPadding(value)));
}

function numberValues(element: Element): DicomJsonValue[] {
  if (element.vr === 'AT') return tagValues(element);
  return numbersOf(element).map((value) => (Number.isFinite(value) ? value : null));
}

/** AT as PS3.18 writes it: eight hex digits (how the service writes it is not published). */
function tagValues(element: Element): string[] {
  const value = element.value ?? new Uint8Array(0);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const found: string[] = [];
  for (let at = 0; at + 4 <= value.length; at += 4)
    found.push(hexTag(readTag(view, at, element.littleEndian)));
  return found;
}

/** Bytes as they stand; words of a big-endian file in little endian, as the document knows no byte order. */
function base64(element: Element, bytes: Uint8Array): string {
  const ordered = inLittleEndian(element, bytes);
  return Buffer.from(ordered.buffer, ordered.byteOffset, ordered.length).toString('base64');
}
