/** A full disk: a clear answer, nothing half-stored, nothing acknowledged is lost, and all goes on once there is room. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, truncateSync, writeSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTestStore } from './store-for-tests.ts';

let disk: string | undefined;
const Bucket = 'full';

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-disk-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', folder], { stdio: 'ignore' });
    disk = folder;
  } catch {
    console.warn('skipped: the full disk, for a small file system cannot be mounted without root');
  }
});
afterAll(async () => {
  if (disk === undefined) return;
  execFileSync('umount', [disk]);
  await rm(disk, { recursive: true, force: true });
});

/** Takes all that is left, as another program would. */
function fillUp(path: string): void {
  const file = openSync(path, 'w');
  try {
    for (;;) writeSync(file, Buffer.alloc(4096));
  } catch {
    closeSync(file);
  }
}

it('is told, survived and recovered from', { timeout: 120_000 }, async (context) => {
  if (disk === undefined) return context.skip();
  const dataDir = join(disk, 'data');
  let store = await startTestStore({ dataDir });
  await store.server.createBucket(Bucket);
  const kept = new Map<string, Buffer>();
  const put = async (Key: string, size: number) => {
    const body = randomBytes(size);
    await store.client.send(new PutObjectCommand({ Bucket, Key, Body: body }));
    kept.set(Key, body);
  };
  const full = { name: 'StorageFull', $metadata: { httpStatusCode: 507 } };
  const tag = (n: number) => {
    const TagSet = [{ Key: 'random', Value: randomBytes(120).toString('hex') }];
    return store.client.send(
      new PutObjectTaggingCommand({ Bucket, Key: 'a', Tagging: { TagSet: TagSet.slice(0, n) } }),
    );
  };

  await put('a', 3_000_000);
  await expect(put('too-large', 50_000_000)).rejects.toMatchObject(full);
  fillUp(join(disk, 'other'));
  await expect(put('b', 100)).rejects.toMatchObject(full);
  // The reserve is gone too: sooner or later the index itself cannot be written.
  const tagAlways = async () => {
    for (;;) await tag(1);
  };
  await expect(tagAlways()).rejects.toMatchObject(full);
  await expect(tag(1)).rejects.toMatchObject(full);
  const { Body } = await store.client.send(new GetObjectCommand({ Bucket, Key: 'a' }));
  expect(kept.get('a')!.equals(await Body!.transformToByteArray())).toBe(true);

  truncateSync(join(disk, 'other'), 0);
  await tag(1);
  await put('after', 1_000_000);
  await put('gone', 5000);
  await store.client.send(new DeleteObjectCommand({ Bucket, Key: 'gone' }));
  kept.delete('gone');
  store.client.destroy();
  await store.server.close();
  store = await startTestStore({ dataDir });
  const { Contents } = await store.client.send(new ListObjectsV2Command({ Bucket }));
  expect(Contents?.map(({ Key }) => Key)).toEqual([...kept.keys()].sort());
  for (const [Key, body] of kept) {
    const answer = await store.client.send(new GetObjectCommand({ Bucket, Key }));
    expect(body.equals(await answer.Body!.transformToByteArray())).toBe(true);
  }
  await store.close();
});
