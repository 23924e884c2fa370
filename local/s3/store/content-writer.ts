/** The main thread's side of the content worker: jobs in, digests out, with a few reused buffers as the only memory. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Digest } from '../checksums.ts';
import type { ContentAnswer, ContentJob } from './content-jobs.ts';

/** Size of a piece that travels to the worker: a CT slice of 512 × 512 × 16 bit is one (a message costs 0.1 ms or more). */
const PIECE_BYTES = 640 * 1024;
const PIECES_IN_FLIGHT = 4;
const SPARE_BUFFERS = 32;

type Digests = Record<string, string>;

interface Pending {
  inFlight: number;
  failed?: Error;
  /** Called at each answer. */
  wake: () => void;
  settled?: { resolve(digests: Digests): void; reject(error: Error): void };
}

export class ContentWriter {
  #worker: Worker | undefined;
  readonly #pending = new Map<number, Pending>();
  readonly #spare: ArrayBuffer[] = [];
  #lastJob = 0;
  #isClosed = false;

  /** Started now, so that a missing one shows at once; again at the next job, should it die. */
  constructor() {
    this.#worker = this.#start();
  }

  /** Writes `chunks` into the new file `path`. On any error nothing stays. Base64 digests by name. */
  async write(path: string, chunks: AsyncIterable<Uint8Array>, digests: readonly Digest[]): Promise<Digests> {
    const { job, pending } = this.#begin();
    let buffer = this.#buffer();
    let used = 0;
    let opened = false;
    const send = async (last: boolean): Promise<void> => {
      while (pending.inFlight >= PIECES_IN_FLIGHT && !pending.failed) await this.#nextAnswer(pending);
      if (pending.failed) throw pending.failed;
      pending.inFlight++;
      const first = opened ? {} : { path, digests };
      opened = true;
      this.#post({ type: 'write', job, ...first, buffer, length: used, last }, [buffer]);
    };
    try {
      for await (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) {
          if (used === PIECE_BYTES) {
            await send(false);
            buffer = this.#buffer();
            used = 0;
          }
          const take = Math.min(chunk.length - at, PIECE_BYTES - used);
          new Uint8Array(buffer, used, take).set(chunk.subarray(at, at + take));
          used += take;
          at += take;
        }
      }
      const done = new Promise<Digests>((resolve, reject) => {
        pending.settled = { resolve, reject };
      });
      done.catch(() => undefined);
      await send(true);
      return await done;
    } catch (error) {
      if (opened) this.#worker?.postMessage({ type: 'abort', job });
      throw error;
    } finally {
      this.#pending.delete(job);
    }
  }

  /** Digests of files (by path) and buffers, one after the other. */
  async digest(pieces: readonly (string | Uint8Array)[], digests: readonly Digest[]): Promise<Digests> {
    const { job, pending } = this.#begin();
    try {
      return await new Promise<Digests>((resolve, reject) => {
        pending.settled = { resolve, reject };
        this.#post({ type: 'digest', job, pieces, digests }, []);
      });
    } finally {
      this.#pending.delete(job);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
  }

  #start(): Worker {
    const worker = new Worker(findWorker());
    worker.unref();
    worker.on('message', (answer: ContentAnswer) => this.#take(answer));
    worker.on('error', (error) => this.#die(worker, error));
    worker.on('exit', () => this.#die(worker, new Error('the content worker has ended')));
    return worker;
  }

  #begin(): { job: number; pending: Pending } {
    if (this.#isClosed) throw new Error('the store is closed');
    this.#worker ??= this.#start();
    const job = ++this.#lastJob;
    const pending: Pending = { inFlight: 0, wake: () => undefined };
    this.#pending.set(job, pending);
    return { job, pending };
  }

  #post(job: ContentJob, transfer: ArrayBuffer[]): void {
    this.#worker?.postMessage(job, transfer);
  }

  #buffer(): ArrayBuffer {
    return this.#spare.pop() ?? new ArrayBuffer(PIECE_BYTES);
  }

  #nextAnswer(pending: Pending): Promise<void> {
    return new Promise((resolve) => {
      pending.wake = resolve;
    });
  }

  #take(answer: ContentAnswer): void {
    if (answer.buffer && this.#spare.length < SPARE_BUFFERS) this.#spare.push(answer.buffer);
    const pending = this.#pending.get(answer.job);
    if (!pending) return;
    if (answer.buffer) pending.inFlight--;
    if (answer.error) {
      this.#fail(pending, Object.assign(new Error(answer.error.message), { code: answer.error.code }));
    } else if (answer.digests) pending.settled?.resolve(answer.digests);
    pending.wake();
  }

  #fail(pending: Pending, error: Error): void {
    pending.failed ??= error;
    pending.settled?.reject(error);
  }

  #die(worker: Worker, error: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const pending of this.#pending.values()) {
      this.#fail(pending, error);
      pending.wake();
    }
  }
}

/** Beside the running file (dist/local, dist/workers), else in the package's `dist/workers`. */
function findWorker(): URL | string {
  const beside = new URL('./content-worker.mjs', import.meta.url);
  if (existsSync(beside)) return beside;
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const built = join(folder, 'dist', 'workers', 'content-worker.mjs');
    if (existsSync(built)) return built;
    if (folder === dirname(folder)) throw new Error('content-worker.mjs is not built: run npm run build');
  }
}
