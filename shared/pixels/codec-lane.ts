/**
 * One worker thread of the codec pool and the frames that it was handed, several small ones a message. A frame that
 * hangs or kills the worker fails alone; the lane then ends, and gives back what was not answered.
 */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { CodecError } from './errors.ts';
import { describeThrown } from './htj2k/decode.ts';
import {
  BEGUN,
  type CodecJob,
  type CodecReply,
  type CodecWorkerData,
  FINISHED,
  openProgress,
  PROGRESS_BYTES,
  packed,
} from './worker-protocol.ts';

/** One frame's job and its promise. */
export interface Ticket {
  /** Its bytes are the caller's; they are copied each time a worker takes the frame. */
  readonly job: CodecJob;
  /** Bytes that the job carries. */
  readonly sizeBytes: number;
  readonly resolve: (result: object) => void;
  readonly reject: (error: CodecError) => void;
}

export interface Lane {
  /** Frames handed over and not answered yet. */
  readonly load: number;
  /** One message is being done, one may wait: so the worker never waits for a message. */
  hasRoom(): boolean;
  /** As one message. */
  take(tickets: readonly Ticket[]): void;
  /** Ends the thread; unanswered frames are rejected. */
  close(): Promise<void>;
}

export interface LaneOptions {
  readonly deadlineMs: number;
  readonly maxHeapBytes: number;
  /** After each answer. */
  readonly onSettled: () => void;
  /** The lane has ended; these frames are to be done by another one. */
  readonly onEnded: (lane: Lane, unfinished: readonly Ticket[]) => void;
}

const MESSAGES_AT_ONCE = 2;

export function openLane(options: LaneOptions): Lane {
  const { deadlineMs, maxHeapBytes } = options;
  const shared = new SharedArrayBuffer(PROGRESS_BYTES);
  const progress = openProgress(shared);
  const workerData: CodecWorkerData = { progress: shared, maxHeapBytes };
  const worker = new Worker(workerPath(), { workerData });
  /** In the order in which the worker does them. */
  const tickets: Ticket[] = [];
  let messages = 0;
  let answered = 0;
  let timer: NodeJS.Timeout | undefined;
  let heardAtLastCheck = -1;
  worker.unref();
  worker.on('message', settle);
  worker.on('error', (error) => end('CodecCrashed', `the codec worker died: ${describeThrown(error)}`));
  worker.on('exit', () => end('CodecCrashed', 'the codec worker ended'));

  function settle({ outcomes, isLast, heapBytes }: CodecReply): void {
    const settled = tickets.splice(0, outcomes.length);
    answered += outcomes.length;
    if (isLast) messages--;
    if (tickets.length === 0) worker.unref();
    settled.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index]!;
      if ('result' in outcome) resolve(outcome.result);
      else reject(new CodecError(outcome.error.code, outcome.error.message, outcome.error.facts));
    });
    if (heapBytes > maxHeapBytes) end();
    options.onSettled();
  }

  /** Place in `tickets` of the frame that the worker computes now; -1 where it is between two. */
  function running(): number {
    const begun = Atomics.load(progress.counts, BEGUN);
    return begun > Atomics.load(progress.counts, FINISHED) ? begun - answered - 1 : -1;
  }

  /** One timer serves many frames: it looks at the clock of the running one when it fires. */
  function checkDeadline(): void {
    timer = undefined;
    if (tickets.length === 0) return;
    const ranMs = Number(process.hrtime.bigint() - Atomics.load(progress.begunAt, 0)) / 1e6;
    const isRunning = running() >= 0;
    const isLate = isRunning ? ranMs >= deadlineMs : !hasMoved();
    if (isLate) end('CodecDeadline', `the codec did not answer within ${deadlineMs} ms`);
    else watch(isRunning ? deadlineMs - ranMs : deadlineMs);
  }

  /** Between two frames, with frames to do: at the next look something must have been begun or answered. */
  function hasMoved(): boolean {
    const heard = Atomics.load(progress.counts, BEGUN) + answered;
    const moved = heard !== heardAtLastCheck;
    heardAtLastCheck = heard;
    return moved;
  }

  function watch(ms: number): void {
    timer ??= setTimeout(checkDeadline, Math.ceil(ms)).unref();
  }

  /** Ends the worker. With a code, the frame being done fails; those done and not answered are done again. */
  function end(code?: CodecError['code'], message = ''): void {
    void terminate();
    const at = Math.max(0, running());
    const failed = code ? tickets.splice(at, 1)[0] : undefined;
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
    hasRoom: () => messages < MESSAGES_AT_ONCE,
    take(taken) {
      const { request, buffer } = packed(taken.map(({ job }) => job));
      messages++;
      tickets.push(...taken);
      worker.ref();
      worker.postMessage(request, [buffer]);
      watch(deadlineMs);
    },
    async close() {
      for (const ticket of tickets.splice(0))
        ticket.reject(new CodecError('Cancelled', 'the codec pool is closed'));
      await terminate();
    },
  };
  return lane;
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
