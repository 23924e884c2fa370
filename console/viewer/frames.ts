/** Frames by id: fetched once, decoded in the worker, the last ones kept. */
import { getBytes, getPiece } from '../server.ts';
import { bytesOfLevel } from './codestream-head.ts';
import type { Frame } from './pixels.ts';
import type { Asked, Told } from './worker-messages.ts';

export type DecodedFrame = Frame & { readonly crc32: number };

/** A codec that hangs on hostile bytes is ended after this. */
const DEADLINE_MS = 30_000;
const KEPT_BYTES = 256 * 1024 * 1024;

interface Waiting {
  readonly resolve: (frame: DecodedFrame) => void;
  readonly reject: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

let worker: Worker | undefined;
let lastId = 0;
const waiting = new Map<number, Waiting>();
const kept = new Map<string, DecodedFrame>();
let keptBytes = 0;

function theWorker(): Worker {
  if (worker) return worker;
  worker = new Worker('decode-worker.js', { type: 'module' });
  worker.onmessage = ({ data }: MessageEvent<Told>) => {
    const one = waiting.get(data.id);
    if (!one) return;
    waiting.delete(data.id);
    clearTimeout(one.timer);
    if (data.kind === 'frame') one.resolve(data.frame);
    else one.reject(new Error(data.message));
  };
  worker.onerror = () => restart('The decoder did not start.');
  return worker;
}

function restart(why: string): void {
  worker?.terminate();
  worker = undefined;
  for (const { reject, timer } of waiting.values()) {
    clearTimeout(timer);
    reject(new Error(why));
  }
  waiting.clear();
}

function decode(encoded: ArrayBuffer, level: number, signal: AbortSignal): Promise<DecodedFrame> {
  return new Promise((resolve, reject) => {
    const id = ++lastId;
    const timer = setTimeout(() => restart('The frame took too long to decode.'), DEADLINE_MS);
    waiting.set(id, { resolve, reject, timer });
    const ask = (asked: Asked, transfer: Transferable[] = []) => theWorker().postMessage(asked, transfer);
    ask({ kind: 'decode', id, encoded, level }, [encoded]);
    signal.addEventListener('abort', () => {
      if (waiting.has(id)) ask({ kind: 'cancel', id });
    });
  });
}

function keep(key: string, frame: DecodedFrame): DecodedFrame {
  kept.set(key, frame);
  keptBytes += frame.pixels.length;
  for (const [oldest, { pixels }] of kept) {
    if (keptBytes <= KEPT_BYTES) break;
    kept.delete(oldest);
    keptBytes -= pixels.length;
  }
  return frame;
}

const known = (key: string): DecodedFrame | undefined => {
  const frame = kept.get(key);
  if (!frame) return undefined;
  kept.delete(key); // the last used one is the last to go
  kept.set(key, frame);
  return frame;
};

const pathOf = (imageSetId: string, imageFrameId: string) =>
  `image-sets/${imageSetId}/frames/${imageFrameId}`;

/** The decoded frame; `onCoarse` gets a small one first when the frame is large. */
export async function loadFrame(
  imageSetId: string,
  imageFrameId: string,
  options: { readonly signal: AbortSignal; readonly onCoarse?: (frame: DecodedFrame) => void },
): Promise<DecodedFrame> {
  const { signal, onCoarse } = options;
  const key = `${imageSetId}/${imageFrameId}`;
  const before = known(key);
  if (before) return before;
  const encoded = await getBytes(pathOf(imageSetId, imageFrameId), signal);
  if (onCoarse && encoded.byteLength > 400_000) {
    const coarse = await decode(encoded.slice(0), 3, signal).catch(() => undefined);
    if (coarse && !signal.aborted) onCoarse(coarse);
  }
  return keep(key, await decode(encoded, 0, signal));
}

/** Holds the main header and the smallest resolutions. */
const HEAD_BYTES = 16 * 1024;

/** The frame `level` halvings below full resolution, of its first bytes where they are enough; else the whole frame. */
export async function loadSmallFrame(
  imageSetId: string,
  imageFrameId: string,
  { signal, level }: { readonly signal: AbortSignal; readonly level: number },
): Promise<DecodedFrame> {
  const key = `${imageSetId}/${imageFrameId}/${level}`;
  const before = known(key);
  if (before) return before;
  const path = pathOf(imageSetId, imageFrameId);
  const head = await getPiece(path, 0, HEAD_BYTES, signal);
  const enough = level === 0 ? undefined : bytesOfLevel(new Uint8Array(head.bytes), level);
  if (enough !== undefined) {
    const bytes = await grown(path, head.bytes, enough, signal);
    const small = await decode(bytes, level, signal).catch(() => undefined);
    if (small) return keep(key, small);
  }
  return loadFrame(imageSetId, imageFrameId, { signal });
}

async function grown(
  path: string,
  head: ArrayBuffer,
  length: number,
  signal: AbortSignal,
): Promise<ArrayBuffer> {
  if (length <= head.byteLength) return head.slice(0, length);
  const rest = await getPiece(path, head.byteLength, length - head.byteLength, signal);
  return new Blob([head, rest.bytes]).arrayBuffer();
}
