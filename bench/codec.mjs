/**
 * The whole chain of one frame (canonical pixels, CRC-32, encode, decode back, compare) in our worker pool, against
 * the bare codec loop (encode, decode, CRC-32) in this thread. Ratios come from one run.
 *   node bench/codec.mjs [frames] [size]
 */
import { createRequire } from 'node:module';
import { crc32 } from 'node:zlib';
import { load } from './pool.mjs';
import { ctSlices } from './slices.mjs';

const frames = Number(process.argv[2] ?? 300);
const size = Number(process.argv[3] ?? 512);
const slices = ctSlices(20, size);
const description = {
  rows: size,
  columns: size,
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

const openJph = await createRequire(import.meta.url)('@cornerstonejs/codec-openjph')({
  print() {},
  printErr() {},
});

/** What any program must do to store and check one frame with this codec. */
function bareFrame(pixels) {
  const encoder = new openJph.HTJ2KEncoder();
  const info = {
    width: size,
    height: size,
    bitsPerSample: 16,
    componentCount: 1,
    isSigned: true,
    isUsingColorTransform: false,
  };
  encoder.getDecodedBuffer(info).set(pixels);
  encoder.setQuality(true, 0);
  encoder.setTLMMarker(true);
  encoder.setTilePartDivisionsAtResolutions(true);
  encoder.setDecompositions(Math.max(0, Math.ceil(Math.log2(size / 64))));
  encoder.encode();
  const codestream = encoder.getEncodedBuffer().slice();
  encoder.delete();
  const decoder = new openJph.HTJ2KDecoder();
  decoder.getEncodedBuffer(codestream.length).set(codestream);
  decoder.decode();
  const sum = crc32(decoder.getDecodedBuffer());
  decoder.delete();
  return { codestream, sum };
}

function bareDecode(codestream) {
  const decoder = new openJph.HTJ2KDecoder();
  decoder.getEncodedBuffer(codestream.length).set(codestream);
  decoder.decode();
  const sum = crc32(decoder.getDecodedBuffer());
  decoder.delete();
  return sum;
}

/** Frames a second, and CPU milliseconds of the whole process a frame: the latter holds on a busy machine too. */
async function measure(run) {
  const [started, cpu] = [performance.now(), process.cpuUsage()];
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { rate: frames / ((performance.now() - started) / 1000), cpuMs: (user + system) / 1000 / frames };
}

function bareRate(run) {
  return measure(async () => {
    for (let index = 0; index < frames; index++) run(index);
  });
}

async function poolRate(workers, run) {
  const { createCodecPool } = await load('shared/pixels/codec-pool.ts');
  const pool = createCodecPool({ workers });
  await Promise.all(Array.from({ length: workers * 4 }, (_, index) => run(pool, index)));
  const result = await measure(() =>
    Promise.all(Array.from({ length: frames }, (_, index) => run(pool, index))),
  );
  await pool.close();
  return result;
}

await bareRate((index) => bareFrame(slices[index % slices.length]));
const codestreams = slices.map((slice) => bareFrame(slice).codestream);
const bare = await bareRate((index) => bareFrame(slices[index % slices.length]));
const bareVerify = await bareRate((index) => bareDecode(codestreams[index % codestreams.length]));
const rows = [{ chain: 'bare loop, this thread', encode: bare, verify: bareVerify }];
for (const workers of [1, 2, 4]) {
  const encode = await poolRate(workers, (pool, index) =>
    pool.transcode(slices[index % slices.length], description.transferSyntaxUID, description),
  );
  const verify = await poolRate(workers, (pool, index) =>
    pool.verify(codestreams[index % codestreams.length]),
  );
  rows.push({ chain: `pool, ${workers} workers`, encode, verify });
}
const cell = ({ rate, cpuMs }, base) =>
  `${rate.toFixed(0).padStart(4)}/s (${(rate / base.rate).toFixed(2)}) ${cpuMs.toFixed(2)} ms CPU (${(base.cpuMs / cpuMs).toFixed(2)})`;
console.log(
  `${frames} frames of ${size} × ${size} × 16 bit; in brackets the ratio to the bare loop, by clock and by CPU`,
);
for (const { chain, encode, verify } of rows)
  console.log(`${chain.padEnd(22)}  whole chain ${cell(encode, bare)}   verify ${cell(verify, bareVerify)}`);
console.log(`resident memory at the end ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);
