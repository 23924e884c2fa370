/** Lines of JSON and small JSON documents in the object store, streamed in bounded memory. */
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';

/** The lines of a stream of UTF-8 bytes, without their line feeds; empty lines are left out. */
export async function* linesOf(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of chunks) {
    const parts = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = parts.pop() ?? '';
    for (const part of parts) if (part !== '') yield part;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}

/** Every line of an NDJSON object, parsed. Throws NoSuchObject. */
export async function* readLines<T>(store: ObjectStore, bucket: string, key: string): AsyncGenerator<T> {
  for await (const line of linesOf(await store.stream({ bucket, key }))) yield JSON.parse(line) as T;
}

export async function allLines<T>(store: ObjectStore, bucket: string, key: string): Promise<T[]> {
  const { bytes } = await store.read({ bucket, key });
  const lines: T[] = [];
  for (const line of new TextDecoder().decode(bytes).split('\n'))
    if (line !== '') lines.push(JSON.parse(line) as T);
  return lines;
}

/** Every line of every shard below `prefix`, shards in the order of their names. */
export async function* readShards<T>(store: ObjectStore, bucket: string, prefix: string): AsyncGenerator<T> {
  for await (const entry of store.list(bucket, prefix)) yield* readLines<T>(store, bucket, entry.key);
}

/** One JSON value a line, in pieces of about 64 KiB. */
export async function* toNdjson(values: AsyncIterable<unknown> | Iterable<unknown>): AsyncGenerator<string> {
  let piece = '';
  for await (const value of values) {
    piece += `${JSON.stringify(value)}\n`;
    if (piece.length < 65_536) continue;
    yield piece;
    piece = '';
  }
  if (piece !== '') yield piece;
}

export const ndjsonOf = (values: readonly unknown[]): string =>
  values.map((value) => `${JSON.stringify(value)}\n`).join('');

/** The JSON document at `key` with its etag, or undefined where there is none. */
export async function readJson<T>(
  store: ObjectStore,
  bucket: string,
  key: string,
): Promise<{ value: T; etag: string } | undefined> {
  try {
    const { bytes, etag } = await store.read({ bucket, key });
    return { value: JSON.parse(new TextDecoder().decode(bytes)) as T, etag };
  } catch (error) {
    if (error instanceof NoSuchObject) return undefined;
    throw error;
  }
}

/**
 * Writes where nothing is yet: of two runs with the same input the first one's result stands, so that whoever reads
 * it never sees it change. Returns whether this run wrote it.
 */
export async function writeOnce(
  store: ObjectStore,
  bucket: string,
  key: string,
  body: string | AsyncIterable<string>,
): Promise<boolean> {
  try {
    if (typeof body === 'string') await store.write({ bucket, key }, body, { ifNoneMatch: '*' });
    else await store.writeStream({ bucket, key }, body, { ifNoneMatch: '*' });
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailed) return false;
    throw error;
  }
}

export const exists = async (store: ObjectStore, bucket: string, key: string): Promise<boolean> =>
  (await store.head({ bucket, key })) !== undefined;
