/** What passes between codec-lane.ts and codec-worker.ts: messages of several frames, and a shared record of progress. */
import type { ImageDescription } from './description.ts';
import type { CodecErrorCode } from './errors.ts';
import type { EncodeOptions, SourceFrame, VerifyOptions } from './frame-operations.ts';

export type CodecJob =
  | { operation: 'decode'; source: SourceFrame; options: { readonly level?: number } }
  | {
      operation: 'encode';
      canonical: Uint8Array;
      description: ImageDescription;
      options: EncodeOptions;
    }
  | { operation: 'transcode'; source: SourceFrame; options: EncodeOptions }
  | { operation: 'verify'; codestream: Uint8Array; options: VerifyOptions };

/** Jobs in the order in which they are to be done; the bytes of all lie in one buffer, which moves. */
export type CodecRequest = readonly CodecJob[];

export type CodecOutcome =
  | { readonly result: object }
  | {
      readonly error: {
        readonly code: CodecErrorCode;
        readonly message: string;
        readonly facts: Record<string, string | number | boolean>;
      };
    };

/** The next outcomes, in order. A message of many frames may be answered in parts. */
export interface CodecReply {
  readonly outcomes: readonly CodecOutcome[];
  /** The whole message is answered. */
  readonly isLast: boolean;
  /** WebAssembly memory that the worker holds. Over its bound the worker does no further frame. */
  readonly heapBytes: number;
}

/** What a worker is started with. */
export interface CodecWorkerData {
  readonly progress: SharedArrayBuffer;
  readonly maxHeapBytes: number;
}

/** Which frame a worker is at, readable while it computes or hangs. */
export interface CodecProgress {
  /** Frames begun and frames finished since the worker started. */
  readonly counts: Int32Array;
  /** When the last one was begun: nanoseconds of the process's monotonic clock. */
  readonly begunAt: BigInt64Array;
}
export const BEGUN = 0;
export const FINISHED = 1;
export const PROGRESS_BYTES = 16;

export const openProgress = (shared: SharedArrayBuffer): CodecProgress => ({
  counts: new Int32Array(shared, 0, 2),
  begunAt: new BigInt64Array(shared, 8, 1),
});

/** PS3.5 words of up to four bytes, and codecs' reads, want no odd addresses. */
const ALIGNMENT = 8;

/** The same jobs with copies of their bytes, all in one buffer. */
export function packed(jobs: readonly CodecJob[]): { request: CodecRequest; buffer: ArrayBuffer } {
  const sizes = jobs.flatMap(bytesOf).map(({ length }) => aligned(length));
  const buffer = new ArrayBuffer(sizes.reduce((sum, size) => sum + size, 0));
  let at = 0;
  const copy = (bytes: Uint8Array) => {
    const own = new Uint8Array(buffer, at, bytes.length);
    own.set(bytes);
    at += aligned(bytes.length);
    return own;
  };
  return { request: jobs.map((job) => withBytes(job, copy)), buffer };
}

const aligned = (length: number) => Math.ceil(length / ALIGNMENT) * ALIGNMENT;

/** Bytes that a job carries. */
export const sizeOf = (job: CodecJob): number => bytesOf(job).reduce((sum, { length }) => sum + length, 0);

function bytesOf(job: CodecJob): Uint8Array[] {
  if (job.operation === 'encode') return [job.canonical];
  if (job.operation !== 'verify') return [job.source.encoded];
  const { source } = job.options;
  return source ? [job.codestream, source.encoded] : [job.codestream];
}

function withBytes(job: CodecJob, change: (bytes: Uint8Array) => Uint8Array): CodecJob {
  const changed = (source: SourceFrame) => ({ ...source, encoded: change(source.encoded) });
  switch (job.operation) {
    case 'encode':
      return { ...job, canonical: change(job.canonical) };
    case 'verify': {
      const { source, ...rest } = job.options;
      const options = source ? { ...rest, source: changed(source) } : rest;
      return { ...job, codestream: change(job.codestream), options };
    }
    default:
      return { ...job, source: changed(job.source) };
  }
}
