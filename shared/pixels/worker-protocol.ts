/** The messages between codec-pool.ts and codec-worker.ts. */
import type { ImageDescription } from './description.ts';
import type { CodecErrorCode } from './errors.ts';
import type { SourceFrame, VerifyOptions } from './frame-operations.ts';

export type CodecJob =
  | { operation: 'decode'; source: SourceFrame; options: { readonly level?: number } }
  | {
      operation: 'encode';
      canonical: Uint8Array;
      description: ImageDescription;
      options: { readonly levels?: boolean };
    }
  | { operation: 'transcode'; source: SourceFrame; options: { readonly levels?: boolean } }
  | { operation: 'verify'; codestream: Uint8Array; options: VerifyOptions };

export type CodecRequest = CodecJob & { id: number };

export interface CodecReply {
  id: number;
  result?: object;
  error?: { code: CodecErrorCode; message: string; facts: Record<string, string | number | boolean> };
  /** WebAssembly memory that the worker holds after this frame. */
  heapBytes: number;
}
