/** What every ObjectStore must do; run against each adapter. */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../../shared/ports/object-store.ts';

export interface StoreUnderTest {
  readonly store: ObjectStore;
  /** Exists and is empty at first. */
  readonly bucket: string;
  close(): Promise<void>;
}

const ODD_KEYS = [
  ' leading and trailing ',
  'a//b',
  '/slash/first',
  'plus+and space',
  'percent%25and%2Fmore',
  'ünïcödé/日本語/😀',
  '..',
  '../../etc/passwd',
  '.hidden/./x',
  'quotes\'"<&>',
  'line\nbreak\r\ttab',
  'question?and#hash',
  'x'.repeat(1024),
  '\u0001control\u007f',
];

export function describeObjectStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`an object store: ${name}`, () => {
    let opened: StoreUnderTest;
    let store: ObjectStore;
    let prefix = '';
    let count = 0;
    beforeAll(async () => {
      opened = await open();
      store = opened.store;
    });
    afterAll(() => opened?.close());

    const at = (key: string) => ({ bucket: opened.bucket, key });
    const fresh = () => {
      prefix = `t${++count}/`;
      return prefix;
    };
    const keysOf = async (below: string, startAfter?: string) => {
      const keys: string[] = [];
      for await (const entry of store.list(opened.bucket, below, startAfter)) keys.push(entry.key);
      return keys;
    };
    const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

    it('gives back what was written, with its entry', async () => {
      const key = `${fresh()}a`;
      const { etag } = await store.write(at(key), 'hello', { contentType: 'text/plain' });
      const entry = await store.head(at(key));
      expect(entry).toMatchObject({ key, sizeBytes: 5, etag });
      expect(Math.abs(Date.parse(entry!.lastModified) - Date.now())).toBeLessThan(60_000);
      const read = await store.read(at(key));
      expect(text(read.bytes)).toBe('hello');
      expect(read).toMatchObject({ etag, totalBytes: 5 });
      expect(etag).toMatch(/^".+"$/);
    });

    it('has no entry and throws NoSuchObject where there is nothing', async () => {
      expect(await store.head(at('nothing'))).toBeUndefined();
      await expect(store.read(at('nothing'))).rejects.toBeInstanceOf(NoSuchObject);
      await expect(store.read(at('nothing'), { start: 5, end: 5 })).rejects.toBeInstanceOf(NoSuchObject);
      await expect(store.stream(at('nothing'))).rejects.toBeInstanceOf(NoSuchObject);
      await expect(
        store.copy({ ...at('nothing'), etag: '"x"', sizeBytes: 1 }, at('copy')),
      ).rejects.toBeInstanceOf(NoSuchObject);
    });

    it('round-trips an empty object', async () => {
      const key = `${fresh()}empty`;
      await store.write(at(key), '');
      expect(await store.read(at(key))).toMatchObject({ totalBytes: 0 });
      expect((await store.read(at(key), { start: 0, end: 10 })).bytes.length).toBe(0);
    });

    it.each([
      [{ start: 0, end: 3 }, 'abc'],
      [{ start: 2 }, 'cdefghij'],
      [{ end: 4 }, 'abcd'],
      [{ start: 8, end: 100 }, 'ij'],
      [{ start: 10, end: 20 }, ''],
      [{ start: 50 }, ''],
      [{ start: 4, end: 4 }, ''],
    ])('reads the range %o', async (range, expected) => {
      const key = `${fresh()}range`;
      await store.write(at(key), 'abcdefghij');
      const read = await store.read(at(key), range);
      expect(text(read.bytes)).toBe(expected);
      expect(read.totalBytes).toBe(10);
    });

    it('streams the bytes', async () => {
      const key = `${fresh()}stream`;
      const body = Buffer.alloc(300_000, 'stream');
      await store.write(at(key), body);
      const chunks: Uint8Array[] = [];
      for await (const chunk of await store.stream(at(key))) chunks.push(chunk);
      expect(Buffer.concat(chunks).equals(body)).toBe(true);
    });

    it('reads, streams and copies only the etag that was seen', async () => {
      const key = `${fresh()}seen`;
      const { etag } = await store.write(at(key), 'one');
      expect(text((await store.read(at(key), { ifMatch: etag })).bytes)).toBe('one');
      await store.write(at(key), 'two');
      await expect(store.read(at(key), { ifMatch: etag })).rejects.toBeInstanceOf(PreconditionFailed);
      await expect(store.stream(at(key), { ifMatch: etag })).rejects.toBeInstanceOf(PreconditionFailed);
      await expect(store.copy({ ...at(key), etag, sizeBytes: 3 }, at(`${key}-copy`))).rejects.toBeInstanceOf(
        PreconditionFailed,
      );
      expect(await store.head(at(`${key}-copy`))).toBeUndefined();
    });

    it('lets one of many create, and each etag be replaced once', async () => {
      const key = `${fresh()}lease`;
      const outcomes = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => store.write(at(key), `holder ${n}`, { ifNoneMatch: '*' })),
      );
      expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(PreconditionFailed);
      }
      const { etag } = (await store.head(at(key)))!;
      const takeovers = await Promise.allSettled(
        Array.from({ length: 20 }, (_, n) => store.write(at(key), `taker ${n}`, { ifMatch: etag })),
      );
      expect(takeovers.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    });

    it('does not replace what is not there', async () => {
      await expect(store.write(at(`${fresh()}x`), 'x', { ifMatch: '"abc"' })).rejects.toBeInstanceOf(
        NoSuchObject,
      );
    });

    it('writes streams of any length, and only where nothing is when asked', async () => {
      const key = `${fresh()}streamed`;
      for (const sizes of [[], [3, 0, 4], [9_000_000, 1, 9_000_000]]) {
        const hash = createHash('sha256');
        const chunks = async function* () {
          for (const size of sizes) {
            const chunk = Buffer.alloc(size, `${size}`);
            hash.update(chunk);
            yield chunk;
            chunk.fill(0);
          }
        };
        const written = await store.writeStream(at(key), chunks());
        const total = sizes.reduce((sum, size) => sum + size, 0);
        expect(written.sizeBytes).toBe(total);
        const { bytes, etag } = await store.read(at(key));
        expect(etag).toBe(written.etag);
        expect(createHash('sha256').update(bytes).digest('hex')).toBe(hash.digest('hex'));
      }
      const more = async function* () {
        yield 'text';
        yield Buffer.alloc(9_000_000);
      };
      await expect(store.writeStream(at(key), more(), { ifNoneMatch: '*' })).rejects.toBeInstanceOf(
        PreconditionFailed,
      );
    });

    it('leaves nothing when a stream fails', async () => {
      const key = `${fresh()}broken`;
      const chunks = async function* () {
        yield Buffer.alloc(9_000_000);
        throw new Error('the source broke');
      };
      await expect(store.writeStream(at(key), chunks())).rejects.toThrow('the source broke');
      expect(await store.head(at(key))).toBeUndefined();
    });

    it('copies with the digest of the bytes, also of what came in parts', async () => {
      const below = fresh();
      const chunks = async function* () {
        yield Buffer.alloc(9_000_000, 'p');
      };
      await store.write(at(`${below}whole`), 'some bytes');
      await store.writeStream(at(`${below}parts`), chunks());
      for (const key of [`${below}whole`, `${below}parts`]) {
        const entry = (await store.head(at(key)))!;
        const { bytes } = await store.read(at(key));
        const copied = await store.copy({ ...at(key), ...entry }, at(`${key}-copy`));
        expect(copied.sha256).toBe(createHash('sha256').update(bytes).digest('hex'));
        expect(await store.head(at(`${key}-copy`))).toMatchObject({
          etag: copied.etag,
          sizeBytes: entry.sizeBytes,
        });
      }
    });

    it('removes what has the etag, leaves what changed, and counts what is gone already', async () => {
      const below = fresh();
      const a = await store.write(at(`${below}a`), 'a');
      const b = await store.write(at(`${below}b`), 'b');
      await store.write(at(`${below}b`), 'changed');
      await store.write(at(`${below}c`), 'c');
      const result = await store.remove(opened.bucket, [
        { key: `${below}a`, etag: a.etag },
        { key: `${below}b`, etag: b.etag },
        { key: `${below}c` },
        { key: `${below}gone`, etag: a.etag },
        { key: `${below}never` },
      ]);
      expect(result.removed.sort()).toEqual([`${below}a`, `${below}c`, `${below}gone`, `${below}never`]);
      expect(result.changed).toEqual([`${below}b`]);
      expect(result.failed).toEqual([]);
      expect(await keysOf(below)).toEqual([`${below}b`]);
    });

    it('lists and removes more than a page, in the order of UTF-8 bytes', async () => {
      const below = fresh();
      const keys = [
        ...Array.from({ length: 1100 }, (_, n) => `${below}${n}`),
        `${below}\uffee`,
        `${below}😀`,
        `${below}é`,
      ];
      for (let n = 0; n < keys.length; n += 50) {
        await Promise.all(keys.slice(n, n + 50).map((key) => store.write(at(key), 'x')));
      }
      const sorted = keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
      expect(await keysOf(below)).toEqual(sorted);
      expect(await keysOf(below, sorted[600])).toEqual(sorted.slice(601));
      const { removed } = await store.remove(
        opened.bucket,
        keys.map((key) => ({ key })),
      );
      expect(removed).toHaveLength(keys.length);
      expect(await keysOf(below)).toEqual([]);
    });

    it.each(ODD_KEYS)('round-trips the key %j', async (key) => {
      const { etag } = await store.write(at(key), key);
      expect(text((await store.read(at(key))).bytes)).toBe(key);
      const listed = await keysOf(key);
      expect(listed).toEqual([key]);
      const copied = await store.copy(
        { ...at(key), etag, sizeBytes: Buffer.byteLength(key) },
        at(`copies/${count}`),
      );
      expect(copied.sha256).toBe(createHash('sha256').update(key).digest('hex'));
      await store.copy({ ...at(`copies/${count}`), ...copied, sizeBytes: Buffer.byteLength(key) }, at(key));
      const result = await store.remove(opened.bucket, [{ key, etag }]);
      expect(result).toEqual({ removed: [key], changed: [], failed: [] });
      expect(await store.head(at(key))).toBeUndefined();
    });
  });
}
