/** What the tests of this folder share: sources that count, and the files of the shared material. */
import { type ByteSource, bufferSource } from '../../shared/dicom/byte-source.ts';

export interface CountingSource extends ByteSource {
  readonly reads: { start: number; end: number }[];
  bytesRead(): number;
}

/** A buffer that remembers which ranges were asked for. */
export function countingSource(bytes: Uint8Array): CountingSource {
  const reads: { start: number; end: number }[] = [];
  return {
    sizeBytes: bytes.length,
    reads,
    bytesRead: () => reads.reduce((sum, { start, end }) => sum + end - start, 0),
    read: async (start, end) => {
      reads.push({ start, end: Math.min(end, bytes.length) });
      return bytes.subarray(start, Math.min(end, bytes.length));
    },
  };
}

/** A source of any length that has nothing but zeros after its head, without holding them. */
export function hollowSource(head: Uint8Array, sizeBytes: number): CountingSource {
  const reads: { start: number; end: number }[] = [];
  return {
    sizeBytes,
    reads,
    bytesRead: () => reads.reduce((sum, { start, end }) => sum + end - start, 0),
    read: async (start, end) => {
      const stop = Math.min(end, sizeBytes);
      reads.push({ start, end: stop });
      const out = new Uint8Array(Math.max(0, stop - start));
      out.set(head.subarray(Math.min(start, head.length), Math.min(stop, head.length)));
      return out;
    },
  };
}

export { bufferSource };
