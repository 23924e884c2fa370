/** The bytes of one stored object as a ByteSource: ranged reads in blocks, each of the very object that was seen. */
import type { ByteSource } from '../dicom/byte-source.ts';
import type { ObjectStore } from '../ports/object-store.ts';

/** A head of a slice is some kilobytes; one read of this size is enough for nearly all. */
const BLOCK_BYTES = 65_536;

/** Throws PreconditionFailed and NoSuchObject from `read` when the object has changed or gone. */
export function objectSource(
  objects: ObjectStore,
  object: {
    readonly bucket: string;
    readonly key: string;
    readonly sizeBytes: number;
    readonly etag?: string;
  },
  blockBytes = BLOCK_BYTES,
): ByteSource {
  const { bucket, key, sizeBytes, etag } = object;
  let block: { start: number; bytes: Uint8Array } = { start: 0, bytes: new Uint8Array(0) };
  return {
    sizeBytes,
    read: async (start, end) => {
      const stop = Math.min(end, sizeBytes);
      if (start >= stop) return new Uint8Array(0);
      const isInBlock = start >= block.start && stop <= block.start + block.bytes.length;
      if (!isInBlock) {
        const wanted = Math.min(sizeBytes, Math.max(stop, start + blockBytes));
        const options = { start, end: wanted, ...(etag === undefined ? {} : { ifMatch: etag }) };
        block = { start, bytes: (await objects.read({ bucket, key }, options)).bytes };
      }
      return block.bytes.subarray(start - block.start, stop - block.start);
    },
  };
}
