/** A worker thread that does whole frames, one after the other (codec-lane.ts is its only caller). */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import { crc32 } from 'node:zlib';
import { locateAsset } from './codec-assets.mjs';
import { CodecError } from './errors.ts';
import {
  decodeFrame,
  encodeFrame,
  type FrameTools,
  transcodeFrame,
  verifyFrame,
} from './frame-operations.ts';
import { describeThrown } from './htj2k/decode.ts';
import { JPEG2000_PART } from './jpeg2000-part.ts';
import { createCodecModules } from './modules.ts';
import {
  BEGUN,
  type CodecJob,
  type CodecOutcome,
  type CodecReply,
  type CodecRequest,
  type CodecWorkerData,
  FINISHED,
  openProgress,
} from './worker-protocol.ts';

/** Beside the bundle when it was deployed alone, else in the node_modules above. */
async function loadWasm(asset: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = locateAsset(asset, fileURLToPath(new URL('.', import.meta.url)));
  if (!path) throw new CodecError('CodecCrashed', `${asset} is neither beside the worker nor installed`);
  return new Uint8Array(await readFile(path));
}

const tools: FrameTools = { modules: createCodecModules(loadWasm, JPEG2000_PART), crc32 };
const { progress: shared, maxHeapBytes } = workerData as CodecWorkerData;
const progress = openProgress(shared);
let isBloated = false;

async function run(job: CodecJob): Promise<object> {
  switch (job.operation) {
    case 'decode':
      return decodeFrame(tools, job.source, job.options);
    case 'encode':
      return encodeFrame(tools, job.canonical, job.description, job.options);
    case 'transcode':
      return transcodeFrame(tools, job.source, job.options);
    case 'verify':
      return verifyFrame(tools, job.codestream, job.options);
  }
}

async function outcomeOf(job: CodecJob): Promise<CodecOutcome> {
  try {
    return { result: ownBytes(await run(job)) };
  } catch (error) {
    return { error: toPlain(error) };
  }
}

/** Answers are held back for at most about so long. */
const LONGEST_HOLD_NS = 20_000_000n;

/** All frames of a message, in order; the answers go back together where they come fast. */
async function answer(request: CodecRequest): Promise<void> {
  let outcomes: CodecOutcome[] = [];
  let heldSince = process.hrtime.bigint();
  for (const [index, job] of request.entries()) {
    const begunAt = process.hrtime.bigint();
    Atomics.store(progress.begunAt, 0, begunAt);
    Atomics.add(progress.counts, BEGUN, 1);
    outcomes.push(await outcomeOf(job));
    Atomics.add(progress.counts, FINISHED, 1);
    const isLast = index === request.length - 1;
    const heapBytes = tools.modules.heapBytes();
    isBloated ||= heapBytes > maxHeapBytes;
    if (!isLast && !isBloated && begunAt - heldSince < LONGEST_HOLD_NS) continue;
    post({ outcomes, isLast, heapBytes });
    if (isBloated) return;
    outcomes = [];
    heldSince = process.hrtime.bigint();
  }
}

function post(reply: CodecReply): void {
  const buffers = reply.outcomes.flatMap((outcome) => ('result' in outcome ? buffersOf(outcome.result) : []));
  parentPort?.postMessage(reply, buffers);
}

const isBytes = (value: unknown): value is Uint8Array<ArrayBuffer> =>
  value instanceof Uint8Array && value.buffer instanceof ArrayBuffer;

/** Native pixels may be a view of the message's bytes: those are not given away whole. */
function ownBytes(result: object): object {
  const shared = Object.entries(result).filter(
    ([, value]) => isBytes(value) && value.length !== value.buffer.byteLength,
  );
  if (shared.length === 0) return result;
  return { ...result, ...Object.fromEntries(shared.map(([name, value]) => [name, value.slice()])) };
}

/** Buffers move instead of being copied. */
const buffersOf = (result: object) =>
  Object.values(result).flatMap((value) => (isBytes(value) ? [value.buffer] : []));

function toPlain(error: unknown): Extract<CodecOutcome, { error: object }>['error'] {
  if (error instanceof CodecError)
    return { code: error.code, message: error.message, facts: { ...error.facts } };
  return { code: 'CodecCrashed', message: `the codec worker failed: ${describeThrown(error)}`, facts: {} };
}

// One frame at a time: a frame waits for the one before it, so that a deadline is the frame's own.
let previous: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: CodecRequest) => {
  previous = previous.then(() => (isBloated ? undefined : answer(request)));
});
