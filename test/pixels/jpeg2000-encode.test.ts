/** JPEG 2000 Lossless frames that we make decode to the same pixels in OpenJPEG's own program (opj_decompress). */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalPixels } from '../../shared/pixels/canonical.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { openCodestream } from '../../shared/pixels/htj2k/codestream.ts';
import { describeImage, randomPixels } from './material.ts';
import { isInstalled, openJpegDecode, scratchFolder } from './outside-tools.ts';

const hasOpenJpeg = isInstalled('opj_decompress', 'libopenjp2-tools');
let pool: CodecPool;
let folder: string;
beforeAll(() => {
  pool = createCodecPool({ workers: 1 });
  folder = scratchFolder();
});
afterAll(async () => {
  await pool.close();
  rmSync(folder, { recursive: true, force: true });
});

const format = 'JPEG_2000_LOSSLESS';
const grey = { samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2' };
const shapes = [
  ...[1, 2, 7, 8, 9, 12, 15, 16].map((bitsStored) => ({ ...grey, bitsStored })),
  { samplesPerPixel: 3, photometricInterpretation: 'RGB', bitsStored: 8 },
  { samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL', bitsStored: 8 },
  { samplesPerPixel: 3, photometricInterpretation: 'RGB', bitsStored: 6 },
  { samplesPerPixel: 3, photometricInterpretation: 'RGB', bitsStored: 16 },
  { samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL', bitsStored: 12 },
  { samplesPerPixel: 2, photometricInterpretation: 'MONOCHROME2', bitsStored: 10 },
  { samplesPerPixel: 4, photometricInterpretation: 'CMYK', bitsStored: 8 },
];

describe.skipIf(!hasOpenJpeg)('JPEG 2000 Lossless encoding, judged by OpenJPEG', () => {
  for (const shape of shapes)
    for (const signed of [false, true])
      it(`${shape.bitsStored} bits ${signed ? 'signed' : 'unsigned'} ${shape.photometricInterpretation}`, async () => {
        const description = describeImage({ rows: 150, columns: 83, signed, ...shape });
        const pixels = randomPixels(description, shape.bitsStored);
        const made = await pool.encode(pixels, description, { format });
        expect(made.transferSyntaxUID).toBe('1.2.840.10008.1.2.4.90');
        const width = shape.bitsStored <= 8 ? 1 : 2;
        const judged = openJpegDecode(folder, made.codestream, shape.samplesPerPixel, width);
        const asNative = { ...description, bitsAllocated: width * 8 };
        expect(Buffer.compare(canonicalPixels(judged, asNative), pixels)).toBe(0);
        const { header } = openCodestream(made.codestream);
        expect(header).toMatchObject({ reversible: true, highThroughput: false });
      });

  it.each([
    [1, 1],
    [1, 300],
    [300, 1],
    [5, 7],
    [1025, 1023],
  ])('a frame of %i × %i', async (rows, columns) => {
    const description = describeImage({ rows, columns, bitsStored: 16, ...grey });
    const pixels = randomPixels(description, rows);
    const { codestream } = await pool.encode(pixels, description, { format });
    expect(Buffer.compare(openJpegDecode(folder, codestream, 1, 2), pixels)).toBe(0);
  });

  it('checksums of every level are those of the codestream', async () => {
    const description = describeImage({ rows: 300, columns: 400, bitsStored: 12, ...grey });
    const { codestream, checksums } = await pool.encode(randomPixels(description, 3), description, {
      format,
      levels: true,
    });
    expect(checksums.length).toBeGreaterThan(1);
    const proof = await pool.verify(codestream, { levels: checksums });
    expect(proof.checksums).toEqual(checksums);
  });
});

it('more than 16 bits are refused, and the next frame is right', async () => {
  const deep = describeImage({ rows: 20, columns: 20, bitsAllocated: 32, bitsStored: 24, ...grey });
  await expect(pool.encode(new Uint8Array(20 * 20 * 4), deep, { format })).rejects.toMatchObject({
    code: 'FrameUnsupported',
  });
  const next = describeImage({ rows: 20, columns: 20, bitsStored: 12, ...grey });
  await expect(pool.encode(randomPixels(next, 1), next, { format })).resolves.toBeDefined();
});
