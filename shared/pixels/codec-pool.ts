/**
 * Codecs in worker threads: a frame that hangs, kills or bloats a codec fails alone, and its worker is replaced.
 * Small frames travel several in a message. Bytes given are copied once, when a worker takes them: they must stay as
 * they are until the promise settles. Results are moved, not copied.
 */
import { availableParallelism } from 'node:os';
import { type Lane, type LaneOptions, openLane, type Ticket } from './codec-lane.ts';
import type { ImageDescription } from './description.ts';
import { CodecError } from './errors.ts';
import type {
  DecodedFrame,
  EncodedFrame,
  EncodeOptions,
  FrameProof,
  TranscodedFrame,
  VerifyOptions,
} from './frame-operations.ts';
import { type CodecJob, sizeOf } from './worker-protocol.ts';

export type {
  DecodedFrame,
  EncodedFrame,
  EncodeOptions,
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
  /** A worker whose codecs hold more memory than this after a frame is replaced; default 512 MiB. */
  readonly maxHeapBytes?: number;
  /** Frames that may wait; further callers are made to wait. Default 64 a worker. */
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
  /** Canonical pixels to HTJ2K Lossless RPCL or JPEG 2000 Lossless, decoded again and compared; with checksums (of all levels when asked). */
  encode(
    canonical: Uint8Array,
    description: ImageDescription,
    options?: FrameOptions & EncodeOptions,
  ): Promise<EncodedFrame>;
  /** Source frame to stored frame in one trip: decode, canonicalise, CRC, encode, decode back, compare. */
  transcode(
    encoded: Uint8Array,
    transferSyntaxUID: string,
    description: ImageDescription,
    options?: FrameOptions & EncodeOptions,
  ): Promise<TranscodedFrame>;
  /** Stored codestream to the CRC-32 of its pixels and its header facts, compared with its source when given. */
  verify(codestream: Uint8Array, options?: FrameOptions & VerifyOptions): Promise<FrameProof>;
  close(): Promise<void>;
}

/** The frames of one message: small ones together, up to these numbers; a large one alone. */
const MESSAGE_FRAMES = 64;
const MESSAGE_BYTES = 256 * 1024;

/** Starts no thread before the first frame. Threads do not keep the process alive while idle. */
export function createCodecPool(options: CodecPoolOptions = {}): CodecPool {
  const workers = options.workers ?? Math.max(1, availableParallelism());
  const deadlineMs = options.deadlineMs ?? 30_000;
  const maxHeapBytes = options.maxHeapBytes ?? 512 * 1024 ** 2;
  const maxQueued = options.maxQueued ?? MESSAGE_FRAMES * workers;
  const lanes: Lane[] = [];
  const queue: Ticket[] = [];
  const waiting: (() => void)[] = [];
  let isDispatching = false;
  let closed = false;

  const laneOptions: LaneOptions = {
    deadlineMs,
    maxHeapBytes,
    onSettled: dispatch,
    onEnded(lane, unfinished) {
      lanes.splice(lanes.indexOf(lane), 1);
      queue.unshift(...unfinished);
      dispatch();
    },
  };

  /** An idle lane, a new one, or the one with the least to do that is not full. */
  function freeLane(): Lane | undefined {
    const idle = lanes.find((lane) => lane.load === 0);
    if (idle) return idle;
    if (lanes.length < workers) {
      const opened = openLane(laneOptions);
      lanes.push(opened);
      return opened;
    }
    return lanes.filter((lane) => lane.hasRoom()).sort((a, b) => a.load - b.load)[0];
  }

  /** A worker's share of what waits, as far as it goes into one message. */
  function nextMessage(): Ticket[] {
    const share = Math.min(MESSAGE_FRAMES, Math.ceil(queue.length / workers));
    const taken: Ticket[] = [];
    for (let bytes = 0; taken.length < share && queue.length > 0; ) {
      const next = queue[0]!;
      bytes += next.sizeBytes;
      if (taken.length > 0 && bytes > MESSAGE_BYTES) break;
      queue.shift();
      if (sizeOf(next.job) === next.sizeBytes) taken.push(next);
      else next.reject(new CodecError('Cancelled', 'the bytes of the frame are gone: detached meanwhile'));
    }
    return taken;
  }

  function dispatch(): void {
    while (queue.length > 0 && !closed) {
      const lane = freeLane();
      if (!lane) break;
      const message = nextMessage();
      if (message.length > 0) lane.take(message);
    }
    for (let room = maxQueued - queue.length; room > 0 && waiting.length > 0; room--) waiting.shift()?.();
  }

  /** After what has come in by now: frames that are handed in together travel together. */
  function dispatchSoon(): void {
    if (isDispatching) return;
    isDispatching = true;
    setImmediate(() => {
      isDispatching = false;
      dispatch();
    });
  }

  async function submit(job: CodecJob, signal?: AbortSignal): Promise<object> {
    while (queue.length >= maxQueued && !closed) await new Promise<void>((resolve) => waiting.push(resolve));
    if (closed || signal?.aborted)
      throw new CodecError('Cancelled', closed ? 'the codec pool is closed' : 'cancelled');
    if (!signal) return new Promise((resolve, reject) => enqueue({ job, resolve, reject }));
    let onAbort: (() => void) | undefined;
    try {
      return await new Promise<object>((resolve, reject) => {
        const ticket = enqueue({ job, resolve, reject });
        onAbort = () => cancel(ticket);
        signal.addEventListener('abort', onAbort);
      });
    } finally {
      if (onAbort) signal.removeEventListener('abort', onAbort);
    }
  }

  function enqueue({ job, resolve, reject }: Omit<Ticket, 'sizeBytes'>): Ticket {
    const ticket: Ticket = { job, sizeBytes: sizeOf(job), resolve, reject };
    queue.push(ticket);
    dispatchSoon();
    return ticket;
  }

  function cancel(ticket: Ticket): void {
    const at = queue.indexOf(ticket);
    if (at >= 0) queue.splice(at, 1);
    ticket.reject(new CodecError('Cancelled', 'cancelled'));
    dispatch();
  }

  async function close(): Promise<void> {
    closed = true;
    for (const ticket of queue.splice(0))
      ticket.reject(new CodecError('Cancelled', 'the codec pool is closed'));
    for (const resume of waiting.splice(0)) resume();
    await Promise.all(lanes.splice(0).map((lane) => lane.close()));
  }

  return {
    async decode(encoded, transferSyntaxUID, description, { signal, ...options } = {}) {
      const source = { encoded, transferSyntaxUID, description };
      return (await submit({ operation: 'decode', source, options }, signal)) as DecodedFrame;
    },
    async encode(canonical, description, { signal, ...options } = {}) {
      return (await submit({ operation: 'encode', canonical, description, options }, signal)) as EncodedFrame;
    },
    async transcode(encoded, transferSyntaxUID, description, { signal, ...options } = {}) {
      const source = { encoded, transferSyntaxUID, description };
      return (await submit({ operation: 'transcode', source, options }, signal)) as TranscodedFrame;
    },
    async verify(codestream, { signal, ...options } = {}) {
      return (await submit({ operation: 'verify', codestream, options }, signal)) as FrameProof;
    },
    close,
  };
}
