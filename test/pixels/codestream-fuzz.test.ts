import { expect, it } from 'vitest';
import { fuzzCodestreams } from './fuzz-codestreams.ts';

it('verifies no damaged codestream wrongly, and reports each (300 inputs, seed 6001)', async () => {
  const report = await fuzzCodestreams({ inputs: 300, seed: 6001, deadlineMs: 5_000, workers: 1 });
  expect(report).toMatchObject({ wronglyVerified: [], otherErrors: [] });
  const refused = Object.values(report.refused).reduce((sum, count) => sum + count, 0);
  expect(report.equal + report.mismatched + refused).toBe(300);
}, 120_000);
