/** What the store asks of its content worker, and what it answers. Buffers are transferred, never copied. */
import type { Digest } from '../checksums.ts';

/** A piece of a new file. The first one opens it (`path`, `digests`), the last one closes it and asks for the digests. */
export interface WriteJob {
  readonly type: 'write';
  readonly job: number;
  readonly path?: string;
  readonly digests?: readonly Digest[];
  readonly buffer?: ArrayBuffer;
  readonly length: number;
  readonly last: boolean;
}

/** Forget a file that is being written, and remove it. */
export interface AbortJob {
  readonly type: 'abort';
  readonly job: number;
}

/** Digests of what lies in `pieces`, one after the other. */
export interface DigestJob {
  readonly type: 'digest';
  readonly job: number;
  readonly pieces: readonly (string | Uint8Array)[];
  readonly digests: readonly Digest[];
}

export type ContentJob = WriteJob | AbortJob | DigestJob;

/** `buffer` comes back for reuse; `digests` (base64) only with the end of the job. */
export interface ContentAnswer {
  readonly job: number;
  readonly buffer?: ArrayBuffer;
  readonly digests?: Record<string, string>;
  readonly error?: { readonly code: string; readonly message: string };
}
