/** What an operator does on a running world: status, retry, cancel, a watched folder, an S3 prefix. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { demoFiles } from '../../local/demo/demo.ts';
import { uploadIdOf } from '../../shared/ingest/work-keys.ts';
import { type Document, isocenter, isocenterWith } from './cli-process.ts';
import { clientsOf, listKeys, type RunningWorld, startWorldProcess } from './world-process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-operations-'));
const data = join(folder, 'data');
const watched = join(folder, 'watched');
const demo = new Map([...demoFiles('current')].map((file) => [file.path, file.bytes]));
const bytesOf = (path: string) => demo.get(path) ?? new Uint8Array();
let running: RunningWorld;

interface StatusDocument {
  readonly running: readonly { readonly executionId: string }[];
  readonly waiting: readonly { readonly upload: string; readonly needsAttention: boolean }[];
  readonly recent: readonly { readonly executionId: string; readonly outcome: string }[];
}
const status = async () =>
  JSON.parse((await isocenter('status', '--json', '--data', data)).stdout) as StatusDocument;

async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + 100_000; Date.now() < end; await sleep(500)) {
    const found = await look();
    if (found !== undefined) return found;
  }
  throw new Error(`did not come:\n${running.log()}`);
}

beforeAll(async () => {
  mkdirSync(watched);
  mkdirSync(join(folder, 'mixed'));
  writeFileSync(join(folder, 'mixed/report.dcm'), bytesOf('sr-report/report.dcm'));
  writeFileSync(join(folder, 'mixed/empty.dcm'), '');
  running = await startWorldProcess(data, ['--port', '0', '--watch', watched]);
}, 60_000);
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe('on a running world', () => {
  it('a rejected object is put back by retry, and judged again', async () => {
    const first = await isocenter(
      'ingest',
      join(folder, 'mixed'),
      '--upload',
      'mixed',
      '--json',
      '--data',
      data,
    );
    expect(first.code).toBe(2);
    const { executionId } = JSON.parse(first.stdout) as { executionId: string };
    expect((await status()).recent.map((summary) => summary.executionId)).toContain(executionId);

    const wrong = await isocenter('retry', executionId, '--code', 'NotP10', '--data', data);
    expect(`${wrong.code} ${wrong.stderr}`).toBe('64 isocenter: --code NotP10: the report has Empty\n');
    const again = await isocenter('retry', executionId, '--code', 'Empty', '--json', '--data', data);
    expect(`${again.code} ${again.stderr}`).toMatch(/^2 /);
    const { counts, rejects } = JSON.parse(again.stdout) as Document;
    expect({ counts, rejects }).toMatchObject({
      counts: { received: 1, rejected: 1 },
      rejects: { Empty: 1 },
    });
  }, 120_000);

  it('a cancelled execution leaves its objects in the inbox until retry', async () => {
    const { s3 } = clientsOf(running.world);
    const put = (Bucket: string, Key: string, Body: Uint8Array) =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body }));
    // Held, so that the execution waits and can be stopped.
    await put(running.world.workBucket, `holds/${uploadIdOf('slow')}`, new Uint8Array(1));
    await put(running.world.inboxBucket, 'slow/plate.dcm', bytesOf('cr-hand/plate.dcm'));
    const executionId = await until(async () => (await status()).running[0]?.executionId);
    const cancelled = await isocenter('cancel', executionId, '--data', data);
    expect(`${cancelled.code} ${cancelled.stderr}`).toBe('0 ');
    expect(await listKeys(s3, running.world.inboxBucket)).toEqual(['slow/plate.dcm']);
    expect((await status()).waiting).toMatchObject([{ upload: 'slow', needsAttention: true }]);
    expect((await isocenter('cancel', executionId, '--data', data)).code).toBe(1);

    const again = await isocenter('retry', executionId, '--json', '--data', data);
    expect(`${again.code} ${again.stderr}`).toMatch(/^0 /);
    expect((JSON.parse(again.stdout) as Document).counts).toMatchObject({ received: 1, ingested: 1 });
    expect(await listKeys(s3, running.world.inboxBucket)).toEqual([]);
  }, 200_000);

  it('a file dropped into the watched folder is ingested, and stays there', async () => {
    writeFileSync(join(watched, 'dropped.dcm'), bytesOf('mr-head/IM0001.dcm'));
    const found = await until(async () => {
      const { stdout } = await isocenter('report', '--json', '--data', data);
      const document = JSON.parse(stdout) as Document & { upload: string };
      return document.upload.startsWith('watch-') ? document : undefined;
    });
    expect(found.objects.map(({ key, outcome }) => [key.split('/')[1], outcome])).toEqual([
      ['dropped.dcm', 'ingested'],
    ]);
  }, 120_000);

  it('a prefix of another bucket is copied in, and left as it is', async () => {
    const { s3 } = clientsOf(running.world);
    await s3.send(new CreateBucketCommand({ Bucket: 'archive' }));
    for (const n of [1, 2])
      await s3.send(
        new PutObjectCommand({
          Bucket: 'archive',
          Key: `a/b/${n}.dcm`,
          Body: bytesOf(`ct-chest/IM000${n}.dcm`),
        }),
      );
    const { code, stdout, stderr } = await isocenter(
      'ingest',
      's3://archive/a/',
      '--upload',
      'copied',
      '--json',
      '--data',
      data,
    );
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    expect((JSON.parse(stdout) as Document).objects.map(({ key }) => key).sort()).toEqual([
      'copied/b/1.dcm',
      'copied/b/2.dcm',
    ]);
    expect(await listKeys(s3, 'archive')).toHaveLength(2);
  }, 120_000);

  it('a stack is worked on through the environment’s endpoints alone, as on AWS', async () => {
    const { stdout: variables } = await isocenter('env', '--json', '--data', data);
    const env = JSON.parse(variables) as Record<string, string>;
    const file = join(folder, 'mixed/report.dcm');
    const { code, stdout, stderr } = await isocenterWith(
      env,
      'ingest',
      file,
      '--stack',
      'isocenter-local',
      '--json',
    );
    expect(`${code} ${stderr}`).toMatch(/^0 /);
    expect((JSON.parse(stdout) as Document).counts).toMatchObject({ received: 1, duplicate: 1 });
    const none = await isocenterWith(env, 'status', '--stack', 'other');
    expect(`${none.code} ${none.stderr}`).toBe(
      '1 isocenter: there is no state machine other-ingest in this account and region\n',
    );
  }, 120_000);

  it('a second world on the same data is refused in one line', async () => {
    const { code, stdout, stderr } = await isocenter('up', '--data', data);
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^isocenter: a world already runs on .*\n$/);
  }, 30_000);

  it('a world that dies under an ingest is told in one line; nothing of it is lost', async () => {
    const other = join(folder, 'other');
    const dying = await startWorldProcess(other, ['--port', '0']);
    const { s3 } = clientsOf(dying.world);
    // Held, so that the execution cannot be over before the world is.
    await s3.send(
      new PutObjectCommand({ Bucket: dying.world.workBucket, Key: `holds/${uploadIdOf('cut')}`, Body: 'x' }),
    );
    const following = isocenter('ingest', join(folder, 'mixed'), '--upload', 'cut', '--data', other);
    await until(async () => ((await listKeys(s3, dying.world.inboxBucket)).length === 2 ? true : undefined));
    await sleep(1500);
    await dying.kill();
    const { code, stderr } = await following;
    expect(code).toBe(1);
    expect(stderr.trim().split('\n').at(-1)).toMatch(
      /^isocenter: the world on .* stopped answering; upload cut is safe there/,
    );
    const revived = await startWorldProcess(other, ['--port', '0']);
    const report = await until(async () => {
      const { code: reportCode, stdout } = await isocenter('report', '--json', '--data', other);
      return reportCode === 2 ? (JSON.parse(stdout) as Document) : undefined;
    });
    await revived.stop();
    expect(report.counts).toMatchObject({ received: 2, ingested: 1, rejected: 1 });
  }, 250_000);
});
