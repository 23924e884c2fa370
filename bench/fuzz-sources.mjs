/**
 * Damaged frames of every compressed syntax through the codec pool; exit code 1 when one gave neither a whole frame
 * nor a CodecError.
 *   node bench/fuzz-sources.mjs [inputs] [seed] [deadlineMs]
 */
import { load } from './pool.mjs';

const [inputs = 5_000, seed = 1, deadlineMs = 3_000] = process.argv.slice(2).map(Number);
process.env.ISOCENTER_SHARED_DICOM ??= new URL('../../shared/dicom', import.meta.url).pathname;
const { fuzzSources } = await load('test/pixels/fuzz-sources.ts');
const report = await fuzzSources({ inputs, seed, deadlineMs });
const growth = report.residentAtEnd / report.residentAtStart;
console.log(JSON.stringify({ seed, deadlineMs, ...report, growth }, null, 2));
process.exitCode = report.wrong.length === 0 ? 0 : 1;
