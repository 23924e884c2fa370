/**
 * Which fragments make up which frame (PS3.5 A.4): by the extended or the basic offset table when they point at
 * fragments, else one fragment a frame, else by the markers that start each frame. Tables are checked, not believed.
 */
import type { ByteSource } from '../dicom/byte-source.ts';
import { DicomError } from '../dicom/dicom-error.ts';
import { type Fragment, truncated, walkItems, windowReader } from './fragments.ts';

export interface EncapsulatedPixels {
  readonly source: ByteSource;
  /** The offset table's item and the fragments, when the reader of the data set has walked them already. */
  readonly items?: readonly Fragment[] | undefined;
  /** Bytes of the element's value, from the first item on. */
  readonly start: number;
  readonly end: number;
  readonly frames: number;
  readonly transferSyntaxUID: string;
  /** Values of Extended Offset Table and its lengths (7FE0,0001 and 7FE0,0002), 64-bit little-endian. */
  readonly extendedOffsets?: Uint8Array | undefined;
  readonly extendedLengths?: Uint8Array | undefined;
}

/** For each frame its parts, in order; a part is read as it is and the parts are strung together. */
export async function locateFrames(pixels: EncapsulatedPixels): Promise<Fragment[][]> {
  const { frames, source } = pixels;
  const [table, ...fragments] = pixels.items ?? (await walkItems(source, pixels.start, pixels.end));
  if (!table) throw truncated('no items in the encapsulated pixel data', frames + 1, 0);
  if (frames === 1 && fragments.length > 0) return [fragments];
  const offsets = extendedOffsets(pixels) ?? (await basicOffsets(pixels, table));
  const byTable = offsets && splitAtOffsets(fragments, offsets, table.end);
  if (byTable)
    return byTable.length === frames ? cutToLengths(byTable, pixels) : wrongCount(frames, byTable.length);
  if (fragments.length === frames) return fragments.map((fragment) => [fragment]);
  const full = fragments.filter(({ start, end }) => end > start);
  if (full.length === frames) return full.map((fragment) => [fragment]);
  if (fragments.length > frames) return joinByMarkers(pixels, fragments);
  if (fragments.length === 1) return splitByMarkers(pixels, fragments[0]!);
  return wrongCount(frames, fragments.length);
}

async function basicOffsets(pixels: EncapsulatedPixels, table: Fragment): Promise<number[] | undefined> {
  const entries = Math.floor((table.end - table.start) / 4);
  if (entries !== pixels.frames) return undefined;
  const bytes = await pixels.source.read(table.start, table.end);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 4) }, (_, index) => view.getUint32(4 * index, true));
}

function extendedOffsets({ extendedOffsets: bytes, frames }: EncapsulatedPixels): number[] | undefined {
  return bytes && bytes.length >= frames * 8 ? readWords(bytes).slice(0, frames) : undefined;
}

function readWords(bytes: Uint8Array): number[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from({ length: Math.floor(bytes.length / 8) }, (_, index) =>
    Number(view.getBigUint64(8 * index, true)),
  );
}

/** Groups fragments by offsets, counted from the first fragment's header; undefined when the table does not fit them. */
function splitAtOffsets(
  fragments: readonly Fragment[],
  offsets: readonly number[],
  base: number,
): Fragment[][] | undefined {
  const starts = new Map(fragments.map((fragment, index) => [fragment.start - 8 - base, index]));
  const firsts = offsets.map((offset) => starts.get(offset));
  if (firsts[0] !== 0) return undefined;
  const groups: Fragment[][] = [];
  for (const [index, first] of firsts.entries()) {
    const next = index + 1 < firsts.length ? firsts[index + 1] : fragments.length;
    if (first === undefined || next === undefined || next <= first) return undefined;
    groups.push(fragments.slice(first, next));
  }
  return groups;
}

