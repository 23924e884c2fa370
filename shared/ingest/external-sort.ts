/**
 * Sorts more lines than memory holds: sorted runs on the temporary disk, merged as they are read. A million lines of
 * 500 bytes need about 100 MB of memory and their own size of disk.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { linesOf } from './ndjson.ts';

/** Characters of one run in memory. */
const RUN_CHARACTERS = 24_000_000;

interface Entry {
  readonly key: string;
  readonly line: string;
}

export interface Sorter<T> {
  /** Keys must hold no control characters but those below U+0009. */
  add(key: string, value: T): Promise<void>;
  /** Everything added, in key order; equal keys in the order they were added. May be read several times. */
  sorted(): AsyncGenerator<T>;
  /** Removes the runs. Always call it. */
  close(): Promise<void>;
}

export async function openSorter<T>(runCharacters = RUN_CHARACTERS): Promise<Sorter<T>> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-sort-'));
  const runs: string[] = [];
  let buffer: Entry[] = [];
  let characters = 0;

  const flush = async () => {
    if (buffer.length === 0) return;
    sortEntries(buffer);
    const file = join(folder, String(runs.length));
    await writeRun(file, buffer);
    runs.push(file);
    buffer = [];
    characters = 0;
  };
  return {
    add: async (key, value) => {
      const line = JSON.stringify(value);
      buffer.push({ key, line });
      characters += key.length + line.length;
      if (characters >= runCharacters) await flush();
    },
    sorted: async function* () {
      sortEntries(buffer);
      const sources = [...runs.map(readRun), fromArray(buffer)];
      for await (const entry of merge(sources)) yield JSON.parse(entry.line) as T;
    },
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

const sortEntries = (entries: Entry[]) =>
  entries.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));

async function writeRun(file: string, entries: readonly Entry[]): Promise<void> {
  const stream = createWriteStream(file);
  let piece = '';
  const put = async () => {
    if (!stream.write(piece)) await new Promise((resolve) => stream.once('drain', () => resolve(undefined)));
    piece = '';
  };
  for (const { key, line } of entries) {
    piece += `${key}\t${line}\n`;
    if (piece.length > 1_000_000) await put();
  }
  stream.end(piece);
  await finished(stream);
}

async function* readRun(file: string): AsyncGenerator<Entry[]> {
  const input = createReadStream(file, { highWaterMark: 256 * 1024 });
  let entries: Entry[] = [];
  // Not node:readline: whether U+2028, which JSON leaves as it is, ends a line depends on the version of Node.
  for await (const text of linesOf(input)) {
    const tab = text.indexOf('\t');
    entries.push({ key: text.slice(0, tab), line: text.slice(tab + 1) });
    if (entries.length < 512) continue;
    yield entries;
    entries = [];
  }
  if (entries.length > 0) yield entries;
}

async function* fromArray(entries: readonly Entry[]): AsyncGenerator<readonly Entry[]> {
  if (entries.length > 0) yield entries;
}

/** K-way merge of sorted runs; of equal keys the earlier run's comes first. */
async function* merge(sources: AsyncGenerator<readonly Entry[]>[]): AsyncGenerator<Entry> {
  const heads: { entries: readonly Entry[]; at: number; source: AsyncGenerator<readonly Entry[]> }[] = [];
  for (const source of sources) {
    const first = await source.next();
    if (!first.done) heads.push({ entries: first.value, at: 0, source });
  }
  while (heads.length > 0) {
    let least = 0;
    for (let i = 1; i < heads.length; i++) if (keyAt(heads[i]!) < keyAt(heads[least]!)) least = i;
    const head = heads[least]!;
    yield head.entries[head.at]!;
    head.at++;
    if (head.at < head.entries.length) continue;
    const more = await head.source.next();
    if (more.done) heads.splice(least, 1);
    else Object.assign(head, { entries: more.value, at: 0 });
  }
}

const keyAt = (head: { entries: readonly Entry[]; at: number }) => head.entries[head.at]!.key;
