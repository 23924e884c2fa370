/**
 * Verification of stored frames (parse, decode, CRC-32, judge) in our pool, against a bare decode + CRC loop of the
 * same codec in as many threads, and against native OpenJPH where `ojph_expand` is installed. Ratios come from one
 * run; on a busy machine read those by CPU. Then the memory over many frames.
 *   node bench/verify.mjs [seconds per cell] [frames for the memory run]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bareWorkers } from './bare-decode.mjs';
import { load } from './pool.mjs';
import { description, MATERIAL, pixels } from './verify-material.mjs';

const [seconds = 2, memoryFrames = 10_000] = process.argv.slice(2).map(Number);
const { createCodecPool } = await load('shared/pixels/codec-pool.ts');

/** Frames of about the given time, their rate, and CPU milliseconds of the process a frame. */
async function measure(runBatch, batch) {
  let frames = 0;
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  while (performance.now() - started < seconds * 1000) {
    await runBatch();
    frames += batch;
  }
  const { user, system } = process.cpuUsage(cpu);
  return { rate: frames / ((performance.now() - started) / 1000), cpuMs: (user + system) / 1000 / frames };
}

async function encoded(image, canonical) {
  const pool = createCodecPool({ workers: 1 });
  const { codestream, checksums } = await pool.encode(canonical, image);
  await pool.close();
  return { codestream, checksums };
}

/**
 * Native OpenJPH's own clock, milliseconds a frame, amortised: the frames lie below each other in one picture, and the
 * result is thrown away. Undefined when it is not installed.
 */
async function nativeMs(material) {
  const image = description(material);
  const frames = Math.max(1, Math.floor(4_000_000 / (image.rows * image.columns)));
  const one = pixels(material);
  const stacked = new Uint8Array(Buffer.concat(Array.from({ length: frames }, () => one)));
  const { codestream } = await encoded({ ...image, rows: image.rows * frames }, stacked);
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
  const input = join(folder, 'frame.j2c');
  const output = join(folder, image.samplesPerPixel === 3 ? 'frame.ppm' : 'frame.pgm');
  writeFileSync(input, codestream);
  symlinkSync('/dev/null', output);
  const options = { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] };
  const expand = () =>
    Number(
      /Elapsed time = ([\d.]+)/.exec(execFileSync('ojph_expand', ['-i', input, '-o', output], options))?.[1],
    );
  try {
    return (Math.min(...Array.from({ length: 7 }, expand)) * 1000) / frames;
  } catch {
    return undefined;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const cell = ({ rate, cpuMs }) => `${rate.toFixed(0).padStart(6)}/s ${cpuMs.toFixed(3).padStart(7)} ms CPU`;

for (const [name, material] of Object.entries(MATERIAL)) {
  const { codestream } = await encoded(description(material), pixels(material));
  const megapixels = (material.image.rows * material.image.columns) / 1e6;
  const batch = Math.max(4, Math.round(2 / megapixels));
  console.log(`${name}, ${codestream.length} bytes`);
  for (const workers of [1, 2, 4]) {
    const threads = await bareWorkers(workers, Array(batch).fill(codestream));
    const bare = await measure(threads.round, batch * workers);
    await threads.close();
    const pool = createCodecPool({ workers });
    const run = () => Promise.all(Array.from({ length: batch * workers }, () => pool.verify(codestream)));
    await run();
    const ours = await measure(run, batch * workers);
    await pool.close();
    const ratios = `${(ours.rate / bare.rate).toFixed(2)} by clock, ${(bare.cpuMs / ours.cpuMs).toFixed(2)} by CPU`;
    console.log(`  ${workers} workers  bare ${cell(bare)}  pool ${cell(ours)}  ${ratios}`);
  }
  const native = await nativeMs(material);
  console.log(native ? `  native OpenJPH ${native.toFixed(3)} ms` : '  native OpenJPH: not installed');
}

const small = { image: { rows: 128, columns: 128, bitsStored: 12 } };
const { codestream, checksums } = await encoded(description(small), pixels(small));
const pool = createCodecPool({ workers: 2 });
let wrong = 0;
const resident = [];
for (let done = 0; done <= memoryFrames; done += 50) {
  if (done % (memoryFrames / 10) === 0) resident.push((process.memoryUsage.rss() / 2 ** 20).toFixed(0));
  const proofs = await Promise.all(Array.from({ length: 50 }, () => pool.verify(codestream)));
  wrong += proofs.filter((proof) => proof.crc32 !== checksums[0].Checksum).length;
}
await pool.close();
console.log(`${memoryFrames} frames, ${wrong} wrong; resident MiB at every tenth: ${resident.join(' ')}`);
