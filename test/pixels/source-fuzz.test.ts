import { expect, it } from 'vitest';
import { hasSharedDicom } from '../shared-material.ts';
import { fuzzSources } from './fuzz-sources.ts';

it.skipIf(!hasSharedDicom)(
  'gives a whole frame or a refusal for every damaged frame of every syntax (130 inputs, seed 77)',
  async () => {
    const report = await fuzzSources({ inputs: 130, seed: 77, deadlineMs: 4_000 });
    expect(report.wrong).toEqual([]);
  },
  120_000,
);
