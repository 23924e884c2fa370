/**
 * Codecs in worker threads: a frame that hangs, kills or bloats a codec fails alone, and its worker is replaced.
 * Bytes given are copied once, when a worker takes them: they must stay as they are until the promise settles.
 * Results are moved, not copied.
 */
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ImageDescription } from './description.ts';
import { CodecError } from './errors.ts';
import type {
  DecodedFrame,
  EncodedFrame,
  FrameProof,
  SourceFrame,
  TranscodedFrame,
  VerifyOptions,
} from './frame-operations.ts';
import type { CodecJob, CodecReply } from './worker-protocol.ts';

export type {
  DecodedFrame,
  EncodedFrame,
  FrameChecksum,
  FrameProof,
  TranscodedFrame,
  VerifyOptions,
} from './frame-operations.ts';

export interface CodecPoolOptions {
  /** Worker threads; default: the cores that we may use. */
  readonly workers?: number;
  /** A frame that takes longer fails with CodecDeadline; default 30,000. */
  readonly deadlineMs?: number;
  /** A worker whose codecs hold more memory than this after a frame is replaced; default 1 GiB. */
  readonly maxHeapBytes?: number;
  /** Frames that may wait; further callers are made to wait before their bytes are copied. Default 4 a worker. */
  readonly maxQueued?: number;
}

export interface FrameOptions {
  /** Cancels a frame that waits or runs. */
  readonly signal?: AbortSignal;
}

export interface CodecPool {
  /** Any supported syntax to canonical pixels. `level`: halvings below full resolution, wavelet syntaxes only. */
  decode(
    encoded: Uint8Array,
    transferSyntaxUID: string,
    description: ImageDescription,
    options?: FrameOptions & { readonly level?: number },
  ): Promise<DecodedFrame>;
  /** Canonical pixels to HTJ2K Lossless RPCL, decoded again and compared; with checksums (of all levels when asked). */
  encode(
    canonical: Uint8Array,
    description: ImageDescription,
    options?: FrameOptions & { readonly levels?: boolean },
  ): Promise<EncodedFrame>;
  /** Source frame to stored frame in one trip: decode, canonicalise, CRC, encode, decode back, compare. */
  transcode(
    encoded: Uint8Array,
    transferSyntaxUID: string,
    description: ImageDescription,
    options?: FrameOptions & { readonly levels?: boolean },
  ): Promise<TranscodedFrame>;
  /** Stored codestream to the CRC-32 of its pixels and its header facts, compared with its source when given. */
  verify(codestream: Uint8Array, options?: FrameOptions & VerifyOptions): Promise<FrameProof>;
  close(): Promise<void>;
}

interface Ticket {
  readonly id: number;
  /** Made anew each time a worker takes the frame: the message's buffers move. */
  readonly job: () => CodecJob;
  readonly resolve: (result: object) => void;
  readonly reject: (error: CodecError) => void;
}

interface Lane {
  worker: Worker;
  /** In the order in which the worker does them; the first one is being done. */
  tickets: Ticket[];
  deadline: NodeJS.Timeout | undefined;
}

/** Frames handed to a worker in advance, so that it never waits for the next message. */
const LANE_DEPTH = 2;

