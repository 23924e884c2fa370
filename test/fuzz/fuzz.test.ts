/** A short slice of the fuzzer, another seed each day; `node scripts/fuzz.mjs` runs as long as you like. */
import { describe, expect, it } from 'vitest';
import { hasSharedDicom, sharedDicom } from '../shared-material.ts';
import { fuzz } from './fuzz.ts';

const seed = Number(process.env.FUZZ_SEED ?? Math.floor(Date.now() / 86_400_000));

const corpus = hasSharedDicom ? sharedDicom : undefined;
const SLICES = { inspect: 300, metadata: 300, frames: 300, import: 40 };

describe('any broken object', () => {
  for (const [target, runs] of Object.entries(SLICES))
    it(`ends in a code: ${target}, seed ${seed}`, async () => {
      const report = await fuzz({ target, seed, runs, corpus });
      expect(report.findings).toEqual([]);
      expect(Object.values(report.codes).reduce((sum, count) => sum + count, 0)).toBe(runs);
      expect(report.slowest.milliseconds).toBeLessThan(25_000);
    });
});
