/**
 * The embedded database: LevelDB, JSON values under ordered keys. A batch is atomic; `durable` batches are on disk
 * (fsync) before they are acknowledged, others survive a killed process but not a power cut.
 */
import { mkdir } from 'node:fs/promises';
import { ClassicLevel } from 'classic-level';

export type Operation =
  | { readonly type: 'put'; readonly key: string; readonly value: unknown }
  | { readonly type: 'del'; readonly key: string };

export const put = (key: string, value: unknown): Operation => ({ type: 'put', key, value });
export const del = (key: string): Operation => ({ type: 'del', key });

export interface Range {
  readonly gte?: string;
  readonly gt?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
  readonly limit?: number;
}

type Level = ClassicLevel<string, unknown>;
/** A fixed view of the database, for paging that does not move. */
export type Snapshot = ReturnType<Level['snapshot']>;

export interface Database {
  get<T>(key: string, snapshot?: Snapshot): Promise<T | undefined>;
  getMany<T>(keys: readonly string[], snapshot?: Snapshot): Promise<(T | undefined)[]>;
  entries<T>(range: Range, snapshot?: Snapshot): AsyncIterable<[string, T]>;
  keys(range: Range, snapshot?: Snapshot): AsyncIterable<string>;
  write(operations: readonly Operation[], options?: { durable?: boolean }): Promise<void>;
  snapshot(): Snapshot;
  /** Batches written since it was opened: the same number, the same content. */
  readonly writes: number;
  close(): Promise<void>;
}

/** Opens (or makes) the database in `folder`. Throws when another process holds it. */
export async function openDatabase(folder: string): Promise<Database> {
  await mkdir(folder, { recursive: true });
  const level: Level = new ClassicLevel<string, unknown>(folder, {
    keyEncoding: 'utf8',
    valueEncoding: 'json',
    cacheSize: 32 * 1024 * 1024,
    writeBufferSize: 8 * 1024 * 1024,
  });
  try {
    await level.open();
  } catch (error) {
    const code = (error as { cause?: { code?: string } }).cause?.code;
    const why = code === 'LEVEL_LOCKED' ? 'is in use by another process' : 'cannot be opened';
    throw new Error(`the data folder ${folder} ${why}`, { cause: error });
  }
  let writes = 0;
  return {
    get writes() {
      return writes;
    },
    get: (key, snapshot) => level.get(key, { ...(snapshot && { snapshot }) }) as Promise<never>,
    getMany: (keys, snapshot) =>
      level.getMany([...keys], { ...(snapshot && { snapshot }) }) as Promise<never[]>,
    entries: (range, snapshot) => level.iterator({ ...range, ...(snapshot && { snapshot }) }) as never,
    keys: (range, snapshot) => level.keys({ ...range, ...(snapshot && { snapshot }) }),
    async write(operations, options) {
      await level.batch([...operations], { sync: options?.durable ?? false });
      writes++;
    },
    snapshot: () => level.snapshot(),
    close: () => level.close(),
  };
}
