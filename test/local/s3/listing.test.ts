/** Listings over 2,500 keys: pages, prefixes, delimiters, order of UTF-8 bytes. */
import {
  ListObjectsCommand,
  type ListObjectsCommandOutput,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  PutObjectCommand,
  paginateListObjectsV2,
} from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStore, type TestStore } from './store-for-tests.ts';

let store: TestStore;
const Bucket = 'listing';
const keys = [
  ...Array.from({ length: 2500 }, (_, n) => `s${n % 7}/deep/${n}.dcm`),
  'top',
  's1',
  's1-x',
  's1/',
  'ü/ä',
  '\uffee/x',
  '😀/x',
  'a b/+c%25',
].sort(compare);

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

beforeAll(async () => {
  store = await startTestStore();
  await store.server.createBucket(Bucket);
  for (let n = 0; n < keys.length; n += 50) {
    await Promise.all(
      keys.slice(n, n + 50).map((Key) => store.client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))),
    );
  }
});
afterAll(() => store.close());

/** Everything that pages give: keys and common prefixes, in the order of the pages. */
async function all(input: Partial<ListObjectsV2CommandInput>, pageSize: number) {
  const found = { keys: [] as string[], prefixes: [] as string[], pages: 0 };
  const pages = paginateListObjectsV2({ client: store.client, pageSize }, { Bucket, ...input });
  for await (const page of pages) {
    found.pages++;
    found.keys.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    found.prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!));
    expect(page.KeyCount).toBeLessThanOrEqual(pageSize);
  }
  return found;
}

/** The same by the definition. */
function expected(prefix: string, delimiter: string, startAfter: string) {
  const found = { keys: [] as string[], prefixes: [] as string[] };
  for (const key of keys) {
    if (!key.startsWith(prefix) || (startAfter !== '' && compare(key, startAfter) <= 0)) continue;
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    if (cut < 0) found.keys.push(key);
    else {
      const rolledUp = key.slice(0, cut + delimiter.length);
      if (found.prefixes.at(-1) !== rolledUp) found.prefixes.push(rolledUp);
    }
  }
  return found;
}

it('gives every key once over three pages', async () => {
  const found = await all({}, 1000);
  expect(found.keys).toEqual(keys);
  expect(found.pages).toBe(3);
});

it('rolls 2,500 keys up into few common prefixes', async () => {
  const found = await all({ Delimiter: '/' }, 3);
  const { pages, ...rest } = found;
  expect(rest).toEqual(expected('', '/', ''));
  expect(pages).toBe(Math.ceil((rest.keys.length + rest.prefixes.length) / 3));
});

it('agrees with the definition for any prefix, delimiter, start and page size', async () => {
  const key = fc.constantFrom(...keys.filter((_, n) => n % 97 === 0), 'zzz', '0', 's3/deep/', 'ü');
  const prefix = fc.oneof(fc.constantFrom('', 's', 's1', 's1/', 's1/de', 's6/deep/1', 'ü', 'none', '😀'));
  const delimiter = fc.constantFrom('', '/', 'deep/', '1', 'dcm');
  const run = fc.asyncProperty(
    prefix,
    delimiter,
    fc.option(key, { nil: '' }),
    fc.constantFrom(100, 333, 1000),
    async (p, d, s, size) => {
      const input = { Prefix: p, Delimiter: d, ...(s !== '' && { StartAfter: s }) };
      const { pages: _pages, ...found } = await all(input, size);
      expect(found).toEqual(expected(p, d, s));
    },
  );
  await fc.assert(run, { numRuns: 40 });
});

it('url-encodes when asked, answers no keys to MaxKeys 0, refuses nonsense', async () => {
  const list = (input: Partial<ListObjectsV2CommandInput>) =>
    store.client.send(new ListObjectsV2Command({ Bucket, ...input }));
  const encoded = await list({ Prefix: 'a b/', EncodingType: 'url' });
  expect(encoded.Contents?.map(({ Key }) => Key)).toEqual(['a%20b/%2Bc%2525']);
  expect(await list({ MaxKeys: 0 })).toMatchObject({ KeyCount: 0, IsTruncated: false });
  await expect(list({ MaxKeys: -1 })).rejects.toMatchObject({ name: 'InvalidArgument' });
  await expect(list({ ContinuationToken: '!' })).rejects.toMatchObject({ name: 'InvalidArgument' });
});

it('pages by marker as version 1 does', async () => {
  const found: string[] = [];
  let Marker: string | undefined;
  for (let isTruncated = true; isTruncated; ) {
    const page: ListObjectsCommandOutput = await store.client.send(
      new ListObjectsCommand({ Bucket, Marker, MaxKeys: 900 }),
    );
    found.push(...(page.Contents ?? []).map(({ Key }) => Key!));
    Marker = found.at(-1);
    isTruncated = page.IsTruncated ?? false;
  }
  expect(found).toEqual(keys);
  const prefixes: string[] = [];
  Marker = undefined;
  for (let isTruncated = true; isTruncated; ) {
    const page: ListObjectsCommandOutput = await store.client.send(
      new ListObjectsCommand({ Bucket, Marker, Delimiter: '/', MaxKeys: 2 }),
    );
    prefixes.push(...(page.CommonPrefixes ?? []).map(({ Prefix }) => Prefix!));
    Marker = page.NextMarker;
    isTruncated = page.IsTruncated ?? false;
  }
  expect(prefixes).toEqual(expected('', '/', '').prefixes);
});
