/** Shards and listings: what is read back when children are late, and how the inbox is walked. */
import { describe, expect, it } from 'vitest';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { ndjsonOf } from '../../shared/ingest/ndjson.ts';
import { resultLines } from '../../shared/ingest/shards.ts';
import { uploadsInInbox } from '../../shared/ingest/uploads.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

describe('the results of a stage', () => {
  it('count once when a shard that was split is written after all', async () => {
    const objects = memoryObjectStore();
    const write = (shard: string, numbers: number[]) =>
      objects.write({ bucket: 'work', key: `executions/e/inspected/${shard}` }, ndjsonOf(numbers));
    await write('r-00000', [0, 1]);
    await write('r-00000.0', [0]);
    await write('r-00000.1.0', [1]);
    await write('r-00001.0', [2]);
    await write('r-00001.1', [3]);
    await write('r-00010', [4]);
    const lines: number[] = [];
    for await (const n of resultLines<number>({ objects, workBucket: 'work' }, 'e', 'inspect')) lines.push(n);
    expect(lines).toEqual([0, 1, 2, 3, 4]);
  });
});

describe('the walk over the inbox', () => {
  it('jumps over a folder whatever characters its keys begin with', async () => {
    const store = memoryObjectStore();
    const names = ['ｱ', 'ﾝ', '\u{E000}', '\u{1F642}'];
    for (const upload of ['ｶﾙﾃ', 'plain'])
      for (let i = 0; i < 40; i++)
        await store.write({ bucket: 'inbox', key: `${upload}/${names[i % 4]}/${i}` }, 'x');
    await store.write({ bucket: 'inbox', key: 'ﾃﾞｰﾀ/ｱ' }, 'x');
    let listings = 0;
    const counting: ObjectStore = {
      ...store,
      list: (...args) => {
        listings++;
        return store.list(...args);
      },
    };
    expect([...(await uploadsInInbox(counting, 'inbox'))].sort()).toEqual(['plain', 'ｶﾙﾃ', 'ﾃﾞｰﾀ']);
    expect(listings).toBe(4);
  });
});
