import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asSamples, canonicalise, minMax, rawWords } from '../../shared/pixels/canonical.ts';
import { compareSamples } from '../../shared/pixels/compare.ts';
import { sampleWidth } from '../../shared/pixels/description.ts';
import { describeImage } from './material.ts';

/** A picture of single samples: how they lie in their words, and the values that they hold. */
const pictures = fc
  .record({ bitsAllocated: fc.constantFrom(8, 16, 32), signed: fc.boolean(), unusedBits: fc.boolean() })
  .chain((layout) =>
    fc.integer({ min: 1, max: layout.bitsAllocated }).chain((bitsStored) =>
      fc.record({
        ...Object.fromEntries(Object.entries(layout).map(([name, value]) => [name, fc.constant(value)])),
        bitsStored: fc.constant(bitsStored),
        highBit: fc.integer({ min: bitsStored - 1, max: layout.bitsAllocated - 1 }),
        values: fc.array(
          fc.bigInt(
            layout.signed ? -(2n ** BigInt(bitsStored - 1)) : 0n,
            layout.signed ? 2n ** BigInt(bitsStored - 1) - 1n : 2n ** BigInt(bitsStored) - 1n,
          ),
          { minLength: 1, maxLength: 20 },
        ),
        rubbish: fc.bigInt(0n, 2n ** 32n - 1n),
      }),
    ),
  ) as fc.Arbitrary<{
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  signed: boolean;
  unusedBits: boolean;
  values: bigint[];
  rubbish: bigint;
}>;

function nativeBytes(picture: {
  bitsAllocated: number;
  bitsStored: number;
  highBit: number;
  unusedBits: boolean;
  values: bigint[];
  rubbish: bigint;
}): Uint8Array {
  const width = picture.bitsAllocated / 8;
  const shift = BigInt(picture.highBit + 1 - picture.bitsStored);
  const mask = (2n ** BigInt(picture.bitsStored) - 1n) << shift;
  const bytes = new Uint8Array(picture.values.length * width);
  picture.values.forEach((value, index) => {
    const stored =
      (BigInt.asUintN(picture.bitsStored, value) << shift) |
      (picture.unusedBits ? picture.rubbish & ~mask : 0n);
    for (let byte = 0; byte < width; byte++)
      bytes[index * width + byte] = Number((stored >> BigInt(8 * byte)) & 0xffn);
  });
  return bytes;
}

describe('canonical pixels', () => {
  it('are the values, wherever the stored bits lie and whatever the others hold', () => {
    fc.assert(
      fc.property(pictures, (picture) => {
        const { values, unusedBits, rubbish, ...layout } = picture;
        const description = describeImage({ ...layout, rows: 1, columns: values.length });
        const { pixels } = canonicalise(nativeBytes(picture), description);
        const samples = asSamples(pixels, sampleWidth(picture.bitsStored), picture.signed);
        expect([...samples].map(BigInt)).toEqual(values);
      }),
      { numRuns: 500 },
    );
  });

  it('say whether bits outside of the stored ones were set', () => {
    const description = describeImage({ rows: 1, columns: 2, bitsStored: 12, bitsAllocated: 16 });
    const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);
    expect(canonicalise(words(0x0fff, 0x0001), description).unusedBits).toBe(false);
    expect(canonicalise(words(0xffff, 0x0001), description).unusedBits).toBe(true);
    const signed = { ...description, signed: true };
    expect(canonicalise(words(0xffff, 0x0001), signed).unusedBits, 'the sign repeated').toBe(false);
    expect(canonicalise(words(0x0fff, 0x0001), signed).unusedBits, 'zeros above a negative value').toBe(
      false,
    );
    expect(canonicalise(words(0x7fff, 0x0001), signed).unusedBits).toBe(true);
  });

  it('share memory with the file when nothing has to change', () => {
    const native = new Uint8Array(32);
    expect(canonicalise(native, describeImage({ rows: 4, columns: 4 })).pixels.buffer).toBe(native.buffer);
  });

  it('have a smallest and a largest value, signed or not', () => {
    const bytes = new Uint8Array(Int16Array.of(-5, 7, 0).buffer);
    expect(minMax(bytes, 2, true)).toEqual({ minPixelValue: -5, maxPixelValue: 7 });
    expect(minMax(bytes, 2, false)).toEqual({ minPixelValue: 0, maxPixelValue: 65_531 });
  });

  it.each([
    [{ bitsAllocated: 12, bitsStored: 12 }],
    [{ bitsStored: 17, bitsAllocated: 16 }],
    [{ highBit: 3 }],
    [{ rows: 0 }],
    [{ samplesPerPixel: 5 }],
    [{ columns: 65_536 }],
    [{ rows: 65_535, columns: 65_535 }],
  ])('are refused for an impossible description %j', (wrong) => {
    expect(() => canonicalise(new Uint8Array(100), describeImage(wrong))).toThrowError(
      expect.objectContaining({ name: 'CodecError' }),
    );
  });
});

describe('the comparison with a source', () => {
  const shape = { rows: 1, columns: 3, samplesPerPixel: 1 };
  const words = (...values: number[]) => new Uint8Array(Uint16Array.from(values).buffer);

  it('takes equal values in containers of other widths as equal', () => {
    const stored = { ...shape, pixels: words(1, 2, 255), precision: 16, signed: false };
    const source = { ...shape, pixels: Uint8Array.of(1, 2, 255), bitsStored: 8, signed: false };
    expect(compareSamples(stored, source, { exact: true })).toEqual({ source: 'equal' });
  });

  it('tells a frame that holds the raw words of a file with unused bits', () => {
    const description = describeImage({ ...shape, bitsStored: 12, bitsAllocated: 16 });
    const native = words(0xf001, 2, 3);
    const { pixels } = canonicalise(native, description);
    const stored = { ...shape, pixels: native, precision: 16, signed: false };
    const source = { ...shape, pixels, bitsStored: 12, signed: false };
    const raw = () => rawWords(native, description);
    expect(compareSamples(stored, source, { exact: true, raw }).source).toBe('equalRaw');
    expect(compareSamples(stored, source, { exact: true }).source).toBe('differs');
  });

  it('forgives lossy sources a little, exact ones nothing', () => {
    const stored = { ...shape, pixels: Uint8Array.of(10, 20, 30), precision: 8, signed: false };
    const near = { ...shape, pixels: Uint8Array.of(11, 20, 28), bitsStored: 8, signed: false };
    const far = { ...near, pixels: Uint8Array.of(11, 20, 90) };
    expect(compareSamples(stored, near, { exact: false })).toEqual({
      source: 'withinTolerance',
      maxDifference: 2,
    });
    expect(compareSamples(stored, near, { exact: true }).source).toBe('differs');
    expect(compareSamples(stored, far, { exact: false }).source).toBe('differs');
  });

  it('sees exchanged rows and columns', () => {
    const stored = { ...shape, pixels: Uint8Array.of(1, 1, 1), precision: 8, signed: false };
    const source = {
      ...shape,
      rows: 3,
      columns: 1,
      pixels: Uint8Array.of(1, 1, 1),
      bitsStored: 8,
      signed: false,
    };
    expect(compareSamples(stored, source, { exact: false })).toEqual({ source: 'differs' });
  });
});
