import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  DataDirectoryError,
  openDataDirectory,
  type WorldDatabase,
} from '../../../local/world/data-directory.ts';
import { openQueue, type QueueOptions } from '../../../local/world/queue.ts';
import { startPoller } from '../../../local/world/queue-poller.ts';

/** For machines that do much else. */
const PATIENCE = { timeout: 20_000 };

let folder: string;
let database: WorldDatabase;
let time = 1_000_000;
const options: QueueOptions = {
  name: 'q',
  arn: 'arn:aws:sqs:us-east-1:000000000000:q',
  visibilitySeconds: 30,
  retentionSeconds: 3600,
  delaySeconds: 0,
  now: () => time,
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-queue-'));
  database = await openDataDirectory(folder);
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a queue', () => {
  it('hides a message until it is removed or its visibility ends', async () => {
    const queue = await openQueue(database, options);
    await queue.send('a');
    const [first] = await queue.receive(10);
    expect(await queue.receive(10)).toEqual([]);
    time += 30_000;
    const [again] = await queue.receive(10);
    expect(again).toMatchObject({ body: 'a', receiveCount: 2 });
    await queue.remove(first!);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 1 });
    await queue.remove(again!);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
  });

  it('moves a message to the dead letters after so many receives', async () => {
    const deadLetters = await openQueue(database, { ...options, name: 'dead' });
    const queue = await openQueue(database, { ...options, maxReceiveCount: 2 }, deadLetters);
    await queue.send('poison');
    for (let i = 0; i < 3; i++) {
      await queue.receive(10);
      time += 30_000;
    }
    expect(queue.depth().visible + queue.depth().inFlight).toBe(0);
    expect((await deadLetters.receive(10)).map(({ body }) => body)).toEqual(['poison']);
  });

  it('keeps its messages and their order over a restart, those under way too', async () => {
    const queue = await openQueue(database, options);
    for (const body of ['a', 'b', 'c']) {
      await queue.send(body);
      time++;
    }
    await queue.receive(1);
    const reopened = await openQueue(database, options);
    const bodies = (await reopened.receive(10)).map(({ body }) => body);
    expect(bodies).toEqual(['a', 'b', 'c']);
  });

  it('forgets what is older than its retention', async () => {
    const queue = await openQueue(database, options);
    await queue.send('old');
    time += 3_601_000;
    expect(await queue.receive(10)).toEqual([]);
    expect(queue.depth()).toEqual({ visible: 0, inFlight: 0 });
  });
});

describe('the poller', () => {
  it('gathers a batch and keeps only the failed items', async () => {
    const queue = await openQueue(database, options);
    const bodies = Array.from({ length: 5 }, (_, i) => `m${i}`);
    for (const body of bodies) await queue.send(body);
    const seen: string[][] = [];
    const poller = startPoller({
      queue,
      region: 'us-east-1',
      batchSize: 10,
      windowSeconds: 0.05,
      reportsItemFailures: true,
      invoke: async (event) => {
        const { Records } = event as { Records: { body: string; messageId: string }[] };
        seen.push(Records.map(({ body }) => body));
        const failed = Records.filter(({ body }) => body === 'm3');
        return { batchItemFailures: failed.map(({ messageId }) => ({ itemIdentifier: messageId })) };
      },
    });
    await expect.poll(() => seen.length, PATIENCE).toBe(1);
    await expect.poll(() => queue.depth(), PATIENCE).toEqual({ visible: 0, inFlight: 1 });
    time += 30_000;
    await expect.poll(() => seen.length, PATIENCE).toBe(2);
    await poller.stop();
    expect(seen).toEqual([bodies, ['m3']]);
  });

  it('keeps the whole batch when the invocation fails, or names a message that it never had', async () => {
    for (const invoke of [
      async () => Promise.reject(new Error('x')),
      async () => ({ batchItemFailures: [{ itemIdentifier: '?' }] }),
    ]) {
      const queue = await openQueue(database, { ...options, name: `q${Math.random()}` });
      await queue.send('a');
      let calls = 0;
      const poller = startPoller({
        queue,
        region: 'us-east-1',
        batchSize: 10,
        windowSeconds: 0,
        reportsItemFailures: true,
        invoke: () => {
          calls++;
          return invoke();
        },
      });
      await expect.poll(() => calls, PATIENCE).toBe(1);
      await poller.stop();
      expect(queue.depth()).toEqual({ visible: 0, inFlight: 1 });
    }
  });
});

describe('a data directory', () => {
  it('belongs to one process at a time', async () => {
    await expect(openDataDirectory(folder)).rejects.toThrow(DataDirectoryError);
    await expect(openDataDirectory(folder)).rejects.toThrow(
      /^data directory .* is in use by another process/,
    );
  });
});
