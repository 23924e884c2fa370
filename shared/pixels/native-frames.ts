/** Frames of native pixel data, each read by its own range, in the byte and bit order of Explicit VR Little Endian. */
import type { ByteSource } from '../dicom/byte-source.ts';
import { isNative422, nativeFrameBits } from './canonical.ts';
import type { ImageDescription } from './description.ts';
import { truncated } from './fragments.ts';

export interface NativePixels {
  readonly source: ByteSource;
  readonly start: number;
  readonly lengthBytes: number;
  readonly vr: string;
  readonly littleEndian: boolean;
  readonly description: ImageDescription;
}

/** Checks the length of the whole element, then gives a reader of single frames. Throws PixelDataTruncated. */
export function nativeFrameReader(pixels: NativePixels): (index: number) => Promise<Uint8Array> {
  const { description, source, start } = pixels;
  const available = Math.min(pixels.lengthBytes, source.sizeBytes - start);
  const frameBits = effectiveFrameBits(description, available);
  const wanted = Math.ceil((frameBits * description.frames) / 8);
  if (available < wanted) throw truncated('the pixel values are cut short', wanted, available);
  const word = swappedWordBytes(pixels);
  return async (index) => {
    const [firstBit, endBit] = [index * frameBits, (index + 1) * frameBits];
    const from = floorTo(Math.floor(firstBit / 8), word);
    const to = Math.min(ceilTo(Math.ceil(endBit / 8), word), available);
    const bytes = await source.read(start + from, start + to);
    if (bytes.length < to - from) throw truncated('the source ends early', to - from, bytes.length);
    const ordered = word > 1 ? swapWords(bytes, word) : bytes;
    return takeBits(ordered, firstBit - from * 8, frameBits);
  };
}

/** Some writers name YBR_FULL_422 and store three samples a pixel: only the length can tell. */
function effectiveFrameBits(description: ImageDescription, available: number): number {
  const whole =
    description.rows * description.columns * description.samplesPerPixel * description.bitsAllocated;
  const isWhole = isNative422(description) && available >= (whole * description.frames) / 8;
  return isWhole ? whole : nativeFrameBits(description);
}

/** Bytes of the words to swap in Explicit VR Big Endian (PS3.5 7.3): OW holds 16-bit words whatever a pixel takes. */
function swappedWordBytes({ littleEndian, vr }: NativePixels): number {
  if (littleEndian) return 1;
  return { OW: 2, OF: 4, OL: 4, OD: 8, OV: 8 }[vr] ?? 1;
}

function swapWords(bytes: Uint8Array, word: number): Uint8Array {
  const out = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += word)
    for (let byte = 0; byte < word; byte++) out[at + byte] = bytes[at + word - 1 - byte] ?? 0;
  return out;
}

/** The frame's own bits, from bit 0 of byte 0 on; PS3.5 8.1.1 lets 1-bit frames start within a byte. */
function takeBits(bytes: Uint8Array, firstBit: number, bits: number): Uint8Array {
  const offset = firstBit >> 3;
  const shift = firstBit & 7;
  const length = Math.ceil(bits / 8);
  if (shift === 0 && bits % 8 === 0) return bytes.subarray(offset, offset + length);
  const out = new Uint8Array(length);
  for (let index = 0; index < length; index++) {
    const pair = bytes[offset + index]! | ((bytes[offset + index + 1] ?? 0) << 8);
    out[index] = pair >> shift;
  }
  const spare = bits % 8;
  if (spare) out[length - 1] = out[length - 1]! & (2 ** spare - 1);
  return out;
}

const floorTo = (value: number, word: number) => value - (value % word);
const ceilTo = (value: number, word: number) => floorTo(value + word - 1, word);
