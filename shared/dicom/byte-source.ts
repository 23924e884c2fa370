/** Random access to the bytes of one object: a buffer, a file, or ranged reads of S3. Never the whole object at once. */
export interface ByteSource {
  readonly sizeBytes: number;
  /** Bytes `start` (inclusive) to `end` (exclusive), clipped to `sizeBytes`. The caller may keep them. */
  read(start: number, end: number): Promise<Uint8Array>;
}

export function bufferSource(bytes: Uint8Array): ByteSource {
  return {
    sizeBytes: bytes.length,
    read: async (start, end) => bytes.subarray(start, Math.min(end, bytes.length)),
  };
}

/** The same source, its first `bytes` read once and kept: reads inside of them cost no further request. */
export async function withHead(
  source: ByteSource,
  bytes: number,
): Promise<ByteSource & { readonly head: Uint8Array }> {
  const head = await source.read(0, Math.min(bytes, source.sizeBytes));
  return {
    sizeBytes: source.sizeBytes,
    head,
    read: async (start, end) => {
      const stop = Math.min(end, source.sizeBytes);
      return stop <= head.length ? head.subarray(start, stop) : source.read(start, end);
    },
  };
}
