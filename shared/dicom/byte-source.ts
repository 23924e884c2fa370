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