/** The extended table's lengths leave out a fragment's padding byte. */
function cutToLengths(groups: Fragment[][], { extendedLengths, frames }: EncapsulatedPixels): Fragment[][] {
  if (!extendedLengths || extendedLengths.length < frames * 8) return groups;
  const lengths = readWords(extendedLengths);
  return groups.map((group, index) => {
    const [only] = group;
    const length = lengths[index]!;
    const fits = only && group.length === 1 && length > 0 && length <= only.end - only.start;
    return fits ? [{ start: only.start, end: only.start + length }] : group;
  });
}

/** The two bytes that start a frame: SOI of JPEG and JPEG-LS, SOC of JPEG 2000. RLE frames are one fragment each (A.4.2). */
function startMarker(transferSyntaxUID: string): readonly [number, number] | undefined {
  const suffix = /^1\.2\.840\.10008\.1\.2\.4\.(\d+)$/.exec(transferSyntaxUID)?.[1];
  if (!suffix) return undefined;
  if (Number(suffix) >= 50 && Number(suffix) <= 81) return [0xff, 0xd8];
  return ['90', '91', '92', '93', '201', '202', '203'].includes(suffix) ? [0xff, 0x4f] : undefined;
}

async function joinByMarkers(
  pixels: EncapsulatedPixels,
  fragments: readonly Fragment[],
): Promise<Fragment[][]> {
  const marker = startMarker(pixels.transferSyntaxUID);
  if (!marker) return wrongCount(pixels.frames, fragments.length);
  const groups: Fragment[][] = [];
  const read = windowReader(pixels.source, fragments.at(-1)!.end);
  for (const fragment of fragments) {
    const head = fragment.end - fragment.start < 2 ? undefined : await read(fragment.start, 2);
    const isStart = head?.getUint8(0) === marker[0] && head.getUint8(1) === marker[1];
    if (groups.length === 0 || isStart) groups.push([]);
    groups.at(-1)!.push(fragment);
  }
  return groups.length === pixels.frames ? groups : wrongCount(pixels.frames, groups.length);
}

/** One fragment for all frames: cut where an end marker (EOI, EOC), maybe padding, and a start marker follow each other. */
async function splitByMarkers(pixels: EncapsulatedPixels, fragment: Fragment): Promise<Fragment[][]> {
  const marker = startMarker(pixels.transferSyntaxUID);
  if (!marker) return wrongCount(pixels.frames, 1);
  const cuts = [fragment.start];
  for await (const at of findFrameEnds(pixels.source, fragment, marker)) cuts.push(at);
  if (cuts.length !== pixels.frames) return wrongCount(pixels.frames, cuts.length);
  return cuts.map((start, index) => [{ start, end: cuts[index + 1] ?? fragment.end }]);
}

const SCAN_BYTES = 1024 * 1024;
const SEAM_BYTES = 8;

/** Positions of a start marker that comes right behind FF D9, at most two padding bytes between. */
async function* findFrameEnds(
  source: ByteSource,
  fragment: Fragment,
  [first, second]: readonly [number, number],
): AsyncGenerator<number> {
  let reported = fragment.start;
  for (let at = fragment.start; at < fragment.end; at += SCAN_BYTES) {
    const bytes = await source.read(at, Math.min(at + SCAN_BYTES + SEAM_BYTES, fragment.end));
    for (let index = 2; index + 1 < bytes.length; index++) {
      if (bytes[index] !== first || bytes[index + 1] !== second || at + index <= reported) continue;
      if (!endsBefore(bytes, index)) continue;
      reported = at + index;
      yield reported;
    }
  }
}

function endsBefore(bytes: Uint8Array, index: number): boolean {
  for (let end = index; end >= Math.max(index - 2, 2); end--) {
    if (bytes[end - 2] === 0xff && bytes[end - 1] === 0xd9) return true;
    if (bytes[end - 1] !== 0) return false;
  }
  return false;
}

function wrongCount(wanted: number, got: number): never {
  throw new DicomError('PixelDataTruncated', 'PixelData', `wanted ${wanted} frames, found ${got}`, {
    wanted,
    got,
  });
}
