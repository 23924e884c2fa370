/**
 * Writes P10 objects: for the demonstration data, for tests, and for handing out stored instances. All transfer
 * syntaxes' encodings of PS3.5 annex A; text is written in UTF-8 (ISO_IR 192) unless it is ASCII or already bytes.
 */
import { deflateRawSync } from 'node:zlib';
import { hexTag, lookUp, tagOf } from './dictionary.ts';
import { type Encoding, impliedVr } from './element-header.ts';
import { dataSetEncoding } from './transfer-syntaxes.ts';
import { representation } from './value-representations.ts';

/** One value of an element: text, number, bytes as they shall stand (little endian for numbers), or an item. */
export type WriteValue = string | number | bigint | Uint8Array | WriteElements;

/** An element's value with its VR said; needed for private elements, useful to write what is wrong. */
export interface WriteElement {
  readonly vr: string;
  readonly value: WriteValue | readonly WriteValue[] | null;
}

/**
 * Elements by keyword or by `GGGGEEEE`. A value alone takes the dictionary's VR; an array is several values, or the
 * items of a sequence; null (or an empty array) writes the element without a value; undefined leaves it out.
 */
export interface WriteElements {
  readonly [name: string]: WriteValue | WriteElement | readonly WriteValue[] | null | undefined;
}

export interface WriteP10 {
  readonly transferSyntaxUID: string;
  readonly elements: WriteElements;
  /** Native: the value field in little endian. Encapsulated: the fragments, with an optional basic offset table. */
  readonly pixelData?:
    | Uint8Array
    | { readonly fragments: readonly Uint8Array[]; readonly offsetTable?: readonly number[] };
  readonly pixelKeyword?: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData';
  /** More elements of group 0002, or others than the defaults. */
  readonly meta?: WriteElements;
  /** Sequences and items with undefined lengths and delimiters. */
  readonly undefinedLengths?: boolean;
}

/** Registered under 2.25 (a UUID made for this writer). */
const IMPLEMENTATION_CLASS_UID = '2.25.188113735219512264210961716321946518131';
const IMPLEMENTATION_VERSION_NAME = 'ISOCENTER';
const UNDEFINED_LENGTH = 0xffffffff;

/** The bytes of one P10 object. Throws TypeError for an unknown keyword or a value that its VR cannot hold. */
export function writeP10(object: WriteP10): Uint8Array {
  const encoding = dataSetEncoding(object.transferSyntaxUID);
  const dataSet = writeDataSet(
    withPixels(object),
    encoding,
    object.undefinedLengths ?? false,
    object.pixelData,
  );
  const body = encoding.deflated ? padded(deflateRawSync(dataSet), 0) : dataSet;
  return Buffer.concat([new Uint8Array(128), Buffer.from('DICM', 'latin1'), writeMeta(object), body]);
}

function withPixels(object: WriteP10): WriteElements {
  const { elements, pixelData } = object;
  const needsUtf8 = !('SpecificCharacterSet' in elements) && !isAsciiOnly(elements);
  const withCharacterSet = needsUtf8 ? { SpecificCharacterSet: 'ISO_IR 192', ...elements } : elements;
  if (!pixelData) return withCharacterSet;
  const keyword = object.pixelKeyword ?? 'PixelData';
  const value = pixelData instanceof Uint8Array ? pixelData : new Uint8Array(0);
  return { ...withCharacterSet, [keyword]: { vr: pixelVr(object, keyword), value } };
}

/** PS3.5 annex A: implicit VR is OW; explicit is OB up to 8 bits and when encapsulated. */
function pixelVr(object: WriteP10, keyword: string): string {
  if (keyword !== 'PixelData') return keyword === 'FloatPixelData' ? 'OF' : 'OD';
  if (!(object.pixelData instanceof Uint8Array)) return 'OB';
  const bitsAllocated = object.elements.BitsAllocated;
  const isByte = typeof bitsAllocated === 'number' && bitsAllocated <= 8;
  return isByte && dataSetEncoding(object.transferSyntaxUID).explicit ? 'OB' : 'OW';
}

function isAsciiOnly(value: unknown): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the whole of ASCII is meant
  if (typeof value === 'string') return /^[\x00-\x7f]*$/.test(value);
  if (value === null || typeof value !== 'object' || value instanceof Uint8Array) return true;
  return Object.values(value).every(isAsciiOnly);
}

