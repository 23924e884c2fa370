/** Frames out of P10 objects, in every way that pixel data may lie there. */
import { describe, expect, it } from 'vitest';
import { type ByteSource, bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { type WriteP10, writeP10 } from '../../shared/dicom/write.ts';
import { canonicalPixels } from '../../shared/pixels/canonical.ts';
import { openFrames } from '../../shared/pixels/frames.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const JPEG = '1.2.840.10008.1.2.4.50';
const RLE = '1.2.840.10008.1.2.5';

interface Image {
  rows?: number;
  columns?: number;
  samples?: number;
  bits?: number;
  frames?: number;
  photometric?: string;
  planar?: 0 | 1;
}

function object(transferSyntaxUID: string, pixelData: WriteP10['pixelData'], image: Image = {}): Uint8Array {
  const bits = image.bits ?? 8;
  return writeP10({
    transferSyntaxUID,
    ...(pixelData && { pixelData }),
    elements: {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
      SOPInstanceUID: '2.25.1',
      SamplesPerPixel: image.samples ?? 1,
      PhotometricInterpretation: image.photometric ?? 'MONOCHROME2',
      ...(image.planar !== undefined && { PlanarConfiguration: image.planar }),
      ...(image.frames && { NumberOfFrames: String(image.frames) }),
      Rows: image.rows ?? 1,
      Columns: image.columns ?? 2,
      BitsAllocated: bits,
      BitsStored: bits,
      HighBit: bits - 1,
      PixelRepresentation: 0,
    },
  });
}

async function framesOf(bytes: Uint8Array): Promise<number[][]> {
  const source = await openFrames(await readP10(bufferSource(bytes)));
  const frames = [];
  for (let index = 0; index < source.frameCount; index++)
    frames.push([...(await source.encodedFrame(index))]);
  return frames;
}

describe('native frames', () => {
  it('cuts frames of odd length, whose end need not be padded each', async () => {
    const bytes = object(EXPLICIT, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), { columns: 3, frames: 3 });
    expect(await framesOf(bytes)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 9],
    ]);
  });

  it('moves 1-bit frames that start within a byte to bit 0', async () => {
    const bytes = object(EXPLICIT, Uint8Array.of(0b10110101, 0b00000110), { columns: 5, bits: 1, frames: 2 });
    expect(await framesOf(bytes)).toEqual([[0b10101], [0b10101]]);
    const source = await openFrames(await readP10(bufferSource(bytes)));
    const pixels = canonicalPixels(await source.encodedFrame(1), source.description);
    expect([...pixels]).toEqual([1, 0, 1, 0, 1]);
  });

  it('gives big endian words in little endian', async () => {
    const bytes = object(BIG_ENDIAN, Uint8Array.of(1, 2, 3, 4), { bits: 16 });
    expect(await framesOf(bytes)).toEqual([[1, 2, 3, 4]]);
  });

  it('gives 8-bit pixels in big endian OW words in order, frames of odd length too', async () => {
    const whole = object(BIG_ENDIAN, Uint8Array.of(1, 2, 3, 4, 5, 6), { columns: 3, frames: 2 });
    const swapped = asOw(whole, [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]);
    expect(await framesOf(swapped)).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ]);
  });

  it('reads only the ranges of the frame that is asked for', async () => {
    const size = 512 * 512;
    const inner = bufferSource(
      object(EXPLICIT, new Uint8Array(size * 20), { rows: 512, columns: 512, frames: 20 }),
    );
    let read = 0;
    const counting: ByteSource = {
      sizeBytes: inner.sizeBytes,
      read(start, end) {
        read += end - start;
        return inner.read(start, end);
      },
    };
    const source = await openFrames(await readP10(counting));
    const before = read;
    await source.encodedFrame(13);
    expect(read - before).toBe(size);
    expect(before).toBeLessThan(200_000);
  });

  it.each([
    ['one frame short', new Uint8Array(10), { columns: 6, frames: 2 }],
    ['a million frames without values', new Uint8Array(2), { rows: 512, columns: 512, frames: 1_000_000 }],
    ['huge planes without values', new Uint8Array(2), { rows: 65_535, columns: 65_535, bits: 16 }],
  ])('refuses %s before allocating', async (_name, values, image) => {
    const p10 = readP10(bufferSource(object(EXPLICIT, values, image)));
    await expect(p10.then(openFrames)).rejects.toMatchObject({ name: 'DicomError' });
  });

  it('spreads native 4:2:2 to a triple a pixel', async () => {
    const image = { samples: 3, photometric: 'YBR_FULL_422', planar: 0 as const, columns: 4 };
    const bytes = object(EXPLICIT, Uint8Array.of(1, 2, 9, 8, 3, 4, 7, 6), image);
    const source = await openFrames(await readP10(bufferSource(bytes)));
    const pixels = canonicalPixels(await source.encodedFrame(0), source.description);
    expect([...pixels]).toEqual([1, 9, 8, 2, 9, 8, 3, 7, 6, 4, 7, 6]);
  });

  it('interleaves planes', async () => {
    const image = { samples: 3, photometric: 'RGB', planar: 1 as const };
    const source = await openFrames(
      await readP10(bufferSource(object(EXPLICIT, Uint8Array.of(1, 2, 3, 4, 5, 6), image))),
    );
    expect([...canonicalPixels(await source.encodedFrame(0), source.description)]).toEqual([
      1, 3, 5, 2, 4, 6,
    ]);
  });
});

