/**
 * One worker thread of the codec pool and the frames that it was handed. A frame that hangs or kills the worker
 * fails alone; the lane then ends, and gives back what it had not begun.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CodecError } from './errors.ts';
import { describeThrown } from './htj2k/decode.ts';
import type { CodecJob, CodecReply } from './worker-protocol.ts';

/** One frame's job and its promise. */
export interface Ticket {
  readonly id: number;
  /** Bytes that the job carries. */
  readonly sizeBytes: number;
  /** Made anew each time a worker takes the frame: the message's buffers move. */
  readonly job: () => CodecJob;
  readonly resolve: (result: object) => void;
  readonly reject: (error: CodecError) => void;
}

export interface Lane {
  /** Frames handed over and not answered yet. */
  readonly load: number;
  /** Takes more in advance: two frames always, small ones up to sixteen, so that the worker never waits for a message. */
  hasRoom(): boolean;
  take(ticket: Ticket): void;
  /** Ends the thread; unanswered frames are rejected. */
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly deadlineMs: number;
  readonly maxHeapBytes: number;
  /** After each answer. */
  readonly onSettled: () => void;
  /** The lane has ended; these frames were not begun. */
  readonly onEnded: (lane: Lane, unfinished: readonly Ticket[]) => void;
}

const FRAMES_IN_ADVANCE = 2;
const SMALL_FRAMES_IN_ADVANCE = 16;
const SMALL_BYTES = 256 * 1024;

export function openLane(options: LaneOptions): Lane {
  const { deadlineMs, maxHeapBytes } = options;
  const worker = new Worker(workerPath());
  /** In the order in which the worker does them; the first one is being done, since `begunAt`. */
  const tickets: Ticket[] = [];
  let begunAt = 0;
  let timer: NodeJS.Timeout | undefined;
  worker.unref();
  worker.on('message', settle);
  worker.on('error', (error) => end('CodecCrashed', `the codec worker died: ${describeThrown(error)}`));
  worker.on('exit', () => end('CodecCrashed', 'the codec worker ended'));

  function settle(reply: CodecReply): void {
    if (tickets[0]?.id !== reply.id) return;
    const ticket = tickets.shift()!;
    begin();
    if (reply.error) ticket.reject(new CodecError(reply.error.code, reply.error.message, reply.error.facts));
    else ticket.resolve(reply.result ?? {});
    if (reply.heapBytes > maxHeapBytes) end();
    options.onSettled();
  }

  /** The clock of the frame that is now first. One timer serves many frames: it looks at the clock when it fires. */
  function begin(): void {
    begunAt = performance.now();
    if (tickets.length === 0) worker.unref();
    else timer ??= setTimeout(checkDeadline, deadlineMs).unref();
  }

  function checkDeadline(): void {
    timer = undefined;
    if (tickets.length === 0) return;
    const left = begunAt + deadlineMs - performance.now();
    if (left > 0) timer = setTimeout(checkDeadline, Math.ceil(left)).unref();
    else end('CodecDeadline', `the codec did not answer within ${deadlineMs} ms`);
  }

  /** Ends the worker. With a code, the frame being done fails. */
  function end(code?: CodecError['code'], message = ''): void {
    void terminate();
    const failed = code ? tickets.shift() : undefined;
    if (code) failed?.reject(new CodecError(code, message, { deadlineMs }));
    options.onEnded(lane, tickets.splice(0));
  }

  async function terminate(): Promise<void> {
    clearTimeout(timer);
    worker.removeAllListeners();
    worker.on('error', () => {});
    await worker.terminate();
  }

  const lane: Lane = {
    get load() {
      return tickets.length;
    },
    hasRoom() {
      if (tickets.length < FRAMES_IN_ADVANCE) return true;
      const bytes = tickets.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
      return tickets.length < SMALL_FRAMES_IN_ADVANCE && bytes < SMALL_BYTES;
    },
    take(ticket) {
      let job: CodecJob;
      try {
        job = ticket.job();
      } catch (cause) {
        // The caller's bytes are gone: detached by someone else in the meantime.
        return ticket.reject(new CodecError('Cancelled', 'the bytes of the frame are gone', {}, { cause }));
      }
      tickets.push(ticket);
      worker.postMessage({ id: ticket.id, ...job }, buffersOf(job));
      if (tickets.length > 1) return;
      worker.ref();
      begin();
    },
    async close() {
      for (const ticket of tickets.splice(0))
        ticket.reject(new CodecError('Cancelled', 'the codec pool is closed'));
      await terminate();
    },
  };
  return lane;
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
