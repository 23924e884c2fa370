/**
 * A real run of the whole stack, looked at from two sides: every request that a function makes is allowed by the role that
 * the template gives it, on that very resource; and nothing that names a patient, an upload or a file is in what the run
 * leaves for operators: logs, metrics, notifications, execution inputs, outputs and histories (invariant 7).
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { GetExecutionHistoryCommand, ListExecutionsCommand, SFNClient } from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { demoFiles } from '../../local/demo/demo.ts';
import type { ServiceCall } from '../../local/world/service-calls.ts';
import { startWorld, type World } from '../../local/world/world.ts';
import { refusedCalls, rolesOf } from './roles.ts';

// One whole ingest and a second one, on machines that do much else.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const root = join(import.meta.dirname, '../..');
/** Stands in keys and upload names as the generator's patients stand in the files. */
const CANARY = 'CANARY_DOE';
let folder: string;
let world: World;
const calls: (ServiceCall & { functionName: string })[] = [];

const credentials = { accessKeyId: 'x', secretAccessKey: 'x' };
const s3 = () =>
  new S3Client({ endpoint: world.s3Url, region: world.region, credentials, forcePathStyle: true });
const sfn = () => new SFNClient({ endpoint: world.stepFunctionsUrl, region: world.region, credentials });

async function upload(name: string): Promise<void> {
  for (const { path, bytes } of demoFiles('current')) {
    // Three slices say as much as twenty-four.
    if (/ct-chest\/.*(0[4-9]|1\d|2\d)\.dcm$/.test(path)) continue;
    const Key = `${name}/${CANARY}/${path}`;
    await s3().send(new PutObjectCommand({ Bucket: world.inboxBucket, Key, Body: bytes }));
  }
}

async function untilEmpty(): Promise<void> {
  const state = async () => {
    const { KeyCount } = await s3().send(new ListObjectsV2Command({ Bucket: world.inboxBucket }));
    const { executions = [] } = await sfn().send(
      new ListExecutionsCommand({ stateMachineArn: world.stateMachineArns.ingest, statusFilter: 'RUNNING' }),
    );
    return [KeyCount, executions.length];
  };
  await vi.waitFor(async () => expect(await state()).toEqual([0, 0]), { timeout: 250_000, interval: 500 });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-permissions-'));
  world = await startWorld({
    dataDir: folder,
    basePort: 0,
    onCall: (functionName, call) => calls.push({ ...call, functionName }),
  });
  await upload(`${CANARY}-1`);
  await untilEmpty();
  await upload(`${CANARY}-2`);
  await untilEmpty();
});
afterAll(async () => {
  await world?.close();
  await rm(folder, { recursive: true, force: true });
});

it('lets every function do what it does, on the very resource', async () => {
  const isAllowed = await rolesOf(world, join(root, 'local/template.json'));
  expect(refusedCalls(world, calls, isAllowed)).toEqual([]);
  expect(isAllowed('isocenter-local-checkImportJob', ['s3:PutObject', 'arn:aws:s3:::x/y'])).toBe(false);
  // The event of each ended job wakes its batch; whether it or the look comes first is a race.
  expect(
    calls.some(({ service, operation }) => service === 'states' && operation === 'SendTaskSuccess'),
  ).toBe(true);
  expect(new Set(calls.map(({ functionName }) => functionName)).size).toBeGreaterThan(12);
});

it('counts what it asked of the services', () => {
  const { requests, transitions, invocations } = world.counters();
  expect(requests['medical-imaging:GetImageFrame']).toBeGreaterThan(40);
  expect(requests['s3:CopyObject']).toBeGreaterThan(40);
  expect(transitions).toBeGreaterThan(20);
  expect(invocations).toBeGreaterThan(20);
});

it('leaves no name of a patient, an upload or a file for operators', async () => {
  const texts = new Map<string, string>([
    ['notifications', await readFile(join(folder, 'notifications.ndjson'), 'utf8')],
  ]);
  for (const file of await readdir(join(folder, 'logs')))
    texts.set(file, await readFile(join(folder, 'logs', file), 'utf8'));
  for (const [name, stateMachineArn] of Object.entries(world.stateMachineArns)) {
    const { executions = [] } = await sfn().send(new ListExecutionsCommand({ stateMachineArn }));
    for (const { executionArn } of executions)
      texts.set(
        `history of ${name}`,
        JSON.stringify(await sfn().send(new GetExecutionHistoryCommand({ executionArn, maxResults: 1000 }))),
      );
  }
  expect(texts.size).toBeGreaterThan(15);
  for (const [where, text] of texts)
    for (const word of [CANARY, 'PHANTOM', 'DEMO-', '19700101', 'ct-chest', 'truncated-header'])
      expect(text.includes(word), `${word} in ${where}`).toBe(false);
});
