/**
 * A P10 object whose pixel data are written while they come (PS3.5 7.1.2, A.4): one frame at a time is held. Always
 * Explicit VR Little Endian, in which all of GetDICOMInstance's forms have their data sets.
 */
import { type WriteElements, writeDataSet, writeP10 } from '../../../shared/dicom/write.ts';
import type { BodyStream } from '../output.ts';

const ITEM = 0xfffee000;
const SEQUENCE_DELIMITATION = 0xfffee0dd;
const PIXEL_DATA = 0x7fe00010;
const UNDEFINED_LENGTH = 0xffffffff;
/** The longest native pixel data that a 32-bit length can say (PS3.5 7.1.1: even, and not the undefined length). */
export const MAX_NATIVE_BYTES = 0xfffffffe;

export interface P10Head {
  readonly transferSyntaxUID: string;
  readonly elements: WriteElements;
  readonly meta: WriteElements;
}

export type PixelStream =
  /** Exactly `sizeBytes` of samples, in pieces of any size. */
  | { readonly kind: 'native'; readonly sizeBytes: number; readonly pieces: AsyncIterable<Uint8Array> }
  /** A fragment a frame. */
  | { readonly kind: 'encapsulated'; readonly frames: AsyncIterable<Uint8Array> };

/** The size is known in advance where the pixels are native, or where there are none. */
export function streamP10(head: P10Head, pixels: PixelStream | undefined): BodyStream {
  const { before, after } = aroundPixels(head);
  if (!pixels) return { sizeBytes: before.length + after.length, chunks: chunksOf(before, after) };
  if (pixels.kind === 'encapsulated') return { chunks: chunksOf(before, encapsulated(pixels.frames), after) };
  const bits = (head.elements.BitsAllocated as { value?: unknown } | undefined)?.value;
  const value = native(pixels, typeof bits === 'number' && bits <= 8 ? 'OB' : 'OW');
  const padded = pixels.sizeBytes + (pixels.sizeBytes % 2);
  return {
    sizeBytes: before.length + 12 + padded + after.length,
    chunks: chunksOf(before, value, after),
  };
}

/** The file up to the pixel data, and what sorts behind them. */
function aroundPixels({ transferSyntaxUID, elements, meta }: P10Head) {
  const isAfter = ([name]: [string, unknown]) =>
    /^[0-9A-F]{8}$/i.test(name) && Number.parseInt(name, 16) > PIXEL_DATA;
  const all = Object.entries(elements);
  const after = Object.fromEntries(all.filter(isAfter));
  const before = Object.fromEntries(all.filter((entry) => !isAfter(entry)));
  return {
    before: writeP10({ transferSyntaxUID, elements: before, meta }),
    after: writeDataSet(after, { explicit: true, littleEndian: true }, false),
  };
}

async function* chunksOf(
  ...parts: readonly (Uint8Array | AsyncIterable<Uint8Array>)[]
): AsyncIterable<Uint8Array> {
  for (const part of parts) {
    if (part instanceof Uint8Array) yield part;
    else yield* part;
  }
}

async function* native(
  { sizeBytes, pieces }: Extract<PixelStream, { kind: 'native' }>,
  vr: 'OB' | 'OW',
): AsyncIterable<Uint8Array> {
  yield longHeader(vr, sizeBytes + (sizeBytes % 2));
  let written = 0;
  for await (const piece of pieces) {
    written += piece.length;
    if (written > sizeBytes) break;
    yield piece;
  }
  if (written !== sizeBytes) throw new Error(`pixel data of ${written} bytes where ${sizeBytes} were said`);
  if (sizeBytes % 2 === 1) yield new Uint8Array(1);
}

async function* encapsulated(frames: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  yield longHeader('OB', UNDEFINED_LENGTH);
  yield itemHeader(ITEM, 0);
  for await (const frame of frames) {
    const padding = frame.length % 2;
    yield itemHeader(ITEM, frame.length + padding);
    yield frame;
    if (padding) yield new Uint8Array(1);
  }
  yield itemHeader(SEQUENCE_DELIMITATION, 0);
}

function longHeader(vr: string, length: number): Uint8Array {
  const header = Buffer.alloc(12);
  header.writeUInt16LE(PIXEL_DATA >>> 16, 0);
  header.writeUInt16LE(PIXEL_DATA & 0xffff, 2);
  header.write(vr, 4, 'latin1');
  header.writeUInt32LE(length, 8);
  return header;
}

function itemHeader(tag: number, length: number): Uint8Array {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(tag >>> 16, 0);
  header.writeUInt16LE(tag & 0xffff, 2);
  header.writeUInt32LE(length, 4);
  return header;
}
