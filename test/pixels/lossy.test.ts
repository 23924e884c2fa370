/** Lossy files: within a tolerance of the independent decoder's statistics, and exactly its YBR where it kept YBR. */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { asSamples } from '../../shared/pixels/canonical.ts';
import { type CodecPool, createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { openFrames } from '../../shared/pixels/frames.ts';
import { hasSharedDicom, readManifest, readShared } from '../shared-material.ts';

let pool: CodecPool;
beforeAll(() => {
  pool = createCodecPool({ workers: 2 });
});
afterAll(() => pool.close());

const files = hasSharedDicom ? readManifest().files : [];
const lossy = files.filter((file) => file.truth && !file.truth.exact);

async function decodeAll(path: string) {
  const frames = await openFrames(await readP10(bufferSource(readShared(path))));
  const { description } = frames;
  const decoded = [];
  for (let index = 0; index < frames.frameCount; index++)
    decoded.push(
      await pool.decode(await frames.encodedFrame(index), description.transferSyntaxUID, description),
    );
  return { description, decoded };
}

function statistics(blocks: { pixels: Uint8Array; bitsStored: number; signed: boolean }[]) {
  let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
  for (const { pixels, bitsStored, signed } of blocks)
    for (const value of asSamples(pixels, bitsStored <= 8 ? 1 : 2, signed)) {
      min = Math.min(min, value);
      max = Math.max(max, value);
      sum += value;
      count++;
    }
  return { min, max, mean: sum / count };
}

describe.skipIf(!hasSharedDicom)('lossy files of the shared material', () => {
  for (const file of lossy)
    it(`${file.path} is as ${file.truth?.decoder} decodes it`, async () => {
      const { description, decoded } = await decodeAll(file.path);
      const truth = file.truth!;
      const kept = truth.withoutColourConversion?.framesCrc32;
      const sums = decoded.map((frame) => crc32(frame.pixels));
      if (kept) return expect(sums).toEqual(kept);
      expect(decoded.length).toBe(truth.framesCrc32.length);
      const { min, max, mean } = statistics(decoded);
      const slack = 2 ** Math.max(0, description.bitsStored - 8) + 1;
      expect(Math.abs(min - truth.min), `min ${min}, wanted ${truth.min}`).toBeLessThanOrEqual(slack);
      expect(Math.abs(max - truth.max), `max ${max}, wanted ${truth.max}`).toBeLessThanOrEqual(slack);
      expect(Math.abs(mean - truth.mean), `mean ${mean}, wanted ${truth.mean}`).toBeLessThan(0.1);
    });
});
