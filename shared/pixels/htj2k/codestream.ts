/**
 * Reads the main header and the tile-part chain of a JPEG 2000 or HTJ2K codestream (ITU-T T.800 Annex A, T.814),
 * with every length checked, so that size, precision, signs, components and transform are known before any codec
 * sees a byte. Pure; refuses with CodecError.
 */
import { CodecError } from '../errors.ts';
import { unwrapBoxes } from './boxes.ts';

const SOC = 0xff4f;
const SIZ = 0xff51;
const CAP = 0xff50;
const COD = 0xff52;
const COC = 0xff53;
const QCD = 0xff5c;
const POC = 0xff5f;
const TLM = 0xff55;
const SOT = 0xff90;
const EOC = 0xffd9;

export const PROGRESSIONS = ['LRCP', 'RLCP', 'RPCL', 'PCRL', 'CPRL'] as const;

export interface CodestreamComponent {
  readonly precision: number;
  readonly signed: boolean;
  /** Horizontal and vertical sub-sampling. */
  readonly dx: number;
  readonly dy: number;
}

/** The facts of a main header; sizes in pixels. */
export interface CodestreamHeader {
  readonly columns: number;
  readonly rows: number;
  /** Offset of the image on the reference grid; 0,0 in all but exotic codestreams. */
  readonly offsetX: number;
  readonly offsetY: number;
  readonly tileColumns: number;
  readonly tileRows: number;
  readonly tiles: number;
  readonly components: readonly CodestreamComponent[];
  readonly highThroughput: boolean;
  readonly progression: (typeof PROGRESSIONS)[number];
  readonly layers: number;
  /** The multiple component transform (RCT or ICT) over the first three components. */
  readonly colourTransform: boolean;
  readonly decompositions: number;
  readonly reversible: boolean;
  readonly blockWidth: number;
  readonly blockHeight: number;
  /** COC or POC markers: some component or part departs from COD. */
  readonly overrides: boolean;
  readonly hasTlm: boolean;
  /** Byte offset of the first SOT marker. */
  readonly headerBytes: number;
  /** Byte offset of the first component's Ssiz field (three bytes a component follow). */
  readonly componentsAt: number;
}

/** One tile-part: where its SOT marker starts and where the part ends, in bytes. */
export interface TilePart {
  readonly tile: number;
  readonly part: number;
  readonly start: number;
  readonly end: number;
}

export interface Codestream {
  /** The raw codestream, without JP2 boxes. */
  readonly bytes: Uint8Array;
  readonly header: CodestreamHeader;
}

/** Unwraps JP2 boxes when there are any and reads the main header. */
export function openCodestream(bytes: Uint8Array): Codestream {
  const raw = unwrapBoxes(bytes);
  return { bytes: raw, header: parseMainHeader(raw) };
}

/** Reads the markers from SOC to the first SOT. */
export function parseMainHeader(bytes: Uint8Array): CodestreamHeader {
  if (bytes.length < 4 || u16(bytes, 0) !== SOC) throw corrupt('no SOC marker at the start');
  let at = 2;
  let size: SizeFields | undefined;
  let coding: CodingFields | undefined;
  let hasQuantisation = false;
  let highThroughput = false;
  let overrides = false;
  let hasTlm = false;
  for (;;) {
    if (at + 4 > bytes.length) throw corrupt('the main header is cut short', { at });
    const marker = u16(bytes, at);
    if (marker === SOT) break;
    const length = u16(bytes, at + 2);
    if (marker < 0xff00 || length < 2 || at + 2 + length > bytes.length)
      throw corrupt('a marker segment of the main header leaves the codestream', { at, length });
    const body: Segment = { bytes, at: at + 4, length: length - 2 };
    if (at === 2 && marker !== SIZ) throw corrupt('SIZ does not follow SOC', { at });
    if (marker === SIZ) size = parseSize(body);
    else if (marker === COD) coding = parseCoding(body);
    else if (marker === CAP) highThroughput = isHighThroughput(body);
    else if (marker === COC || marker === POC) overrides = true;
    else if (marker === QCD) hasQuantisation = true;
    else if (marker === TLM) hasTlm = true;
    at += 2 + length;
  }
  if (!size || !coding || !hasQuantisation) throw corrupt('SIZ, COD or QCD is missing from the main header');
  return headerOf(size, coding, { highThroughput, overrides, hasTlm, headerBytes: at });
}

