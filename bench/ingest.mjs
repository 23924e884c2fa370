/**
 * The whole local ingest of generated CT slices (512 × 512, 16 bits), from the command line to the report, beside the
 * codec limit of the same cores in the same run: a bare loop over the codec pool that encodes each slice and decodes
 * it twice with its CRCs, as the server and the proof must.
 *
 *   node bench/ingest.mjs [--slices 1000] [--bare 300]
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildAll } from '../scripts/build.mjs';
import { bin, clientsOf, loadSource, startWorldProcess } from '../test/e2e/world-process.mjs';
import { byStage, sampleCpu, stateTimes } from './stage-cpu.mjs';

const { values } = parseArgs({
  options: { slices: { type: 'string', default: '1000' }, bare: { type: 'string', default: '300' } },
});
const slices = Number(values.slices);
const bareSlices = Math.min(Number(values.bare), slices);
const MATRIX = { rows: 512, columns: 512 };
const DESCRIPTION = {
  ...MATRIX,
  samplesPerPixel: 1,
  bitsAllocated: 16,
  bitsStored: 16,
  highBit: 15,
  signed: true,
  photometricInterpretation: 'MONOCHROME2',
  planarConfiguration: 0,
  frames: 1,
  transferSyntaxUID: '1.2.840.10008.1.2.1',
  pixelKeyword: 'PixelData',
};

await buildAll();
const { ctInstance } = await loadSource('local/demo/series.ts');
const { writeP10 } = await loadSource('shared/dicom/write.ts');
const { createCodecPool } = await loadSource('shared/pixels/codec-pool.ts');
const folder = await mkdtemp(join(tmpdir(), 'isocenter-bench-'));
try {
  const frames = await generate(join(folder, 'slices'));
  const bare = await bareLoop(frames);
  const whole = await ingest(folder);
  const result = {
    slices,
    cores: availableParallelism(),
    node: process.version,
    bareSlicesPerSecond: round(bare.slicesPerSecond),
    ingestSlicesPerSecond: round(slices / whole.seconds),
    ratio: round(slices / whole.seconds / bare.slicesPerSecond, 3),
    seconds: round(whole.seconds),
    timings: whole.timings,
    cpu: {
      bareForAll: round(slices * bare.cpuSecondsPerSlice),
      world: whole.worldCpu,
      command: whole.cliCpu,
      stages: whole.stages,
    },
    peakMemoryMB: { world: whole.worldPeakMB, cli: whole.cliPeakMB },
  };
  console.log(JSON.stringify(result, null, 2));
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Writes the slices, four series of one study, and keeps the pixels of the first few for the bare loop. */
async function generate(into) {
  await mkdir(into, { recursive: true });
  const patient = { id: 'BENCH-1', name: 'PHANTOM^BENCH', birthDate: '19700101', sex: 'O' };
  const frames = [];
  for (let n = 0; n < slices; n += 1) {
    const place = { patient, study: 'bench', series: `ct${n % 4}`, description: 'Bench', instance: n + 1 };
    const instance = ctInstance(place, MATRIX, (n % 250) / 250, n + 1);
    if (frames.length < bareSlices) frames.push(instance.pixelData);
    await writeFile(join(into, `${String(n).padStart(5, '0')}.dcm`), writeP10(instance));
  }
  return frames;
}

/** Slices a second: encode, decode back, decode again, CRC each; every worker busy, nothing else to do. */
async function bareLoop(frames) {
  const pool = createCodecPool();
  const one = async (pixels) => {
    const { codestream } = await pool.transcode(pixels, DESCRIPTION.transferSyntaxUID, DESCRIPTION);
    await pool.verify(codestream);
  };
  await Promise.all(frames.slice(0, 8).map(one)); // the workers' start is not part of the limit
  const started = performance.now();
  const cpuBefore = process.cpuUsage();
  await Promise.all(frames.map(one));
  const elapsed = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  await pool.close();
  return {
    slicesPerSecond: frames.length / elapsed,
    cpuSecondsPerSlice: (user + system) / 1e6 / frames.length,
  };
}

async function ingest(into) {
  const data = join(into, 'data');
  const running = await startWorldProcess(data);
  try {
    const started = performance.now();
    const from = Date.now();
    const sampled = sampleCpu(running.world.pid);
    const cli = spawn(process.execPath, [bin, 'ingest', join(into, 'slices'), '--json', '--data', data], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let document = '';
    cli.stdout.on('data', (chunk) => {
      document += chunk;
    });
    const cliSampled = sampleCpu(cli.pid);
    let cliPeakMB = 0;
    const sampling = setInterval(async () => {
      cliPeakMB = Math.max(cliPeakMB, await peakMB(cli.pid));
    }, 500);
    const code = await new Promise((resolve) => cli.once('close', resolve));
    clearInterval(sampling);
    const seconds = (performance.now() - started) / 1000;
    if (code !== 0) throw new Error(`isocenter ingest ended with ${code}`);
    const samples = await sampled.stop();
    const cliSamples = await cliSampled.stop();
    const { sfn } = clientsOf(running.world);
    const times = await stateTimes(sfn, running.world.stateMachineArns.ingest);
    const report = JSON.parse(document);
    if (report.counts.ingested !== slices || report.frames.verified !== slices)
      throw new Error(`not all proven: ${JSON.stringify(report.counts)} ${JSON.stringify(report.frames)}`);
    return {
      seconds,
      timings: report.timings,
      worldCpu: round(samples.at(-1).seconds - samples[0].seconds),
      cliCpu: round(cliSamples.at(-1).seconds),
      stages: byStage(samples, times, from, Date.now()),
      worldPeakMB: await peakMB(running.world.pid),
      cliPeakMB,
    };
  } finally {
    await running.stop();
  }
}

/** Highest resident memory of a process so far (Linux), 0 where it is not known. */
async function peakMB(pid) {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Math.round(Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
}

function round(value, digits = 1) {
  return Number(value.toFixed(digits));
}