/** A frame that looks like JPEG to the marker search. */
const jpeg = (...inner: number[]) => [0xff, 0xd8, ...inner, 0xff, 0xd9];

function encapsulated(
  fragments: number[][],
  frames: number,
  offsetTable?: number[],
  syntax = JPEG,
): Uint8Array {
  const data = {
    fragments: fragments.map((bytes) => Uint8Array.from(bytes)),
    ...(offsetTable && { offsetTable }),
  };
  return object(syntax, data, { frames });
}

describe('encapsulated frames', () => {
  const [first, second] = [jpeg(1, 2), jpeg(3, 4)];

  it('takes one fragment a frame without a table', async () => {
    expect(await framesOf(encapsulated([first, second], 2))).toEqual([first, second]);
  });

  it('joins the fragments of a single frame', async () => {
    expect(await framesOf(encapsulated([first.slice(0, 4), first.slice(4)], 1))).toEqual([first]);
  });

  it('reads the many fragments of a frame in one range', async () => {
    const fragments = Array.from({ length: 500 }, (_, index) => [index & 0xff, 1]);
    const inner = bufferSource(encapsulated(fragments, 1));
    const reads: number[] = [];
    const read = (start: number, end: number) => {
      reads.push(end - start);
      return inner.read(start, end);
    };
    const source = await openFrames(await readP10({ sizeBytes: inner.sizeBytes, read }));
    reads.length = 0;
    expect([...(await source.encodedFrame(0))]).toEqual(fragments.flat());
    expect(reads).toHaveLength(1);
  });

  it('groups fragments by the offset table', async () => {
    const bytes = encapsulated(
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      2,
      [0, 20],
      RLE,
    );
    expect(await framesOf(bytes)).toEqual([
      [1, 2, 3, 4],
      [5, 6],
    ]);
  });

  it.each([
    ['points into a fragment', [0, 11]],
    ['points past the end', [0, 4_000_000_000]],
    ['runs backwards', [20, 0]],
    ['repeats itself', [0, 0]],
  ])('goes by the markers when the offset table %s', async (_name, table) => {
    const fragments = [first.slice(0, 4), first.slice(4), second];
    expect(await framesOf(encapsulated(fragments, 2, table))).toEqual([first, second]);
  });

  it('cuts one fragment that holds all frames', async () => {
    expect(await framesOf(encapsulated([[...first, ...second]], 2))).toEqual([first, second]);
  });

  it('refuses more frames than there are', async () => {
    await expect(framesOf(encapsulated([first, second], 1_000_000))).rejects.toMatchObject({
      code: 'PixelDataTruncated',
    });
  });

  it('refuses fragments of a syntax without markers that fit no count', async () => {
    await expect(
      framesOf(
        encapsulated(
          [
            [1, 2],
            [3, 4],
            [5, 6],
          ],
          2,
          undefined,
          RLE,
        ),
      ),
    ).rejects.toMatchObject({
      facts: { wanted: 2, got: 3 },
    });
  });
});

/** The same object with VR OW and the value bytes replaced: what 8-bit pixels in big endian look like. */
function asOw(bytes: Uint8Array, from: number[], to: number[]): Uint8Array {
  const at = Buffer.from(bytes).lastIndexOf(Buffer.from(from));
  const out = new Uint8Array(bytes);
  out.set(to, at);
  const vr = Buffer.from(out).lastIndexOf('OB', at);
  out[vr + 1] = 'W'.charCodeAt(0);
  return out;
}
