/**
 * Canonical pixels: what a checksum covers whatever the file's layout was (design 3, "Pixels, for proof";
 * reference section 8). Stored bits at bit 0, masked to BitsStored, sign-extended, samples of 1, 2 or 4 bytes,
 * little-endian, interleaved, no padding. Colours are never converted; native 4:2:2 is spread to one triple a pixel.
 */
import {
  bytesPerSample,
  canonicalFrameBytes,
  type ImageDescription,
  MAX_FRAME_BYTES,
} from './description.ts';
import { CodecError } from './errors.ts';

export interface CanonicalFrame {
  /** May share memory with the native bytes when nothing had to change. */
  readonly pixels: Uint8Array;
  /** Some bits outside of BitsStored were set in the file (overlays, or a writer's rubbish): PS3.5 8.1.1. */
  readonly unusedBits: boolean;
}

type Words = Uint8Array | Uint16Array | Uint32Array;

/** Native little-endian bytes of one frame (bit 0 first) to canonical pixels. Throws CodecError on a wrong length. */
export function canonicalPixels(native: Uint8Array, description: ImageDescription): Uint8Array {
  return canonicalise(native, description).pixels;
}

/** As canonicalPixels, and says whether unused bits were set. */
export function canonicalise(native: Uint8Array, description: ImageDescription): CanonicalFrame {
  checkDescription(description);
  if (description.pixelKeyword !== 'PixelData') return exact(native, canonicalFrameBytes(description));
  if (description.bitsAllocated === 1) return { pixels: unpackBits(native, description), unusedBits: false };
  const spread = spread422(native, description);
  const interleaved = interleave(spread, description);
  return normaliseWords(interleaved, description);
}

/** Refuses descriptions that no frame can have, before anything is allocated. */
export function checkDescription(description: ImageDescription): void {
  const { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit } = description;
  const facts = { rows, columns, samplesPerPixel, bitsAllocated, bitsStored, highBit };
  const whole = [rows, columns, samplesPerPixel, bitsAllocated, bitsStored].every(
    (n) => Number.isInteger(n) && n > 0,
  );
  if (!whole || rows > 65_535 || columns > 65_535 || samplesPerPixel > 4)
    throw new CodecError('FrameUnsupported', 'impossible rows, columns or samples', facts);
  if (description.pixelKeyword === 'PixelData') {
    if (![1, 8, 16, 32].includes(bitsAllocated))
      throw new CodecError('FrameUnsupported', `BitsAllocated ${bitsAllocated} is not 1, 8, 16 or 32`, facts);
    if (bitsStored > bitsAllocated || highBit < bitsStored - 1 || highBit >= bitsAllocated)
      throw new CodecError('FrameUnsupported', 'BitsStored and HighBit do not fit into BitsAllocated', facts);
  }
  const bytes = canonicalFrameBytes(description);
  if (bytes > MAX_FRAME_BYTES)
    throw new CodecError(
      'FrameTooLarge',
      `a frame of ${bytes} bytes is over the bound of ${MAX_FRAME_BYTES}`,
      facts,
    );
}

/** Bits of one native frame, PS3.5 8.1.1 and C.7.6.3.1.2 (4:2:2 shares the chrominance of two pixels). */
export function nativeFrameBits(description: ImageDescription): number {
  const { rows, columns, samplesPerPixel, bitsAllocated } = description;
  const samples = isNative422(description) ? 2 : samplesPerPixel;
  return rows * columns * samples * bitsAllocated;
}

/** Whether native bytes hold Y1 Y2 Cb Cr for two pixels. */
export function isNative422(description: ImageDescription): boolean {
  return (
    description.samplesPerPixel === 3 &&
    description.bitsAllocated === 8 &&
    /^YBR_(FULL|PARTIAL)_422$/.test(description.photometricInterpretation)
  );
}

/** 1 bit a pixel, least significant first (PS3.5 8.1.1), to a byte a pixel. */
function unpackBits(native: Uint8Array, description: ImageDescription): Uint8Array {
  const count = description.rows * description.columns * description.samplesPerPixel;
  requireLength(native, Math.ceil(count / 8));
  const pixels = new Uint8Array(count);
  for (let index = 0; index < count; index++) pixels[index] = (native[index >> 3]! >> (index & 7)) & 1;
  return pixels;
}

function spread422(native: Uint8Array, description: ImageDescription): Uint8Array {
  const pixels = description.rows * description.columns;
  // Some writers say 4:2:2 and store whole triples: the length tells.
  if (!isNative422(description) || native.length >= pixels * 3) return native;
  requireLength(native, pixels * 2);
  const out = new Uint8Array(pixels * 3);
  for (let from = 0, to = 0; to < out.length; from += 4, to += 6) {
    out[to] = native[from]!;
    out[to + 3] = native[from + 1]!;
    out[to + 1] = out[to + 4] = native[from + 2]!;
    out[to + 2] = out[to + 5] = native[from + 3]!;
  }
  return out;
}

