/** What we encode decodes to the same pixels in a decoder of another family (opj_decompress). */
import { rmSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canonicalPixels } from '../../shared/pixels/canonical.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { openCodestream, tileParts } from '../../shared/pixels/htj2k/codestream.ts';
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

const depths = [1, 2, 7, 8, 9, 10, 12, 15, 16];
const layouts = [
  { samplesPerPixel: 1, photometricInterpretation: 'MONOCHROME2' },
  { samplesPerPixel: 2, photometricInterpretation: 'MONOCHROME2' },
  { samplesPerPixel: 3, photometricInterpretation: 'RGB' },
  { samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL' },
  { samplesPerPixel: 4, photometricInterpretation: 'CMYK' },
];

describe.skipIf(!hasOpenJpeg)('HTJ2K encoding, judged by OpenJPEG', () => {
  for (const bitsStored of depths)
    for (const signed of [false, true])
      for (const layout of layouts)
        it(`${bitsStored} bits ${signed ? 'signed' : 'unsigned'} ${layout.photometricInterpretation} × ${layout.samplesPerPixel}`, async () => {
          const description = describeImage({ rows: 150, columns: 83, bitsStored, signed, ...layout });
          const pixels = randomPixels(description, bitsStored * 7 + layout.samplesPerPixel);
          const { codestream } = await pool.encode(pixels, description);
          const width = bitsStored <= 8 ? 1 : 2;
          const judged = openJpegDecode(folder, codestream, layout.samplesPerPixel, width);
          // opj_decompress writes signed samples masked to their precision: canonicalised as such a file would be.
          expect(
            Buffer.compare(canonicalPixels(judged, { ...description, bitsAllocated: width * 8 }), pixels),
          ).toBe(0);
          const { header } = openCodestream(codestream);
          expect(header).toMatchObject({
            progression: 'RPCL',
            reversible: true,
            hasTlm: true,
            decompositions: 2,
          });
          expect(tileParts(openCodestream(codestream))).toHaveLength(3);
        });

  it.each([
    [1, 3000],
    [3000, 1],
    [2, 700],
    [1025, 1023],
  ])('a frame of %i × %i with three components of 16 bits', async (rows, columns) => {
    const layout = { samplesPerPixel: 3, photometricInterpretation: 'YBR_FULL' };
    const description = describeImage({ rows, columns, bitsStored: 16, ...layout });
    const pixels = randomPixels(description, rows);
    const { codestream } = await pool.encode(pixels, description);
    expect(Buffer.compare(openJpegDecode(folder, codestream, 3, 2), pixels)).toBe(0);
  });
});
