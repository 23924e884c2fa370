import {
  appendFileSync,
  chmodSync,
  mkdtempSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planUpload } from '../../cli/upload/plan-upload.ts';
import { sendFiles } from '../../cli/upload/send-files.ts';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';
import { unprivileged } from '../unprivileged.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-send-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const LARGE = 20 * 1024 * 1024 + 7;
const plan = () => planUpload([folder], 'up').files;
const put = (name: string, bytes: Uint8Array | string) => writeFileSync(join(folder, name), bytes);

/** A store that calls `meddle` when it is given the object with this key. */
function meddling(store: ObjectStore, key: string, meddle: () => void): ObjectStore {
  return {
    ...store,
    writeStream(to, chunks, options) {
      async function* watched() {
        let isFirst = true;
        for await (const chunk of chunks) {
          yield chunk;
          if (isFirst && to.key === key) meddle();
          isFirst = false;
        }
      }
      return store.writeStream(to, watched(), options);
    },
  };
}

describe('sending files', () => {
  it('puts every byte of small, empty and large files under their keys', async () => {
    const store = memoryObjectStore();
    const large = new Uint8Array(LARGE).fill(7);
    large.set([1, 2, 3], LARGE - 3);
    put('small', 'hello');
    put('empty', '');
    put('large', large);
    const progress: number[] = [];
    const sent = await sendFiles(store, 'inbox', plan(), ({ files }) => progress.push(files));
    expect(sent).toEqual({ files: 3, bytes: LARGE + 5, problems: [] });
    expect(progress).toEqual([1, 2, 3]);
    const { bytes } = await store.read({ bucket: 'inbox', key: 'up/large' });
    expect(Buffer.compare(bytes, large)).toBe(0);
    expect((await store.head({ bucket: 'inbox', key: 'up/empty' }))?.sizeBytes).toBe(0);
  });

  it('names a file that vanished, and sends the others', async () => {
    const store = memoryObjectStore();
    put('a', '1');
    put('gone', '2');
    put('z', '3');
    const files = plan();
    unlinkSync(join(folder, 'gone'));
    const sent = await sendFiles(store, 'inbox', files, () => undefined);
    expect(sent.files).toBe(2);
    expect(sent.problems).toEqual([{ path: join(folder, 'gone'), why: 'no such file or folder' }]);
  });

  it.each([
    ['grows', (file: string) => appendFileSync(file, 'more')],
    ['shrinks', (file: string) => truncateSync(file, 2 * 1024 * 1024)],
  ])('does not send a large file that %s while it is read', async (_, change) => {
    const store = memoryObjectStore();
    put('large', new Uint8Array(LARGE));
    const meddled = meddling(store, 'up/large', () => change(join(folder, 'large')));
    const sent = await sendFiles(meddled, 'inbox', plan(), () => undefined);
    expect(sent.problems.map(({ why }) => why)).toEqual(['changed while it was read']);
    expect(await store.head({ bucket: 'inbox', key: 'up/large' })).toBeUndefined();
  });

  it('names a file that it may not read', async () => {
    chmodSync(folder, 0o755);
    put('locked', 'x');
    const files = plan();
    chmodSync(join(folder, 'locked'), 0);
    const sent = await unprivileged(() => sendFiles(memoryObjectStore(), 'inbox', files, () => undefined));
    expect(sent.problems.map(({ why }) => why)).toEqual(['permission denied']);
  });

  it('stops when the store is gone, and throws what it said', async () => {
    for (let i = 0; i < 50; i += 1) put(`f${i}`, 'x');
    const store = memoryObjectStore();
    let writes = 0;
    const broken: ObjectStore = {
      ...store,
      write: async (...args) => {
        writes += 1;
        if (writes > 3)
          throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED', syscall: 'connect' });
        return store.write(...args);
      },
    };
    await expect(sendFiles(broken, 'inbox', plan(), () => undefined)).rejects.toThrow('connect');
    expect(writes).toBeLessThan(20);
  });
});
