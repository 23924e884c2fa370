/** The ObjectStore port in memory: for tests of what uses a store, with S3's order, ETags and conditions. */
import { createHash } from 'node:crypto';
import {
  NoSuchObject,
  type ObjectEntry,
  type ObjectLocation,
  type ObjectStore,
  PreconditionFailed,
} from '../ports/object-store.ts';

interface Stored {
  readonly bytes: Uint8Array;
  readonly etag: string;
  readonly lastModified: string;
}

/** An empty store. `now` gives milliseconds since 1970, for lastModified. */
export function memoryObjectStore(options: { now?: () => number } = {}): ObjectStore {
  const { now = Date.now } = options;
  const buckets = new Map<string, Map<string, Stored>>();

  const bucketOf = (name: string): Map<string, Stored> => {
    const bucket = buckets.get(name) ?? new Map<string, Stored>();
    buckets.set(name, bucket);
    return bucket;
  };
  const find = ({ bucket, key }: ObjectLocation, ifMatch?: string): Stored => {
    const stored = bucketOf(bucket).get(key);
    if (!stored) throw new NoSuchObject('there is no such object');
    if (ifMatch !== undefined && !sameEtag(ifMatch, stored.etag)) throw changed();
    return stored;
  };
  const put = (
    { bucket, key }: ObjectLocation,
    bytes: Uint8Array,
    conditions: { ifNoneMatch?: '*'; ifMatch?: string } = {},
  ): { etag: string } => {
    const current = bucketOf(bucket).get(key);
    if (conditions.ifNoneMatch && current) throw changed();
    if (conditions.ifMatch !== undefined) {
      if (!current) throw new NoSuchObject('there is no such object');
      if (!sameEtag(conditions.ifMatch, current.etag)) throw changed();
    }
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    bucketOf(bucket).set(key, { bytes, etag, lastModified: new Date(now()).toISOString() });
    return { etag };
  };

  return {
    async *list(bucket, prefix, startAfter) {
      const keys = [...bucketOf(bucket).keys()].filter((key) => key.startsWith(prefix)).sort(compareBytes);
      for (const key of keys) {
        const stored = bucketOf(bucket).get(key);
        if (startAfter !== undefined && compareBytes(key, startAfter) <= 0) continue;
        if (stored) yield entryOf(key, stored);
      }
    },
    async head({ bucket, key }) {
      const stored = bucketOf(bucket).get(key);
      return stored && entryOf(key, stored);
    },
    async read(location, { start = 0, end, ifMatch } = {}) {
      const { bytes, etag } = find(location, ifMatch);
      const part = bytes.slice(start, Math.max(start, Math.min(end ?? bytes.length, bytes.length)));
      return { bytes: part, etag, totalBytes: bytes.length };
    },
    async stream(location, { ifMatch } = {}) {
      const { bytes } = find(location, ifMatch);
      return (async function* () {
        yield bytes.slice();
      })();
    },
    async write(location, body, conditions) {
      return put(location, bytesOf(body), conditions);
    },
    async writeStream(location, chunks, conditions) {
      const parts: Uint8Array[] = [];
      for await (const chunk of chunks) parts.push(bytesOf(chunk));
      const bytes = new Uint8Array(Buffer.concat(parts));
      return { ...put(location, bytes, conditions), sizeBytes: bytes.length };
    },
    async copy(from, to) {
      const { bytes } = find(from, from.etag);
      return { ...put(to, bytes), sha256: createHash('sha256').update(bytes).digest('hex') };
    },
    async remove(bucket, objects) {
      const removed: string[] = [];
      const kept: string[] = [];
      for (const { key, etag } of objects) {
        const stored = bucketOf(bucket).get(key);
        if (stored && etag !== undefined && !sameEtag(etag, stored.etag)) kept.push(key);
        else {
          bucketOf(bucket).delete(key);
          removed.push(key);
        }
      }
      return { removed, changed: kept, failed: [] };
    },
  };
}

const entryOf = (key: string, { bytes, etag, lastModified }: Stored): ObjectEntry => ({
  key,
  sizeBytes: bytes.length,
  etag,
  lastModified,
});

/** A copy: the caller may go on using its buffer. */
const bytesOf = (body: Uint8Array | string): Uint8Array =>
  typeof body === 'string' ? new TextEncoder().encode(body) : Uint8Array.from(body);

const compareBytes = (a: string, b: string): number => Buffer.compare(Buffer.from(a), Buffer.from(b));
const sameEtag = (a: string, b: string): boolean => a.replaceAll('"', '') === b.replaceAll('"', '');
const changed = () => new PreconditionFailed('the object is not the one that was seen');
