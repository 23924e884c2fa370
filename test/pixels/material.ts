/** Descriptions and seeded pixels for the tests of shared/pixels. */
import type { ImageDescription } from '../../shared/pixels/description.ts';

/** A description with sensible values where none is given. */
export function describeImage(given: Partial<ImageDescription> = {}): ImageDescription {
  const bitsStored = given.bitsStored ?? 16;
  return {
    rows: 16,
    columns: 16,
    samplesPerPixel: 1,
    bitsAllocated: bitsStored === 1 ? 1 : bitsStored <= 8 ? 8 : bitsStored <= 16 ? 16 : 32,
    bitsStored,
    highBit: bitsStored - 1,
    signed: false,
    photometricInterpretation: 'MONOCHROME2',
    planarConfiguration: 0,
    frames: 1,
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    pixelKeyword: 'PixelData',
    ...given,
  };
}

/** A small reproducible generator (mulberry32): numbers in 0..1. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Canonical pixels over the whole range: smooth areas, noise, and both extremes. */
export function randomPixels(description: ImageDescription, seed = 1): Uint8Array {
  const { rows, columns, samplesPerPixel, bitsStored, signed } = description;
  const random = seeded(seed);
  const low = signed ? -(2 ** (bitsStored - 1)) : 0;
  const high = low + 2 ** bitsStored - 1;
  const values = Array.from({ length: rows * columns * samplesPerPixel }, (_, index) => {
    if (index % 97 === 0) return index % 2 ? low : high;
    const smooth = (index / (rows * columns * samplesPerPixel)) * (high - low);
    const value = Math.round(low + smooth + (random() - 0.5) * Math.min(64, high - low));
    return Math.min(Math.max(value, low), high);
  });
  const width = bitsStored <= 8 ? 1 : bitsStored <= 16 ? 2 : 4;
  const bytes = new Uint8Array(values.length * width);
  const view = new DataView(bytes.buffer);
  values.forEach((value, index) => {
    if (width === 1) view.setUint8(index, value & 0xff);
    else if (width === 2) view.setUint16(index * 2, value & 0xffff, true);
    else view.setUint32(index * 4, value >>> 0, true);
  });
  return bytes;
}