function writeMeta(object: WriteP10): Uint8Array {
  const { SOPClassUID, SOPInstanceUID } = object.elements;
  const elements: WriteElements = {
    FileMetaInformationVersion: Uint8Array.of(0, 1),
    MediaStorageSOPClassUID: SOPClassUID,
    MediaStorageSOPInstanceUID: SOPInstanceUID,
    TransferSyntaxUID: object.transferSyntaxUID,
    ImplementationClassUID: IMPLEMENTATION_CLASS_UID,
    ImplementationVersionName: IMPLEMENTATION_VERSION_NAME,
    ...object.meta,
  };
  const explicit = { explicit: true, littleEndian: true };
  const rest = writeDataSet(elements, explicit, false);
  const length = writeDataSet({ FileMetaInformationGroupLength: rest.length }, explicit, false);
  return 'FileMetaInformationGroupLength' in elements ? rest : Buffer.concat([length, rest]);
}

/** A data set (or an item's content) alone, in the given encoding, elements in tag order. */
export function writeDataSet(
  elements: WriteElements,
  encoding: Encoding,
  undefinedLengths: boolean,
  pixelData?: WriteP10['pixelData'],
): Uint8Array {
  const parts: Uint8Array[] = [];
  const tagged = Object.entries(elements).flatMap(([name, entry]) =>
    entry === undefined ? [] : [{ tag: numericTag(name), entry }],
  );
  tagged.sort((a, b) => a.tag - b.tag);
  for (const { tag, entry } of tagged) {
    const { vr, value } = withVr(tag, entry, elements);
    if (tag === 0x7fe00010 && pixelData && !(pixelData instanceof Uint8Array))
      parts.push(...encapsulated(tag, pixelData, encoding));
    else if (vr === 'SQ')
      parts.push(...sequence(tag, valuesOf(value) as WriteElements[], encoding, undefinedLengths));
    else parts.push(...plain(tag, vr, bytesOf(tag, vr, valuesOf(value), encoding.littleEndian), encoding));
  }
  return Buffer.concat(parts);
}

function numericTag(name: string): number {
  const tag = /^[0-9A-F]{8}$/i.test(name) ? Number.parseInt(name, 16) : tagOf(name);
  if (tag === undefined) throw new TypeError(`expected a PS3.6 keyword or GGGGEEEE, got ${name}`);
  return tag;
}

function isWriteElement(entry: object): entry is WriteElement {
  return 'vr' in entry && 'value' in entry && typeof entry.vr === 'string';
}

function withVr(
  tag: number,
  entry: NonNullable<WriteElements[string]> | null,
  siblings: WriteElements,
): WriteElement {
  if (entry !== null && typeof entry === 'object' && !(entry instanceof Uint8Array) && isWriteElement(entry))
    return entry;
  const vr = impliedVr(tag, () => siblings.PixelRepresentation === 1);
  const isUnknown = vr === 'UN' && !lookUp(tag);
  if (isUnknown && entry !== null && !(entry instanceof Uint8Array))
    throw new TypeError(
      `${hexTag(tag)}: expected a VR beside the value of an element that PS3.6 does not know`,
    );
  return { vr, value: entry as WriteElement['value'] };
}

function valuesOf(value: WriteElement['value']): readonly WriteValue[] {
  if (value === null) return [];
  return Array.isArray(value) ? (value as readonly WriteValue[]) : [value as WriteValue];
}

function bytesOf(tag: number, vr: string, values: readonly WriteValue[], littleEndian: boolean): Uint8Array {
  const { kind, width } = representation(vr);
  if (values[0] instanceof Uint8Array) {
    const whole = Buffer.concat(values as Uint8Array[]);
    return padded(
      littleEndian || width === 1 ? whole : swapped(whole, width),
      kind === 'text' && vr !== 'UI' ? 0x20 : 0,
    );
  }
  if (kind === 'text')
    return padded(Buffer.from(values.map(String).join('\\'), 'utf8'), vr === 'UI' ? 0 : 0x20);
  if (kind === 'tags') return swappedUnless(littleEndian, tagBytes(values), 2);
  if (kind === 'number' || vr === 'OW' || vr === 'OL' || vr === 'OF' || vr === 'OD' || vr === 'OV')
    return swappedUnless(littleEndian, numberBytes(tag, vr, values), width);
  if (values.length === 0) return new Uint8Array(0);
  throw new TypeError(`${hexTag(tag)}: expected bytes for VR ${vr}, got ${typeof values[0]}`);
}

function tagBytes(values: readonly WriteValue[]): Uint8Array {
  const out = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => {
    const tag = typeof value === 'string' ? Number.parseInt(value, 16) : Number(value);
    out.writeUInt16LE(tag >>> 16, index * 4);
    out.writeUInt16LE(tag & 0xffff, index * 4 + 2);
  });
  return out;
}