/** Written out: spreading this many properties costs V8 as much time as decoding a small frame. */
function headerOf(
  size: SizeFields,
  coding: CodingFields,
  rest: Pick<CodestreamHeader, 'highThroughput' | 'overrides' | 'hasTlm' | 'headerBytes'>,
): CodestreamHeader {
  return {
    columns: size.columns,
    rows: size.rows,
    offsetX: size.offsetX,
    offsetY: size.offsetY,
    tileColumns: size.tileColumns,
    tileRows: size.tileRows,
    tiles: size.tiles,
    components: size.components,
    componentsAt: size.componentsAt,
    progression: coding.progression,
    layers: coding.layers,
    colourTransform: coding.colourTransform,
    decompositions: coding.decompositions,
    reversible: coding.reversible,
    blockWidth: coding.blockWidth,
    blockHeight: coding.blockHeight,
    highThroughput: rest.highThroughput,
    overrides: rest.overrides,
    hasTlm: rest.hasTlm,
    headerBytes: rest.headerBytes,
  };
}

/** The content of a marker segment. Plain reads: a DataView for each is slow. */
interface Segment {
  readonly bytes: Uint8Array;
  readonly at: number;
  readonly length: number;
}

/** Big-endian; the caller has checked that the bytes are there. */
const u16 = (bytes: Uint8Array, at: number) => (bytes[at]! << 8) | bytes[at + 1]!;
const u32 = (bytes: Uint8Array, at: number) => ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;

type SizeFields = Pick<
  CodestreamHeader,
  | 'columns'
  | 'rows'
  | 'offsetX'
  | 'offsetY'
  | 'tileColumns'
  | 'tileRows'
  | 'tiles'
  | 'components'
  | 'componentsAt'
>;

function parseSize({ bytes, at, length }: Segment): SizeFields {
  if (length < 36 + 3) throw corrupt('SIZ is too short', { length });
  const x1 = u32(bytes, at + 2);
  const y1 = u32(bytes, at + 6);
  const x0 = u32(bytes, at + 10);
  const y0 = u32(bytes, at + 14);
  const tileColumns = u32(bytes, at + 18);
  const tileRows = u32(bytes, at + 22);
  const tileX = u32(bytes, at + 26);
  const tileY = u32(bytes, at + 30);
  const count = u16(bytes, at + 34);
  if (count === 0 || length !== 36 + 3 * count)
    throw corrupt('SIZ names another number of components than it holds', { components: count });
  if (x1 <= x0 || y1 <= y0) throw corrupt('SIZ gives an empty image', { x0, y0, x1, y1 });
  if (
    tileColumns === 0 ||
    tileRows === 0 ||
    tileX > x0 ||
    tileY > y0 ||
    tileX + tileColumns <= x0 ||
    tileY + tileRows <= y0
  )
    throw corrupt('SIZ gives impossible tiles', { tileColumns, tileRows, tileX, tileY });
  const tiles = Math.ceil((x1 - tileX) / tileColumns) * Math.ceil((y1 - tileY) / tileRows);
  if (tiles > 65_535) throw corrupt('SIZ gives more than 65,535 tiles', { tiles });
  const componentsAt = at + 36;
  const components: CodestreamComponent[] = [];
  for (let index = 0; index < count; index++) {
    const depth = bytes[componentsAt + 3 * index]!;
    const dx = bytes[componentsAt + 3 * index + 1]!;
    const dy = bytes[componentsAt + 3 * index + 2]!;
    const precision = (depth & 0x7f) + 1;
    if (precision > 38 || dx === 0 || dy === 0)
      throw corrupt('SIZ gives an impossible component', { index, depth, dx, dy });
    components.push({ precision, signed: (depth & 0x80) !== 0, dx, dy });
  }
  return {
    columns: x1 - x0,
    rows: y1 - y0,
    offsetX: x0,
    offsetY: y0,
    tileColumns,
    tileRows,
    tiles,
    components,
    componentsAt,
  };
}

type CodingFields = Pick<
  CodestreamHeader,
  | 'progression'
  | 'layers'
  | 'colourTransform'
  | 'decompositions'
  | 'reversible'
  | 'blockWidth'
  | 'blockHeight'
>;

