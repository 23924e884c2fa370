/**
 * From the data set of a Distributed Map to the inputs of its children: read (ItemReader or Items), select
 * (ItemSelector), batch (ItemBatcher). Developer guide, "ItemReader", "ItemBatcher".
 */
import type { DistributedMapState, ItemBatcher, ItemReader } from '../definition/model.ts';
import { StateError, statesError } from '../errors.ts';
import type { ChildInput } from '../journal/records.ts';
import { isObject, type Json, typeName } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { type Visit, withinLimit } from '../runtime/visit.ts';
import { itemsOf } from './items.ts';

/** Inputs of the children, in order. Throws States.ItemReaderFailed, States.DataLimitExceeded. */
export async function* childInputs(state: DistributedMapState, visit: Visit): AsyncGenerator<ChildInput> {
  const items = selected(state, visit);
  if (state.itemBatcher) yield* batched(state.itemBatcher, visit, items);
  else
    for await (const item of items)
      yield { input: withinLimit(item, `An item of '${state.name}' came`), items: 1 };
}

async function* selected(state: DistributedMapState, visit: Visit): AsyncGenerator<Json> {
  let index = 0;
  for await (const value of read(state, visit)) {
    const mapItem = { Index: index, Value: value };
    yield state.itemSelector ? await visit.evaluate(state.itemSelector, { mapItem }) : value;
    index += 1;
  }
}

async function* read(state: DistributedMapState, visit: Visit): AsyncGenerator<Json> {
  const { itemReader: reader } = state;
  if (!reader) {
    yield* await itemsOf(state, visit);
    return;
  }
  const most = (await visit.optionalNumber(reader.maxItems)) ?? LIMITS.mapItems.max;
  const where = await visit.evaluate(reader.arguments);
  let count = 0;
  try {
    for await (const item of readFromS3(reader, visit, where)) {
      if (count >= most) return;
      count += 1;
      yield item;
    }
  } catch (error) {
    if (error instanceof StateError) throw error;
    const { name, message } = error as Error;
    throw statesError('States.ItemReaderFailed', `${name}: ${message}`, { cause: error });
  }
}

function readFromS3(reader: ItemReader, visit: Visit, where: Json): AsyncIterable<Json> {
  const bucket = member(where, 'Bucket');
  if (reader.resource === 'arn:aws:states:::s3:listObjectsV2') {
    return listed(visit, bucket, isObject(where) ? String(where.Prefix ?? '') : '');
  }
  const key = member(where, 'Key');
  return reader.inputType === 'JSONL' ? jsonLines(visit, bucket, key) : jsonArray(visit, bucket, key);
}

function member(where: Json, name: string): string {
  const value = isObject(where) ? where[name] : undefined;
  if (typeof value === 'string' && value !== '') return value;
  throw statesError(
    'States.ItemReaderFailed',
    `Arguments/${name} expected a string, but was ${typeName(value)}`,
  );
}

async function* listed(visit: Visit, bucket: string, prefix: string): AsyncGenerator<Json> {
  for await (const object of visit.engine.services.listObjects(bucket, prefix)) {
    const { Key, Size, Etag, LastModified } = object;
    const seconds = typeof LastModified === 'number' ? LastModified : new Date(LastModified).getTime() / 1000;
    yield { Etag, Key, LastModified: Math.floor(seconds), Size, StorageClass: 'STANDARD' };
  }
}

async function* jsonArray(visit: Visit, bucket: string, key: string): AsyncGenerator<Json> {
  const text = decode(await visit.engine.services.readObject(bucket, key));
  const value = parse(text, 'the object');
  if (!Array.isArray(value)) {
    throw statesError('States.ItemReaderFailed', `expected a JSON array, but was ${typeName(value)}`);
  }
  yield* value as Json[];
}

/** Line by line, so that only the bytes of the object and one line are in memory. */
async function* jsonLines(visit: Visit, bucket: string, key: string): AsyncGenerator<Json> {
  const bytes = await visit.engine.services.readObject(bucket, key);
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const newline = bytes.indexOf(10, start);
    const end = newline < 0 ? bytes.length : newline;
    const text = decode(bytes.subarray(start, end)).trim();
    line += 1;
    if (text !== '') yield parse(text, `line ${line}`);
    start = end + 1;
  }
}

const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function parse(text: string, where: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw statesError('States.ItemReaderFailed', `expected JSON in ${where}`);
  }
}

/** Groups items into `{ BatchInput?, Items }`, by number and by bytes of the whole input. */
async function* batched(
  batcher: ItemBatcher,
  visit: Visit,
  items: AsyncIterable<Json>,
): AsyncGenerator<ChildInput> {
  const mostItems = (await visit.optionalNumber(batcher.maxItems)) ?? Number.MAX_SAFE_INTEGER;
  const mostBytes = (await visit.optionalNumber(batcher.maxBytes)) ?? LIMITS.stateDataBytes.max;
  const batchInput = batcher.batchInput ? await visit.evaluate(batcher.batchInput) : undefined;
  const head =
    batchInput === undefined ? '{"Items":[' : `{"BatchInput":${JSON.stringify(batchInput)},"Items":[`;
  const emptyBytes = Buffer.byteLength(head) + 2;
  let texts: string[] = [];
  let bytes = emptyBytes;
  const take = (): ChildInput => {
    const batch = { input: `${head}${texts.join(',')}]}`, items: texts.length };
    texts = [];
    bytes = emptyBytes;
    return batch;
  };
  for await (const item of items) {
    const text = JSON.stringify(item);
    const size = Buffer.byteLength(text) + 1;
    if (emptyBytes + size - 1 > mostBytes) {
      throw statesError(
        'States.DataLimitExceeded',
        `An item of ${size - 1} bytes is over the limit of a batch.`,
      );
    }
    if (texts.length >= mostItems || bytes + size - 1 > mostBytes) yield take();
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield take();
}
