/**
 * Verification of stored frames (parse, decode, CRC-32, judge) in our pool, against a bare decode + CRC loop of the
 * same codec in this thread and against native OpenJPH where `ojph_expand` is installed. Ratios come from one run;
 * on a busy machine read those by CPU. Then the memory over many frames.
 *   node bench/verify.mjs [seconds per cell] [frames for the memory run]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { load } from './pool.mjs';

const [seconds = 2, memoryFrames = 10_000] = process.argv.slice(2).map(Number);
const { createCodecPool } = await load('shared/pixels/codec-pool.ts');
const { describeImage, randomPixels } = await load('test/pixels/material.ts');
const openJph = await createRequire(import.meta.url)('@cornerstonejs/codec-openjph')({
  print() {},
  printErr() {},
});

const rgb = { samplesPerPixel: 3, photometricInterpretation: 'RGB', bitsStored: 8 };
const MATERIAL = {
  'CT 512 × 512 × 16': { rows: 512, columns: 512, bitsStored: 16, signed: true },
  'MR 256 × 256 × 12': { rows: 256, columns: 256, bitsStored: 12 },
  'CR 2048 × 2500 × 10': { rows: 2500, columns: 2048, bitsStored: 10 },
  'US RGB 640 × 480': { rows: 480, columns: 640, ...rgb },
  'multi-frame 64 × 64 × 12': { rows: 64, columns: 64, bitsStored: 12 },
};

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

function bareDecode(codestream) {
  const decoder = new openJph.HTJ2KDecoder();
  decoder.getEncodedBuffer(codestream.length).set(codestream);
  decoder.decode();
  const sum = crc32(decoder.getDecodedBuffer());
  decoder.delete();
  return sum;
}

const folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));

/** Native OpenJPH's own clock, milliseconds a frame; undefined when it is not installed. */
function nativeMs(codestream, description) {
  const input = join(folder, 'frame.j2c');
  const output = join(folder, description.samplesPerPixel === 3 ? 'frame.ppm' : 'frame.pgm');
  writeFileSync(input, codestream);
  try {
    const times = Array.from({ length: 5 }, () =>
      Number(
        /Elapsed time = ([\d.]+)/.exec(
          execFileSync('ojph_expand', ['-i', input, '-o', output], {
            encoding: 'utf8',
            stdio: ['ignore', 'pipe', 'ignore'],
          }),
        )?.[1],
      ),
    );
    return Math.min(...times) * 1000;
  } catch {
    return undefined;
  }
}

const cell = ({ rate, cpuMs }, bare) =>
  `${rate.toFixed(0).padStart(6)}/s ${cpuMs.toFixed(2).padStart(6)} ms CPU (${(rate / bare.rate).toFixed(2)} by clock, ${(bare.cpuMs / cpuMs).toFixed(2)} by CPU)`;

for (const [name, image] of Object.entries(MATERIAL)) {
  const description = describeImage(image);
  const pool = createCodecPool({ workers: 1 });
  const { codestream } = await pool.encode(randomPixels(description), description);
  await pool.close();
  const batch = Math.max(4, Math.round(2_000_000 / (description.rows * description.columns)));
  const runBare = () => {
    for (let index = 0; index < batch; index++) bareDecode(codestream);
  };
  runBare();
  const bare = await measure(runBare, batch);
  console.log(`${name}: bare loop ${cell(bare, bare)}`);
  for (const workers of [1, 2, 4]) {
    const workerPool = createCodecPool({ workers });
    const run = () =>
      Promise.all(Array.from({ length: batch * workers }, () => workerPool.verify(codestream)));
    await run();
    console.log(`  pool of ${workers}  ${cell(await measure(run, batch * workers), bare)}`);
    await workerPool.close();
  }
  const native = nativeMs(codestream, description);
  console.log(
    native ? `  native OpenJPH ${native.toFixed(2)} ms, writing a file` : '  native OpenJPH: not installed',
  );
}

const description = describeImage({ rows: 128, columns: 128, bitsStored: 12 });
const pool = createCodecPool({ workers: 2 });
const { codestream, checksums } = await pool.encode(randomPixels(description), description);
let wrong = 0;
const resident = [];
for (let done = 0; done <= memoryFrames; done += 50) {
  if (done % (memoryFrames / 10) === 0) resident.push((process.memoryUsage.rss() / 2 ** 20).toFixed(0));
  const proofs = await Promise.all(Array.from({ length: 50 }, () => pool.verify(codestream)));
  wrong += proofs.filter((proof) => proof.crc32 !== checksums[0].Checksum).length;
}
await pool.close();
rmSync(folder, { recursive: true, force: true });
console.log(`${memoryFrames} frames, ${wrong} wrong; resident MiB at every tenth: ${resident.join(' ')}`);