function parseCoding({ bytes, at, length }: Segment): CodingFields {
  if (length < 10) throw corrupt('COD is too short', { length });
  const style = bytes[at]!;
  const progression = PROGRESSIONS[bytes[at + 1]!];
  const layers = u16(bytes, at + 2);
  const transform = bytes[at + 4]!;
  const decompositions = bytes[at + 5]!;
  const widthExponent = bytes[at + 6]! + 2;
  const heightExponent = bytes[at + 7]! + 2;
  const wavelet = bytes[at + 9]!;
  if (!progression || layers === 0 || transform > 1 || decompositions > 32 || wavelet > 1)
    throw corrupt('COD gives impossible values', { layers, transform, decompositions, wavelet });
  if (widthExponent > 10 || heightExponent > 10 || widthExponent + heightExponent > 12)
    throw corrupt('COD gives impossible code-blocks', { widthExponent, heightExponent });
  const precincts = style & 1 ? decompositions + 1 : 0;
  if (length !== 10 + precincts) throw corrupt('COD has another length than its content', { length });
  return {
    progression,
    layers,
    colourTransform: transform === 1,
    decompositions,
    reversible: wavelet === 1,
    blockWidth: 2 ** widthExponent,
    blockHeight: 2 ** heightExponent,
  };
}

/** CAP: Pcap bit 15, counted from the most significant as 1, says part 15 (HTJ2K). */
function isHighThroughput({ bytes, at, length }: Segment): boolean {
  if (length < 4) throw corrupt('CAP is too short', { length });
  return (u32(bytes, at) & (1 << (32 - 15))) !== 0;
}

/**
 * Follows the tile-parts to the end: each lies within the codestream, every tile has its parts in order, and
 * nothing is cut off. A missing EOC marker alone is forgiven (some writers leave it out), trailing bytes too.
 */
export function tileParts(codestream: Codestream): TilePart[] {
  const { bytes, header } = codestream;
  const parts: TilePart[] = [];
  const nextPart = new Map<number, number>();
  let at = header.headerBytes;
  while (at + 2 <= bytes.length && u16(bytes, at) !== EOC) {
    if (parts.length > 0 && isPadding(bytes, at)) break;
    const part = readTilePart(bytes, at, header.tiles);
    if (part.part !== (nextPart.get(part.tile) ?? 0))
      throw corrupt('tile-parts out of order', { tile: part.tile });
    nextPart.set(part.tile, part.part + 1);
    parts.push(part);
    at = part.end;
  }
  if (nextPart.size !== header.tiles)
    throw corrupt('tiles are missing', { wanted: header.tiles, got: nextPart.size });
  return parts;
}

function readTilePart(bytes: Uint8Array, at: number, tiles: number): TilePart {
  if (at + 12 > bytes.length) throw corrupt('a tile-part header is cut short', { at });
  if (u16(bytes, at) !== SOT || u16(bytes, at + 2) !== 10)
    throw corrupt('no SOT marker where a tile-part starts', { at });
  const tile = u16(bytes, at + 4);
  const length = u32(bytes, at + 6);
  const part = bytes[at + 10]!;
  // T.800 A.4.2: zero means "to the end of the codestream", allowed for the last tile-part only.
  const end = length === 0 ? lastPartEnd(bytes) : at + length;
  if (tile >= tiles) throw corrupt('a tile-part of a tile that is not there', { tile, tiles });
  if (end < at + 14 || end > bytes.length)
    throw corrupt('a tile-part leaves the codestream', { tile, part, wanted: end, got: bytes.length });
  return { tile, part, start: at, end };
}

function lastPartEnd(bytes: Uint8Array): number {
  for (let end = bytes.length; end >= bytes.length - 1 && end >= 2; end--)
    if (u16(bytes, end - 2) === EOC) return end - 2;
  return bytes.length;
}

/** Zeros to the end: padding of a codestream without EOC. */
function isPadding(bytes: Uint8Array, at: number): boolean {
  for (let index = at; index < bytes.length; index++) if (bytes[index] !== 0) return false;
  return true;
}

/** Columns and rows of the image decoded `level` halvings below full resolution (T.800 equation B-15). */
export function sizeAtLevel(header: CodestreamHeader, level: number): { columns: number; rows: number } {
  const scale = 2 ** level;
  const extent = (offset: number, size: number) =>
    Math.ceil((offset + size) / scale) - Math.ceil(offset / scale);
  return { columns: extent(header.offsetX, header.columns), rows: extent(header.offsetY, header.rows) };
}

function corrupt(message: string, facts: Record<string, number | string> = {}): CodecError {
  const detail = Object.entries(facts)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
  return new CodecError('FrameCorrupt', `codestream: ${message}${detail ? ` (${detail})` : ''}`, facts);
}
