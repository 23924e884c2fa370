/** What was acknowledged survives kill -9; what was not leaves nothing behind; memory stays flat under big objects. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandOutput,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { startS3 } from '../../../local/s3/server.ts';
import { bundleServer, type ServerProcess } from './bundled-server.ts';
import { testClient } from './store-for-tests.ts';

let bundle: Awaited<ReturnType<typeof bundleServer>>;
let dataDir: string;
let running: ServerProcess | undefined;
const Bucket = 'bucket';

beforeAll(async () => {
  bundle = await bundleServer();
});
afterAll(() => bundle.remove());
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'isocenter-s3-'));
});
afterEach(async () => {
  await running?.kill();
  running = undefined;
  await rm(dataDir, { recursive: true, force: true });
});

async function start() {
  running = await bundle.start(dataDir);
  return { server: running, client: testClient(running.url) };
}

async function contentFiles(): Promise<string[]> {
  const entries = await readdir(join(dataDir, 'content'), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
}

/** Waits until there are `count` content files: the sweep runs beside the first requests. */
async function contentFilesBecome(count: number): Promise<void> {
  await expect.poll(async () => (await contentFiles()).length, { timeout: 10_000 }).toBe(count);
}

it('keeps what it acknowledged through kill -9, whole, and sweeps the rest', {
  timeout: 120_000,
}, async () => {
  const acknowledged = new Map<string, string>();
  for (let round = 0; round < 4; round++) {
    const { server, client } = await start();
    const writers = Array.from({ length: 6 }, async (_, writer) => {
      for (let n = 0; ; n++) {
        const Key = `r${round}/w${writer}/${n}`;
        const body = randomBytes(n % 3 === 0 ? 100 : 60_000 + n);
        await client.send(new PutObjectCommand({ Bucket, Key, Body: body }));
        acknowledged.set(Key, createHash('sha256').update(body).digest('hex'));
        if (n % 4 === 1) {
          await client.send(
            new CopyObjectCommand({ Bucket, Key: `${Key}-copy`, CopySource: `${Bucket}/${Key}` }),
          );
          acknowledged.set(`${Key}-copy`, acknowledged.get(Key)!);
          const previous = `r${round}/w${writer}/${n - 1}`;
          acknowledged.delete(previous);
          await client.send(new DeleteObjectCommand({ Bucket, Key: previous }));
        }
      }
    });
    const ended = Promise.allSettled(writers);
    const enough = acknowledged.size + 20 + 5 * round;
    while (acknowledged.size < enough) await new Promise((resolve) => setTimeout(resolve, 1));
    await server.kill();
    await ended;
    client.destroy();
  }
  const { client } = await start();
  expect(acknowledged.size).toBeGreaterThan(50);
  for (const [Key, sha256] of acknowledged) {
    const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
    const bytes = await Body!.transformToByteArray();
    expect(createHash('sha256').update(bytes).digest('hex')).toBe(sha256);
  }
  let listed = 0;
  let large = 0;
  for (let ContinuationToken: string | undefined, more = true; more; ) {
    const page: ListObjectsV2CommandOutput = await client.send(
      new ListObjectsV2Command({ Bucket, ContinuationToken }),
    );
    for (const { Key, Size } of page.Contents ?? []) {
      listed++;
      if (Size! > 4096) large++;
      // Unacknowledged ones may be there too, but whole.
      const { Body } = await client.send(new GetObjectCommand({ Bucket, Key }));
      expect((await Body!.transformToByteArray()).length).toBe(Size);
    }
    ContinuationToken = page.NextContinuationToken;
    more = ContinuationToken !== undefined;
  }
  expect(listed).toBeGreaterThanOrEqual(acknowledged.size);
  await contentFilesBecome(large);
  client.destroy();
});

it('sweeps files that nothing refers to, and keeps parts of open uploads', async () => {
  const first = await start();
  const at = { Bucket, Key: 'open' };
  const { UploadId } = await first.client.send(new CreateMultipartUploadCommand(at));
  const part = await first.client.send(
    new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: randomBytes(10_000) }),
  );
  await first.server.kill();
  await writeFile(join(dataDir, 'content', 'ab', `ab${'0'.repeat(30)}`), 'orphan');
  expect(await contentFiles()).toHaveLength(2);
  const { client } = await start();
  await contentFilesBecome(1);
  const Parts = [{ PartNumber: 1, ETag: part.ETag }];
  await client.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }));
  const { ContentLength } = await client.send(new GetObjectCommand(at));
  expect(ContentLength).toBe(10_000);
});

it('refuses a folder that another store uses, in one line', async () => {
  await start();
  const second = startS3({ dataDir });
  await expect(second).rejects.toThrow(/^cannot open the data directory .* in use by another process$/);
});

it('refuses a taken port and a folder that it cannot make, in one line', async () => {
  const { server } = await start();
  const port = Number(new URL(server.url).port);
  const other = await mkdtemp(join(tmpdir(), 'isocenter-s3-'));
  await expect(startS3({ dataDir: other, port })).rejects.toThrow(/^cannot listen on .*: the port is taken$/);
  await writeFile(join(other, 'file'), '');
  await expect(startS3({ dataDir: join(other, 'file', 'below') })).rejects.toThrow(
    /^cannot open the data directory/,
  );
  await rm(other, { recursive: true, force: true });
});

it('takes and gives 300 MB in flat memory', { timeout: 120_000 }, async () => {
  const { server, client } = await start();
  let peakBytes = 0;
  server.process.on('message', (message: { rssBytes?: number }) => {
    peakBytes = Math.max(peakBytes, message.rssBytes ?? 0);
  });
  const size = 300 * 1024 ** 2;
  const block = randomBytes(1024 ** 2);
  const sent = createHash('sha256');
  const blocks = function* () {
    for (let n = 0; n < 300; n++) {
      sent.update(block);
      yield block;
    }
  };
  await client.send(
    new PutObjectCommand({ Bucket, Key: 'big', Body: Readable.from(blocks()), ContentLength: size }),
  );
  const { Body } = await client.send(new GetObjectCommand({ Bucket, Key: 'big' }));
  const got = createHash('sha256');
  for await (const chunk of Body as Readable) got.update(chunk);
  expect(got.digest('hex')).toBe(sent.digest('hex'));
  expect(peakBytes).toBeGreaterThan(0);
  expect(peakBytes).toBeLessThan(220 * 1024 ** 2);
  client.destroy();
});
