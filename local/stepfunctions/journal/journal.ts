/**
 * The durable side of the runtime: an ordered key-value store (LevelDB) written in batches. What is enqueued in one turn
 * of the event loop is on disk together or not at all, in order; `flushed` says when.
 */
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';

/** Above any character that a key uses after its prefix. */
const LAST = '\uffff';

export interface RangeOptions {
  /** Begin after this key, in the direction of reading. */
  readonly after?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

/** Writes that go to disk together. */
class Batch {
  readonly changes = new Map<string, string | undefined>();
  sync = false;
  readonly written: Promise<void>;
  resolve: () => void = () => {};
  reject: (error: Error) => void = () => {};

  constructor() {
    this.written = new Promise<void>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.written.catch(() => {});
  }
}

export class Journal {
  readonly #level: ClassicLevel<string, string>;
  #pending: Batch | undefined;
  #writing: Batch | undefined;
  #failure: Error | undefined;
  #closed = false;
  /** Called just before a batch is formed, so that running totals ride along. */
  beforeFlush: () => void = () => {};
  /** Called once when the disk refuses; nothing is written any more. */
  onFailure: (error: Error) => void = () => {};

  private constructor(level: ClassicLevel<string, string>) {
    this.#level = level;
  }

  /** Opens or makes the store in `folder`. Throws when another process holds it. */
  static async open(folder: string): Promise<Journal> {
    await mkdir(folder, { recursive: true });
    const level = new ClassicLevel<string, string>(folder, { keyEncoding: 'utf8', valueEncoding: 'utf8' });
    try {
      await level.open();
    } catch (error) {
      const code = (error as { cause?: { code?: string } }).cause?.code;
      const why = code === 'LEVEL_LOCKED' ? 'another process uses it' : (code ?? 'it cannot be opened');
      throw new Error(`Step Functions data in ${folder}: ${why}`, { cause: error });
    }
    return new Journal(level);
  }

  put(key: string, value: unknown): void {
    this.#enqueue(key, JSON.stringify(value));
  }

  remove(key: string): void {
    this.#enqueue(key, undefined);
  }

  #enqueue(key: string, text: string | undefined): void {
    if (this.#closed || this.#failure) return;
    if (!this.#pending) {
      this.#pending = new Batch();
      if (!this.#writing) setImmediate(() => this.#drain());
    }
    this.#pending.changes.set(key, text);
  }

  /**
   * Resolves once all that was enqueued before is on disk: it survives the end of this process, and with `sync` of the
   * machine. Rejects when the disk refused.
   */
  async flushed(options: { sync?: boolean } = {}): Promise<void> {
    if (this.#failure) throw this.#failure;
    if (options.sync && this.#pending) this.#pending.sync = true;
    await (this.#pending ?? this.#writing)?.written;
  }

  async #drain(): Promise<void> {
    if (this.#writing) return;
    for (let batch = this.#takePending(); batch; batch = this.#takePending()) {
      this.#writing = batch;
      try {
        await this.#write(batch);
        batch.resolve();
      } catch (error) {
        batch.reject(this.#fail(error));
      }
    }
    this.#writing = undefined;
  }

  #fail(cause: unknown): Error {
    if (this.#failure) return this.#failure;
    this.#failure = new Error('Step Functions data cannot be written', { cause });
    this.onFailure(this.#failure);
    return this.#failure;
  }

  #takePending(): Batch | undefined {
    if (!this.#pending) return undefined;
    this.beforeFlush();
    const batch = this.#pending;
    this.#pending = undefined;
    return batch;
  }

  async #write({ changes, sync }: Batch): Promise<void> {
    if (this.#failure) throw this.#failure;
    const chain = this.#level.batch();
    for (const [key, value] of changes) {
      if (value === undefined) chain.del(key);
      else chain.put(key, value);
    }
    await chain.write({ sync });
  }

  async get<T>(key: string): Promise<T | undefined> {
    await this.flushed();
    const text = await this.#level.get(key);
    return text === undefined ? undefined : (JSON.parse(text) as T);
  }

  /** Entries whose key starts with `prefix`, in key order (or the reverse), as [key, value]. */
  async *range<T>(prefix: string, options: RangeOptions = {}): AsyncGenerator<[string, T]> {
    await this.flushed();
    const { after, reverse = false, limit = -1 } = options;
    const bounds = reverse
      ? { gt: prefix, lt: after ?? prefix + LAST }
      : { gt: after ?? prefix, lt: prefix + LAST };
    for await (const [key, text] of this.#level.iterator({ ...bounds, reverse, limit })) {
      yield [key, JSON.parse(text) as T];
    }
  }

  /** Keys only, at most `limit`. */
  async keys(prefix: string, options: { reverse?: boolean; limit?: number } = {}): Promise<string[]> {
    await this.flushed();
    const { reverse = false, limit = -1 } = options;
    return this.#level.keys({ gt: prefix, lt: prefix + LAST, reverse, limit }).all();
  }

  /** Removes all keys that start with `prefix`. */
  async removeAll(prefix: string): Promise<void> {
    await this.flushed();
    await this.#level.clear({ gte: prefix, lt: prefix + LAST });
  }

  /** Writes what is enqueued and lets go of the folder; later writes are dropped. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.flushed().catch(() => {});
    await this.#level.close();
  }
}
