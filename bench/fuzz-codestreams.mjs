/**
 * Damaged codestreams through the codec pool; exit code 1 when one was verified wrongly, outlived its deadline, or the
 * memory at the end is more than 20 % over the start.
 *   node bench/fuzz-codestreams.mjs [inputs] [seed] [deadlineMs]
 */
import { load } from './pool.mjs';

const [inputs = 10_000, seed = 1, deadlineMs = 3_000] = process.argv.slice(2).map(Number);
const { fuzzCodestreams } = await load('test/pixels/fuzz-codestreams.ts');
const started = performance.now();
const report = await fuzzCodestreams({ inputs, seed, deadlineMs, workers: 2 });
const growth = report.residentAtEnd / report.residentAtStart;
console.log(
  JSON.stringify(
    { seed, deadlineMs, ...report, growth, seconds: (performance.now() - started) / 1000 },
    null,
    2,
  ),
);
const isGood = report.wronglyVerified.length === 0 && report.otherErrors.length === 0 && growth <= 1.2;
process.exitCode = isGood ? 0 : 1;
