/** A worker thread that does whole frames: one message in, one message out (codec-pool.ts is its only caller). */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parentPort } from 'node:worker_threads';
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
import { createCodecModules } from './modules.ts';
import type { CodecReply, CodecRequest } from './worker-protocol.ts';

/** Beside the bundle when it was deployed alone, else in the node_modules above. */
async function loadWasm(asset: string): Promise<Uint8Array<ArrayBuffer>> {
  const path = locateAsset(asset, fileURLToPath(new URL('.', import.meta.url)));
  if (!path) throw new CodecError('CodecCrashed', `${asset} is neither beside the worker nor installed`);
  return new Uint8Array(await readFile(path));
}

const tools: FrameTools = { modules: createCodecModules(loadWasm), crc32 };

async function run(request: CodecRequest): Promise<object> {
  switch (request.operation) {
    case 'decode':
      return decodeFrame(tools, request.source, request.options);
    case 'encode':
      return encodeFrame(tools, request.canonical, request.description, request.options);
    case 'transcode':
      return transcodeFrame(tools, request.source, request.options);
    case 'verify':
      return verifyFrame(tools, request.codestream, request.options);
  }
}

async function answer(request: CodecRequest): Promise<void> {
  const { id } = request;
  try {
    const result = await run(request);
    post({ id, result, heapBytes: tools.modules.heapBytes() }, buffersOf(result));
  } catch (error) {
    post({ id, error: toPlain(error), heapBytes: tools.modules.heapBytes() }, []);
  }
}

function post(reply: CodecReply, transfer: ArrayBuffer[]): void {
  parentPort?.postMessage(reply, transfer);
}

/** Buffers that the result owns whole: they move instead of being copied. */
function buffersOf(result: object): ArrayBuffer[] {
  return Object.values(result).flatMap((value) =>
    value instanceof Uint8Array && value.buffer instanceof ArrayBuffer ? [value.buffer] : [],
  );
}

function toPlain(error: unknown): NonNullable<CodecReply['error']> {
  if (error instanceof CodecError)
    return { code: error.code, message: error.message, facts: { ...error.facts } };
  return { code: 'CodecCrashed', message: `the codec worker failed: ${describeThrown(error)}`, facts: {} };
}

// One frame at a time: a frame waits for the one before it, so that a deadline is the frame's own.
let previous: Promise<void> = Promise.resolve();
parentPort?.on('message', (request: CodecRequest) => {
  previous = previous.then(() => answer(request));
});
