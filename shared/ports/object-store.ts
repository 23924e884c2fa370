/** What the pipeline needs of an object store (Amazon S3, its compatible local store, or memory). */

/** One object as a listing or a head shows it. `etag` is kept as the store gives it, quotes included. */
export interface ObjectEntry {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  /** ISO 8601, UTC. */
  readonly lastModified: string;
}

export interface ObjectLocation {
  readonly bucket: string;
  readonly key: string;
}

/** The condition did not hold: the object is not the one that was seen (HTTP 412), or a writer was first (409). */
export class PreconditionFailed extends Error {
  override readonly name = 'PreconditionFailed';
}

/** There is no such object (HTTP 404). */
export class NoSuchObject extends Error {
  override readonly name = 'NoSuchObject';
}

export interface ObjectStore {
  /** Objects below `prefix` in key order (UTF-8 bytes), paged behind the scenes; starts after `startAfter`. */
  list(bucket: string, prefix: string, startAfter?: string): AsyncIterable<ObjectEntry>;
  /** The object's entry, or undefined where there is none. */
  head(location: ObjectLocation): Promise<ObjectEntry | undefined>;
  /**
   * Bytes `start` (inclusive) to `end` (exclusive, clipped to the object's size); the whole object when no range
   * is given. `totalBytes` is the object's whole size. Throws NoSuchObject, PreconditionFailed.
   */
  read(
    location: ObjectLocation,
    options?: { start?: number; end?: number; ifMatch?: string },
  ): Promise<{ bytes: Uint8Array; etag: string; totalBytes: number }>;
  /** The object's bytes as they come. Throws NoSuchObject, PreconditionFailed. */
  stream(location: ObjectLocation, options?: { ifMatch?: string }): Promise<AsyncIterable<Uint8Array>>;
  /** Writes a small object in one request. Throws PreconditionFailed. */
  write(
    location: ObjectLocation,
    body: Uint8Array | string,
    options?: { ifNoneMatch?: '*'; ifMatch?: string; contentType?: string },
  ): Promise<{ etag: string }>;
  /** Writes an object of unknown length in bounded memory (multipart above one part). Throws PreconditionFailed. */
  writeStream(
    location: ObjectLocation,
    chunks: AsyncIterable<Uint8Array | string>,
    options?: { ifNoneMatch?: '*'; contentType?: string },
  ): Promise<{ etag: string; sizeBytes: number }>;
  /**
   * Server-side copy of the very bytes with `etag`, with a SHA-256 (64 lower-case hex digits) of all the bytes:
   * from the store's own checksum, or streamed where the store has only a composite one (multipart over 5 GB).
   * Throws NoSuchObject, PreconditionFailed.
   */
  copy(
    from: ObjectLocation & { readonly etag: string; readonly sizeBytes: number },
    to: ObjectLocation,
  ): Promise<{ etag: string; sha256: string }>;
  /**
   * Removes objects; each only when its etag still holds, where one is given. An object that is gone already counts
   * as removed. `changed` lists the keys that hold other bytes now and were left alone; `failed` those that the store
   * refused, with its code.
   */
  remove(
    bucket: string,
    objects: readonly { readonly key: string; readonly etag?: string }[],
  ): Promise<{ removed: string[]; changed: string[]; failed: { key: string; code: string }[] }>;
}
