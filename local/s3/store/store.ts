/**
 * The index over LevelDB and the content behind it. Every change is one atomic batch made under the lock of its key, so
 * that a condition holds when the change lands. An acknowledged write is in the operating system's hands (it survives
 * kill -9); it is not forced to the platter, see docs in server.ts.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type BatchOperation, ClassicLevel } from 'classic-level';
import type { CorsRule } from '../cors.ts';
import { S3Error } from '../s3-error.ts';
import { ContentStore, type NewContent, type Row } from './content.ts';
import { KeyedLock } from './keyed-lock.ts';
import {
  type BucketRecord,
  endOf,
  type ObjectRecord,
  type PartRecord,
  rows,
  type UploadRecord,
} from './records.ts';

interface BucketState {
  record: BucketRecord;
  /** Batches on their way. */
  commits: number;
  /** While DeleteBucket looks whether it is empty, commits wait. */
  deleting?: Promise<void>;
}

export class Store {
  readonly content: ContentStore;
  readonly db: ClassicLevel<string, unknown>;
  readonly #locks = new KeyedLock();
  readonly #buckets = new Map<string, BucketState>();
  #isDamaged = false;
  #isClosed = false;
  #reopening: Promise<void> | undefined;

  private constructor(dataDir: string, db: ClassicLevel<string, unknown>) {
    this.db = db;
    this.content = new ContentStore(dataDir, db);
  }

  /** Opens or makes the store in `dataDir`. Throws a one-line Error when another process has it open. */
  static async open(dataDir: string): Promise<Store> {
    let db: ClassicLevel<string, unknown> | undefined;
    let store: Store | undefined;
    try {
      await mkdir(dataDir, { recursive: true });
      db = new ClassicLevel<string, unknown>(join(dataDir, 'index'), { valueEncoding: 'json' });
      await db.open();
      store = new Store(dataDir, db);
      await store.#readBuckets();
      return store;
    } catch (error) {
      await store?.content.close();
      await db?.close().catch(() => undefined);
      throw openingError(dataDir, error);
    }
  }

  async #readBuckets(): Promise<void> {
    for await (const [, record] of this.db.iterator({ gte: 'b\0', lt: endOf('b\0') })) {
      const bucket = record as BucketRecord;
      this.#buckets.set(bucket.name, { record: bucket, commits: 0 });
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.content.close();
    await this.db.close();
  }

  // Buckets

  buckets(): BucketRecord[] {
    return [...this.#buckets.values()]
      .map((state) => state.record)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Throws NoSuchBucket. */
  bucket(name: string): BucketRecord {
    return this.#state(name).record;
  }

  hasBucket(name: string): boolean {
    return this.#buckets.has(name);
  }

  /** Makes the bucket or sets its options; what is not given stays, `cors: null` removes it. Safe to repeat. */
  async putBucket(
    name: string,
    options: { eventBridge?: boolean; cors?: readonly CorsRule[] | null; now: number },
  ): Promise<void> {
    await this.#locks.run(rows.bucket(name), async () => {
      const known = this.#buckets.get(name);
      const cors = options.cors === undefined ? known?.record.cors : options.cors;
      const record = {
        name,
        createdAt: known?.record.createdAt ?? options.now,
        eventBridge: options.eventBridge ?? known?.record.eventBridge ?? false,
        ...(cors ? { cors } : {}),
      };
      await this.#batch([{ type: 'put', key: rows.bucket(name), value: record, valueEncoding: 'json' }]);
      if (known) known.record = record;
      else this.#buckets.set(name, { record, commits: 0 });
    });
  }