/** Starts no thread before the first frame. Threads do not keep the process alive while idle. */
export function createCodecPool(options: CodecPoolOptions = {}): CodecPool {
  const workers = options.workers ?? Math.max(1, availableParallelism());
  const deadlineMs = options.deadlineMs ?? 30_000;
  const maxHeapBytes = options.maxHeapBytes ?? 1024 ** 3;
  const maxQueued = options.maxQueued ?? 4 * workers;
  const lanes: Lane[] = [];
  const queue: Ticket[] = [];
  const waiting: (() => void)[] = [];
  let nextId = 1;
  let closed = false;

  function openLane(): Lane {
    const lane: Lane = { worker: startWorker(), tickets: [], deadline: undefined };
    lanes.push(lane);
    attach(lane);
    return lane;
  }

  function attach(lane: Lane): void {
    const { worker } = lane;
    worker.unref();
    worker.on('message', (reply: CodecReply) => settle(lane, reply));
    const died = () => {
      if (lane.worker === worker) replace(lane, 'CodecCrashed', 'the codec worker died');
    };
    worker.on('error', died);
    worker.on('exit', died);
  }

  function settle(lane: Lane, reply: CodecReply): void {
    const ticket = lane.tickets[0];
    if (!ticket || ticket.id !== reply.id) return;
    lane.tickets.shift();
    armDeadline(lane);
    if (reply.error) ticket.reject(new CodecError(reply.error.code, reply.error.message, reply.error.facts));
    else ticket.resolve(reply.result!);
    if (reply.heapBytes > maxHeapBytes) replace(lane);
    dispatch();
  }

  /** Ends the lane's worker. With a code the frame being done fails; the others are done by the successor. */
  function replace(lane: Lane, code?: CodecError['code'], message = ''): void {
    const [current] = lane.tickets;
    const rest = code ? lane.tickets.slice(1) : lane.tickets;
    clearTimeout(lane.deadline);
    const old = lane.worker;
    lanes.splice(lanes.indexOf(lane), 1);
    old.removeAllListeners();
    old.on('error', () => {});
    void old.terminate();
    queue.unshift(...rest);
    if (code && current) current.reject(new CodecError(code, message, { deadlineMs }));
    dispatch();
  }

  function armDeadline(lane: Lane): void {
    clearTimeout(lane.deadline);
    lane.deadline = undefined;
    if (lane.tickets.length === 0) lane.worker.unref();
    else {
      lane.worker.ref();
      lane.deadline = setTimeout(
        () => replace(lane, 'CodecDeadline', `the codec did not answer within ${deadlineMs} ms`),
        deadlineMs,
      );
    }
  }

  function freeLane(): Lane | undefined {
    const idle = lanes.find((lane) => lane.tickets.length === 0);
    if (idle) return idle;
    if (lanes.length < workers) return openLane();
    return lanes
      .filter((lane) => lane.tickets.length < LANE_DEPTH)
      .sort((a, b) => a.tickets.length - b.tickets.length)[0];
  }

  function dispatch(): void {
    while (queue.length > 0 && !closed) {
      const lane = freeLane();
      if (!lane) return;
      const ticket = queue.shift()!;
      lane.tickets.push(ticket);
      const job = ticket.job();
      lane.worker.postMessage({ id: ticket.id, ...job }, buffersOf(job));
      if (lane.tickets.length === 1) armDeadline(lane);
      waiting.shift()?.();
    }
  }

  async function submit(job: () => CodecJob, signal?: AbortSignal): Promise<object> {
    while (queue.length >= maxQueued && !closed) await new Promise<void>((resolve) => waiting.push(resolve));
    if (closed || signal?.aborted)
      throw new CodecError('Cancelled', closed ? 'the codec pool is closed' : 'cancelled');
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<object>((resolve, reject) => {
        const ticket: Ticket = { id: nextId++, job, resolve, reject };
        onAbort = () => cancel(ticket);
        signal?.addEventListener('abort', onAbort);
        queue.push(ticket);
        dispatch();
      });
    } finally {
      if (onAbort) signal?.removeEventListener('abort', onAbort);
    }
  }

  function cancel(ticket: Ticket): void {
    const at = queue.indexOf(ticket);
    if (at >= 0) queue.splice(at, 1);
    ticket.reject(new CodecError('Cancelled', 'cancelled'));
  }

  async function close(): Promise<void> {
    closed = true;
    const tickets = [...queue.splice(0), ...lanes.flatMap((lane) => lane.tickets)];
    for (const ticket of tickets) ticket.reject(new CodecError('Cancelled', 'the codec pool is closed'));
    for (const resume of waiting.splice(0)) resume();
    await Promise.all(
      lanes.splice(0).map(({ worker, deadline }) => {
        clearTimeout(deadline);
        worker.removeAllListeners();
        worker.on('error', () => {});
        return worker.terminate();
      }),
    );
  }

  return {
    async decode(encoded, transferSyntaxUID, description, { signal, ...rest } = {}) {
      const source = { encoded, transferSyntaxUID, description };
      return (await submit(
        () => ({ operation: 'decode', source: own(source), options: rest }),
        signal,
      )) as DecodedFrame;
    },
    async encode(canonical, description, { signal, ...rest } = {}) {
      return (await submit(
        () => ({ operation: 'encode', canonical: ownBytes(canonical), description, options: rest }),
        signal,
      )) as EncodedFrame;
    },
    async transcode(encoded, transferSyntaxUID, description, { signal, ...rest } = {}) {
      const source = { encoded, transferSyntaxUID, description };
      return (await submit(
        () => ({ operation: 'transcode', source: own(source), options: rest }),
        signal,
      )) as TranscodedFrame;
    },
    async verify(codestream, { signal, source, ...rest } = {}) {
      return (await submit(
        () => ({
          operation: 'verify',
          codestream: ownBytes(codestream),
          options: { ...rest, ...(source && { source: own(source) }) },
        }),
        signal,
      )) as FrameProof;
    },
    close,
  };
}

/** A copy with a buffer of its own (`slice` of a Buffer would share memory). */
function ownBytes(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes);
}

function own(source: SourceFrame): SourceFrame {
  return { ...source, encoded: ownBytes(source.encoded) };
}

function buffersOf(job: CodecJob): ArrayBuffer[] {
  const bytes =
    job.operation === 'encode'
      ? [job.canonical]
      : job.operation === 'verify'
        ? [job.codestream, job.options.source?.encoded]
        : [job.source.encoded];
  return bytes.flatMap((view) => (view ? [view.buffer as ArrayBuffer] : []));
}

function startWorker(): Worker {
  return new Worker(workerPath(), { stdin: false, stdout: false, stderr: false });
}

/** Beside the running bundle, else in dist/workers of the package that holds this file. */
function workerPath(): string {
  const here = fileURLToPath(new URL('.', import.meta.url));
  const beside = join(here, 'codec-worker.mjs');
  if (existsSync(beside)) return beside;
  for (let folder = here; ; folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    if (existsSync(manifest) && JSON.parse(readFileSync(manifest, 'utf8')).name === 'isocenter')
      return join(folder, 'dist', 'workers', 'codec-worker.mjs');
    if (folder === dirname(folder)) throw new Error(`codec-worker.mjs not found beside or above ${here}`);
  }
}
