/**
 * The manifest's CRC32s are over native bytes as an Explicit VR Little Endian file holds them; ours are over
 * canonical pixels. Each form here is one explained difference between the two.
 */
import { rawWords } from '../../shared/pixels/canonical.ts';
import type { ImageDescription } from '../../shared/pixels/description.ts';

type Form = readonly [name: string, bytes: Uint8Array];

/** Candidates, the plain ones first. */
export function* nativeForms(
  encoded: Uint8Array,
  pixels: Uint8Array,
  description: ImageDescription,
  planar: number | null,
): Generator<Form> {
  yield ['canonical', pixels];
  if (description.bitsAllocated === 1) yield ['bits packed', packBits(pixels)];
  const widths = [description.bitsAllocated / 8];
  for (const width of widths.filter((bytes) => bytes >= 1)) {
    yield ['in BitsAllocated, sign extended', toWords(pixels, description, width, false)];
    yield ['in BitsAllocated, masked', toWords(pixels, description, width, true)];
  }
  if (planar === 1) yield ['planes', toPlanes(pixels, description)];
  if (description.photometricInterpretation.endsWith('_422')) yield ['4:2:2', to422(pixels)];
  if (isNative(description)) yield ['raw words', rawWords(encoded, description)];
}

function isNative({ transferSyntaxUID }: ImageDescription): boolean {
  return /^1\.2\.840\.10008\.1\.2(\.1|\.2|\.1\.99)?$/.test(transferSyntaxUID);
}

function packBits(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array(Math.ceil(pixels.length / 8));
  pixels.forEach((bit, index) => {
    out[index >> 3] = out[index >> 3]! | (bit << (index & 7));
  });
  return out;
}

function toWords(
  pixels: Uint8Array,
  description: ImageDescription,
  width: number,
  masked: boolean,
): Uint8Array {
  const from = description.bitsStored <= 8 ? 1 : description.bitsStored <= 16 ? 2 : 4;
  const count = pixels.length / from;
  const out = new Uint8Array(count * width);
  const [read, write] = [new DataView(pixels.buffer, pixels.byteOffset), new DataView(out.buffer)];
  for (let index = 0; index < count; index++) {
    const at = index * from;
    const value =
      from === 1 ? read.getInt8(at) : from === 2 ? read.getInt16(at, true) : read.getInt32(at, true);
    const unsigned = from === 4 ? value >>> 0 : value & (2 ** (8 * from) - 1);
    const extended = description.signed ? value : unsigned;
    const word = masked ? Number(BigInt.asUintN(description.bitsStored, BigInt(value))) : extended;
    if (width === 1) write.setUint8(index, word & 0xff);
    else if (width === 2) write.setUint16(index * 2, word & 0xffff, true);
    else write.setUint32(index * 4, word >>> 0, true);
  }
  return out;
}

function toPlanes(pixels: Uint8Array, { samplesPerPixel, bitsAllocated }: ImageDescription): Uint8Array {
  const width = bitsAllocated / 8;
  const count = pixels.length / width / samplesPerPixel;
  const out = new Uint8Array(pixels.length);
  for (let sample = 0; sample < samplesPerPixel; sample++)
    for (let pixel = 0; pixel < count; pixel++)
      for (let byte = 0; byte < width; byte++)
        out[(sample * count + pixel) * width + byte] =
          pixels[(pixel * samplesPerPixel + sample) * width + byte]!;
  return out;
}

function to422(pixels: Uint8Array): Uint8Array {
  const out = new Uint8Array((pixels.length / 3) * 2);
  for (let from = 0, to = 0; from < pixels.length; from += 6, to += 4)
    out.set([pixels[from]!, pixels[from + 3]!, pixels[from + 1]!, pixels[from + 2]!], to);
  return out;
}
