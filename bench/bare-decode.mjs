/** The bare loop: decode and CRC-32 of codestreams with the same codec, and nothing else. Also as worker threads. */
import { createRequire } from 'node:module';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';

const openJph = await createRequire(import.meta.url)('@cornerstonejs/codec-openjph')({
  print() {},
  printErr() {},
});

export function bareDecode(codestream) {
  const decoder = new openJph.HTJ2KDecoder();
  decoder.getEncodedBuffer(codestream.length).set(codestream);
  decoder.decode();
  const sum = crc32(decoder.getDecodedBuffer());
  decoder.delete();
  return sum;
}

/** So many threads that each go once round all codestreams a message; resolves when all are warm. */
export async function bareWorkers(count, codestreams) {
  const workers = Array.from(
    { length: count },
    () => new Worker(new URL(import.meta.url), { workerData: { codestreams } }),
  );
  const answer = (worker) => new Promise((resolve) => worker.once('message', resolve));
  const round = () =>
    Promise.all(
      workers.map((worker) => {
        worker.postMessage('round');
        return answer(worker);
      }),
    );
  await round();
  return { round, close: () => Promise.all(workers.map((worker) => worker.terminate())) };
}

if (!isMainThread && workerData?.codestreams)
  parentPort.on('message', () => {
    for (const codestream of workerData.codestreams) bareDecode(codestream);
    parentPort.postMessage('done');
  });