  /** Throws NoSuchBucket, BucketNotEmpty. Uploads that were never completed go with the bucket. */
  async deleteBucket(name: string): Promise<void> {
    await this.#locks.run(rows.bucket(name), async () => {
      const state = this.#state(name);
      let finish!: () => void;
      state.deleting = new Promise((resolve) => {
        finish = resolve;
      });
      try {
        while (state.commits > 0) await new Promise((resolve) => setImmediate(resolve));
        const [first] = await this.db
          .keys({ gte: rows.objects(name), lt: endOf(rows.objects(name)), limit: 1 })
          .all();
        if (first !== undefined)
          throw new S3Error('BucketNotEmpty', undefined, { facts: { BucketName: name } });
        for await (const key of this.db.keys({ gte: rows.uploads(name), lt: endOf(rows.uploads(name)) })) {
          await this.#dropUpload(key);
        }
        await this.#batch([{ type: 'del', key: rows.bucket(name) }]);
        this.#buckets.delete(name);
      } finally {
        delete state.deleting;
        finish();
      }
    });
  }

  // Objects

  object(bucket: string, key: string): ObjectRecord | undefined {
    return this.db.getSync(rows.object(bucket, key)) as ObjectRecord | undefined;
  }

  /**
   * Makes `record` the object, when `check` lets it (it throws what the caller should see). Takes over `content`:
   * stored when this returns, discarded when it throws.
   */
  async putObject(
    bucket: string,
    key: string,
    record: ObjectRecord,
    content: NewContent,
    check: (current: ObjectRecord | undefined) => void,
  ): Promise<void> {
    let replaced: ObjectRecord | undefined;
    try {
      await this.#locks.run(rows.object(bucket, key), async () => {
        replaced = this.object(bucket, key);
        check(replaced);
        await this.#commit(bucket, [
          ...content.rows,
          ...(replaced ? this.content.dropRows(replaced.segments) : []),
          { type: 'put', key: rows.object(bucket, key), value: record, valueEncoding: 'json' },
        ]);
      });
    } catch (error) {
      await this.content.discard(content);
      throw error;
    }
    this.content.settle(content);
    if (replaced) await this.content.remove(replaced.segments);
  }

  /** Changes what is recorded of an object, its content aside. Throws what `change` throws. */
  async updateObject(
    bucket: string,
    key: string,
    change: (current: ObjectRecord | undefined) => ObjectRecord,
  ): Promise<void> {
    await this.#locks.run(rows.object(bucket, key), async () => {
      const value = change(this.object(bucket, key));
      await this.#commit(bucket, [
        { type: 'put', key: rows.object(bucket, key), value, valueEncoding: 'json' },
      ]);
    });
  }

  /** Removes the object when `check` lets it. Returns what was removed. */
  async deleteObject(
    bucket: string,
    key: string,
    check: (current: ObjectRecord | undefined) => void,
  ): Promise<ObjectRecord | undefined> {
    const removed = await this.#locks.run(rows.object(bucket, key), async () => {
      const current = this.object(bucket, key);
      check(current);
      if (current) {
        const drop: Row = { type: 'del', key: rows.object(bucket, key) };
        await this.#commit(bucket, [drop, ...this.content.dropRows(current.segments)]);
      }
      return current;
    });
    if (removed) await this.content.remove(removed.segments);
    return removed;
  }

  // Multipart uploads

  async createUpload(uploadId: string, record: UploadRecord): Promise<void> {
    const key = rows.upload(record.bucket, record.key, uploadId);
    await this.#commit(record.bucket, [{ type: 'put', key, value: record, valueEncoding: 'json' }]);
  }

  /** Throws NoSuchUpload. */
  upload(bucket: string, key: string, uploadId: string): UploadRecord {
    const found = this.db.getSync(rows.upload(bucket, key, uploadId)) as UploadRecord | undefined;
    if (!found) throw new S3Error('NoSuchUpload', undefined, { facts: { UploadId: uploadId } });
    return found;
  }

  /** Sets or replaces one part; takes over `content` as putObject does. */
  async putPart(
    at: { bucket: string; key: string; uploadId: string; partNumber: number },
    record: PartRecord,
    content: NewContent,
  ): Promise<void> {
    const row = rows.part(at.uploadId, at.partNumber);
    let replaced: PartRecord | undefined;
    try {
      await this.#locks.run(at.uploadId, async () => {
        this.upload(at.bucket, at.key, at.uploadId);
        replaced = this.db.getSync(row) as PartRecord | undefined;
        await this.#commit(at.bucket, [
          ...content.rows,
          ...(replaced ? this.content.dropRows(replaced.segments) : []),
          { type: 'put', key: row, value: record, valueEncoding: 'json' },
        ]);
      });
    } catch (error) {
      await this.content.discard(content);
      throw error;
    }
    this.content.settle(content);
    if (replaced) await this.content.remove(replaced.segments);
  }

  async parts(uploadId: string): Promise<{ partNumber: number; part: PartRecord }[]> {
    const prefix = rows.parts(uploadId);
    const entries = await this.db.iterator({ gte: prefix, lt: endOf(prefix) }).all();
    return entries.map(([key, part]) => ({
      partNumber: Number(key.slice(prefix.length)),
      part: part as PartRecord,
    }));
  }

  async abortUpload(bucket: string, key: string, uploadId: string): Promise<void> {
    await this.#locks.run(uploadId, async () => {
      this.upload(bucket, key, uploadId);
      await this.#dropUpload(rows.upload(bucket, key, uploadId));
    });
  }

  /** Turns the parts that `assemble` picks into the object; the others are dropped. An index change only. */
  async completeUpload(
    at: { bucket: string; key: string; uploadId: string },
    assemble: (upload: UploadRecord, parts: ReadonlyMap<number, PartRecord>) => ObjectRecord,
    check: (current: ObjectRecord | undefined) => void,
  ): Promise<ObjectRecord> {
    return this.#locks.run(at.uploadId, async () => {
      const upload = this.upload(at.bucket, at.key, at.uploadId);
      const parts = await this.parts(at.uploadId);
      const record = assemble(upload, new Map(parts.map(({ partNumber, part }) => [partNumber, part])));
      const kept = new Set(record.segments.map((segment) => segment.id));
      const unused = parts.flatMap(({ part }) => part.segments.filter((segment) => !kept.has(segment.id)));
      const objectRow = rows.object(at.bucket, at.key);
      const replaced = await this.#locks.run(objectRow, async () => {
        const current = this.object(at.bucket, at.key);
        check(current);
        await this.#commit(at.bucket, [
          { type: 'put', key: objectRow, value: record, valueEncoding: 'json' },
          { type: 'del', key: rows.upload(at.bucket, at.key, at.uploadId) },
          ...parts.map(({ partNumber }): Row => ({ type: 'del', key: rows.part(at.uploadId, partNumber) })),
          ...this.content.dropRows([...unused, ...(current?.segments ?? [])]),
        ]);
        return current;
      });
      await this.content.remove([...unused, ...(replaced?.segments ?? [])]);
      return record;
    });
  }

  async #dropUpload(uploadRow: string): Promise<void> {
    const uploadId = uploadRow.slice(uploadRow.lastIndexOf('\0') + 1);
    const parts = await this.parts(uploadId);
    const segments = parts.flatMap(({ part }) => part.segments);
    await this.#batch([
      { type: 'del', key: uploadRow },
      ...parts.map(({ partNumber }): Row => ({ type: 'del', key: rows.part(uploadId, partNumber) })),
      ...this.content.dropRows(segments),
    ]);
    await this.content.remove(segments);
  }

  #state(name: string): BucketState {
    const state = this.#buckets.get(name);
    if (!state) throw new S3Error('NoSuchBucket', undefined, { facts: { BucketName: name } });
    return state;
  }

  async #commit(bucket: string, batch: readonly Row[]): Promise<void> {
    let state = this.#state(bucket);
    while (state.deleting) {
      await state.deleting;
      state = this.#state(bucket);
    }
    state.commits++;
    try {
      await this.#batch(batch);
    } finally {
      state.commits--;
    }
  }

  /**
   * After a write that failed (a full disk), LevelDB's log may end in half a record, and what is appended behind it
   * could be lost at the next start. So nothing more is written before the index has been opened afresh.
   */
  async #batch(batch: readonly Row[]): Promise<void> {
    if (this.#isDamaged && !this.#isClosed) await this.#reopen();
    try {
      await this.db.batch(batch as BatchOperation<ClassicLevel<string, unknown>, string, unknown>[]);
    } catch (error) {
      this.#isDamaged = true;
      throw error;
    }
  }

  /** To be awaited before a request is served: opens an index again that could not be opened after damage. */
  async ready(): Promise<void> {
    if (this.#isDamaged && this.db.status !== 'open' && !this.#isClosed) await this.#reopen();
  }

  /** Only with room for it: until then reads go on. Those that come while it is closed are told to try again (503). */
  #reopen(): Promise<void> {
    this.#reopening ??= (async () => {
      this.content.checkRoom(0);
      await this.db.close();
      await this.db.open();
      this.#isDamaged = false;
    })().finally(() => {
      this.#reopening = undefined;
    });
    return this.#reopening;
  }
}

function openingError(dataDir: string, error: unknown): Error {
  const { code, message } = ((error as Error).cause ?? error) as { code?: string; message: string };
  const why = code === 'LEVEL_LOCKED' ? 'it is in use by another process' : message;
  return new Error(`cannot open the data directory ${dataDir}: ${why}`, { cause: error });
}