/** Colour-by-plane to colour-by-pixel. */
function interleave(native: Uint8Array, description: ImageDescription): Uint8Array {
  const { samplesPerPixel, bitsAllocated } = description;
  const count = description.rows * description.columns;
  const width = bitsAllocated / 8;
  requireLength(native, count * samplesPerPixel * width);
  const whole = native.subarray(0, count * samplesPerPixel * width);
  if (samplesPerPixel === 1 || description.planarConfiguration === 0) return whole;
  const planes = asWords(whole, width);
  const out = asWords(new Uint8Array(whole.length), width);
  for (let sample = 0, from = 0; sample < samplesPerPixel; sample++)
    for (let pixel = 0, to = sample; pixel < count; pixel++, to += samplesPerPixel) out[to] = planes[from++]!;
  return asBytes(out);
}

/** Shifts, masks, sign-extends and narrows each sample. */
function normaliseWords(native: Uint8Array, description: ImageDescription): CanonicalFrame {
  const { bitsAllocated, bitsStored, highBit, signed } = description;
  const width = bytesPerSample(description);
  if (bitsStored === bitsAllocated) return { pixels: native, unusedBits: false };
  const words = asWords(native, bitsAllocated / 8);
  const shift = highBit + 1 - bitsStored;
  if (width === bitsAllocated / 8 && shift === 0 && isCanonical(words, bitsStored, signed, bitsAllocated))
    return { pixels: native, unusedBits: false };
  const out = asWords(new Uint8Array(words.length * width), width);
  const unusedBits = fillCanonical(words, out, description, shift);
  return { pixels: asBytes(out), unusedBits };
}

/** True when no bit outside of the stored ones differs from what canonical pixels have there. */
function isCanonical(words: Words, bitsStored: number, signed: boolean, bitsAllocated: number): boolean {
  const spare = 32 - bitsStored;
  const outer = 32 - bitsAllocated;
  let wrong = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const kept = signed ? (((word << spare) >> spare) << outer) >>> outer : (word << spare) >>> spare;
    wrong |= word ^ kept;
  }
  return wrong === 0;
}

/** Unused bits are fine when zero, or when they repeat the sign. */
function fillCanonical(words: Words, out: Words, description: ImageDescription, shift: number): boolean {
  const { bitsStored, bitsAllocated, signed } = description;
  const spare = 32 - bitsStored;
  const outer = 32 - bitsAllocated;
  const mask = bitsStored === 32 ? 0xffff_ffff : 2 ** bitsStored - 1;
  let foreign = 0;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    const value = word >>> shift;
    const kept = signed ? (value << spare) >> spare : (value & mask) >>> 0;
    out[index] = kept;
    const rest = (word ^ ((value & mask) << shift)) >>> 0;
    const extended = signed ? ((((kept << shift) ^ ((value & mask) << shift)) << outer) >>> outer) >>> 0 : 0;
    if (rest !== extended) foreign |= rest;
  }
  return foreign !== 0;
}

/** The BitsAllocated words of a frame, interleaved but not masked: for comparison with writers that fill unused bits. */
export function rawWords(native: Uint8Array, description: ImageDescription): Uint8Array {
  checkDescription(description);
  if (description.bitsAllocated === 1) return unpackBits(native, description);
  return interleave(spread422(native, description), description);
}

/** Smallest and largest sample. */
export function minMax(
  pixels: Uint8Array,
  sampleBytes: number,
  signed: boolean,
): { minPixelValue: number; maxPixelValue: number } {
  const values = asSamples(pixels, sampleBytes, signed);
  let minPixelValue = values[0] ?? 0;
  let maxPixelValue = minPixelValue;
  for (let index = 0; index < values.length; index++) {
    minPixelValue = Math.min(minPixelValue, values[index]!);
    maxPixelValue = Math.max(maxPixelValue, values[index]!);
  }
  return { minPixelValue, maxPixelValue };
}

export type Samples = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array;

/** The samples as numbers, copied only when their offset is not a multiple of their size. */
export function asSamples(pixels: Uint8Array, sampleBytes: number, signed: boolean): Samples {
  const words = asWords(pixels, sampleBytes);
  if (!signed) return words;
  const Signed = sampleBytes === 1 ? Int8Array : sampleBytes === 2 ? Int16Array : Int32Array;
  return new Signed(words.buffer as ArrayBuffer, words.byteOffset, words.length);
}

function asWords(bytes: Uint8Array, width: number): Words {
  if (width === 1) return bytes;
  const aligned = bytes.byteOffset % width === 0 ? bytes : bytes.slice();
  const Word = width === 2 ? Uint16Array : Uint32Array;
  return new Word(aligned.buffer as ArrayBuffer, aligned.byteOffset, Math.floor(aligned.byteLength / width));
}

function asBytes(words: Words): Uint8Array {
  return new Uint8Array(words.buffer, words.byteOffset, words.byteLength);
}

function exact(native: Uint8Array, bytes: number): CanonicalFrame {
  requireLength(native, bytes);
  return { pixels: native.subarray(0, bytes), unusedBits: false };
}

function requireLength(native: Uint8Array, wanted: number): void {
  if (native.length < wanted)
    throw new CodecError('FrameCorrupt', `native frame: wanted ${wanted} bytes, got ${native.length}`, {
      wanted,
      got: native.length,
    });
}