const WRITERS: Readonly<Record<string, (out: DataView, at: number, value: number) => void>> = {
  US: (out, at, value) => out.setUint16(at, value, true),
  SS: (out, at, value) => out.setInt16(at, value, true),
  UL: (out, at, value) => out.setUint32(at, value, true),
  SL: (out, at, value) => out.setInt32(at, value, true),
  FL: (out, at, value) => out.setFloat32(at, value, true),
  FD: (out, at, value) => out.setFloat64(at, value, true),
  UV: (out, at, value) => out.setBigUint64(at, BigInt(value), true),
  SV: (out, at, value) => out.setBigInt64(at, BigInt(value), true),
  OW: (out, at, value) => out.setUint16(at, value, true),
  OL: (out, at, value) => out.setUint32(at, value, true),
  OF: (out, at, value) => out.setFloat32(at, value, true),
  OD: (out, at, value) => out.setFloat64(at, value, true),
  OV: (out, at, value) => out.setBigUint64(at, BigInt(value), true),
};

function numberBytes(tag: number, vr: string, values: readonly WriteValue[]): Uint8Array {
  const { width } = representation(vr);
  const write = WRITERS[vr];
  const out = new Uint8Array(values.length * width);
  const view = new DataView(out.buffer);
  values.forEach((value, index) => {
    if (typeof value !== 'number' && typeof value !== 'bigint')
      throw new TypeError(`${hexTag(tag)}: expected a number for VR ${vr}, got ${typeof value}`);
    write?.(view, index * width, value as number);
  });
  return out;
}

function swappedUnless(littleEndian: boolean, bytes: Uint8Array, width: number): Uint8Array {
  return littleEndian ? bytes : swapped(bytes, width);
}

/** The other byte order of words of `width` bytes. */
export function swapped(bytes: Uint8Array, width: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at + width <= bytes.length; at += width)
    for (let byte = 0; byte < width; byte++) out[at + byte] = bytes[at + width - 1 - byte] as number;
  return out;
}

function padded(bytes: Uint8Array, filler: number): Uint8Array {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Uint8Array.of(filler)]);
}

function header(tag: number, vr: string | undefined, length: number, encoding: Encoding): Uint8Array {
  const isLong = vr !== undefined && encoding.explicit && representation(vr).longHeader;
  const out = new Uint8Array(isLong ? 12 : 8);
  const view = new DataView(out.buffer);
  view.setUint16(0, tag >>> 16, encoding.littleEndian);
  view.setUint16(2, tag & 0xffff, encoding.littleEndian);
  if (vr !== undefined && encoding.explicit) {
    out[4] = vr.charCodeAt(0);
    out[5] = vr.charCodeAt(1);
  }
  if (isLong) view.setUint32(8, length, encoding.littleEndian);
  else if (vr !== undefined && encoding.explicit) view.setUint16(6, length, encoding.littleEndian);
  else view.setUint32(4, length, encoding.littleEndian);
  return out;
}

/** PS3.5 6.2.2 note: a value too long for a 16-bit length is written as UN. */
function plain(tag: number, vr: string, bytes: Uint8Array, encoding: Encoding): Uint8Array[] {
  const isTooLong = encoding.explicit && bytes.length > 0xfffe && !representation(vr).longHeader;
  return [header(tag, isTooLong ? 'UN' : vr, bytes.length, encoding), bytes];
}

function sequence(
  tag: number,
  items: readonly WriteElements[],
  encoding: Encoding,
  undefinedLengths: boolean,
): Uint8Array[] {
  const content: Uint8Array[] = [];
  for (const item of items) {
    const body = writeDataSet(item, encoding, undefinedLengths);
    content.push(
      header(0xfffee000, undefined, undefinedLengths ? UNDEFINED_LENGTH : body.length, encoding),
      body,
    );
    if (undefinedLengths) content.push(header(0xfffee00d, undefined, 0, encoding));
  }
  if (undefinedLengths) content.push(header(0xfffee0dd, undefined, 0, encoding));
  const length = undefinedLengths ? UNDEFINED_LENGTH : content.reduce((sum, part) => sum + part.length, 0);
  return [header(tag, 'SQ', length, encoding), ...content];
}

function encapsulated(
  tag: number,
  pixels: { readonly fragments: readonly Uint8Array[]; readonly offsetTable?: readonly number[] },
  encoding: Encoding,
): Uint8Array[] {
  const table = numberBytes(tag, 'UL', pixels.offsetTable ?? []);
  const parts = [header(tag, 'OB', UNDEFINED_LENGTH, encoding)];
  for (const item of [table, ...pixels.fragments]) {
    const body = padded(item, 0);
    parts.push(header(0xfffee000, undefined, body.length, encoding), body);
  }
  parts.push(header(0xfffee0dd, undefined, 0, encoding));
  return parts;
}
