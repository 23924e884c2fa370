/** RLE Lossless (PS3.5 Annex G): PackBits over byte planes, most significant byte first. Pure and bounded. */
import { checkDescription } from './canonical.ts';
import type { ImageDescription } from './description.ts';
import { CodecError } from './errors.ts';

const HEADER_BYTES = 64;

/**
 * One RLE frame to native little-endian bytes, interleaved. The output has exactly the described size; a
 * segment that yields less, or offsets outside of the frame, throw FrameCorrupt; what a segment yields beyond
 * its plane is ignored, so a bomb costs no memory.
 */
export function decodeRle(encoded: Uint8Array, description: ImageDescription): Uint8Array {
  checkDescription(description);
  // One bit a pixel stays packed: a single segment of whole bytes.
  const isPacked = description.bitsAllocated === 1;
  const samples = isPacked ? 1 : description.samplesPerPixel;
  const sampleBytes = isPacked ? 1 : description.bitsAllocated / 8;
  const pixels = isPacked
    ? Math.ceil((description.rows * description.columns * description.samplesPerPixel) / 8)
    : description.rows * description.columns;
  const offsets = readOffsets(encoded, samples * sampleBytes);
  const stride = samples * sampleBytes;
  const out = new Uint8Array(pixels * stride);
  offsets.forEach((start, segment) => {
    const sample = Math.floor(segment / sampleBytes);
    const byte = sampleBytes - 1 - (segment % sampleBytes);
    const end = offsets[segment + 1] ?? encoded.length;
    unpackSegment(encoded, start, end, out, sample * sampleBytes + byte, stride, pixels, segment);
  });
  return out;
}

function readOffsets(encoded: Uint8Array, wanted: number): number[] {
  if (encoded.length < HEADER_BYTES)
    throw corrupt('the frame is shorter than its header', { got: encoded.length });
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  const count = view.getUint32(0, true);
  if (count !== wanted)
    throw corrupt('another number of segments than bytes a pixel', { wanted, got: count });
  const offsets = Array.from({ length: count }, (_, index) => view.getUint32(4 + 4 * index, true));
  offsets.forEach((offset, index) => {
    const previous = index === 0 ? HEADER_BYTES : offsets[index - 1]!;
    if (offset < previous || offset >= encoded.length)
      throw corrupt('a segment offset is out of order', { index, offset });
  });
  return offsets;
}

function unpackSegment(
  encoded: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
  first: number,
  stride: number,
  pixels: number,
  segment: number,
): void {
  const stop = first + pixels * stride;
  let to = first;
  let from = start;
  while (to < stop && from < end) {
    const control = encoded[from++]!;
    if (control === 128) continue; // PS3.5 G.3.2: no operation
    if (control < 128) {
      const last = Math.min(from + control + 1, end);
      for (; from < last && to < stop; to += stride) out[to] = encoded[from++]!;
    } else {
      if (from >= end) break;
      const value = encoded[from++]!;
      for (let run = 257 - control; run > 0 && to < stop; run--, to += stride) out[to] = value;
    }
  }
  if (to < stop)
    throw corrupt('a segment ends before its plane is full', {
      segment,
      wanted: pixels,
      got: (to - first) / stride,
    });
}

function corrupt(message: string, facts: Record<string, number>): CodecError {
  return new CodecError('FrameCorrupt', `RLE: ${message} (${JSON.stringify(facts)})`, facts);
}
