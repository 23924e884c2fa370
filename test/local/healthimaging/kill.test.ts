/** `kill -9` at moments of a seeded choice: no acknowledged write is lost, nothing is imported twice or by halves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { startS3 } from '../../../local/s3/server.ts';
import { clientFor, eventually } from './client.ts';
import { slice } from './instances.ts';

const LOCAL = fileURLToPath(new URL('../../../dist/local/index.js', import.meta.url));
const PROGRAM = `
  const { startHealthImaging } = await import(process.argv[1]);
  const server = await startHealthImaging({ dataDir: process.argv[2], s3Endpoint: process.argv[3] });
  console.log(server.endpoint);
`;
const SLICES = 60;
const KILLS = 4;
const seed = Number(process.env.SEED ?? Date.now() % 100_000);

interface Running {
  readonly child: ChildProcess;
  readonly client: sdk.MedicalImagingClient;
}

async function start(dataDir: string, s3Endpoint: string): Promise<Running> {
  const args = ['--no-warnings', '--input-type=module', '-e', PROGRAM, LOCAL, dataDir, s3Endpoint];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const endpoint = await new Promise<string>((resolve, reject) => {
    child.stdout.once('data', (line: Buffer) => resolve(line.toString().trim()));
    child.once('exit', () => reject(new Error('the server did not start')));
  });
  return { child, client: clientFor({ endpoint }) };
}

async function kill({ child, client }: Running): Promise<void> {
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
  client.destroy();
}

test('a job that is killed again and again still imports each file once', { timeout: 120_000 }, async () => {
  console.log(`seed ${seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-kill-'));
  const store = await startS3({ dataDir: join(folder, 's3') });
  await store.createBucket('imports');
  const s3 = new S3Client({
    endpoint: store.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  for (let number = 1; number <= SLICES; number++) {
    const Key = `in/${String(number).padStart(3, '0')}`;
    await s3.send(new PutObjectCommand({ Bucket: 'imports', Key, Body: slice({ number, size: 256 }) }));
  }
  let running = await start(join(folder, 'data'), store.url);
  const { datastoreId } = await running.client.send(
    new sdk.CreateDatastoreCommand({ datastoreName: 'killed' }),
  );
  await eventually(async () => {
    const reply = await running.client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    return reply.datastoreProperties?.datastoreStatus === 'ACTIVE';
  });
  const { jobId } = await running.client.send(
    new sdk.StartDICOMImportJobCommand({
      datastoreId,
      clientToken: 'kill',
      dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
      inputS3Uri: 's3://imports/in/',
      outputS3Uri: 's3://imports/out/',
    }),
  );
  let random = seed;
  for (let i = 0; i < KILLS; i++) {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31;
    await new Promise((resolve) => setTimeout(resolve, random % 400));
    await kill(running);
    running = await start(join(folder, 'data'), store.url);
    // What a client saw acknowledged is there: the store, the job, and never a set that is half made.
    const { jobProperties } = await running.client.send(
      new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }),
    );
    expect(['SUBMITTED', 'IN_PROGRESS', 'COMPLETED']).toContain(jobProperties?.jobStatus);
    const { imageSetsMetadataSummaries } = await running.client.send(
      new sdk.SearchImageSetsCommand({ datastoreId }),
    );
    for (const { DICOMTags } of imageSetsMetadataSummaries ?? []) {
      expect(DICOMTags?.DICOMNumberOfStudyRelatedInstances).toBe(SLICES);
    }
  }
  await eventually(async () => {
    const reply = await running.client.send(new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }));
    return reply.jobProperties?.jobStatus === 'COMPLETED';
  }, 60_000);
  const { imageSetsMetadataSummaries } = await running.client.send(
    new sdk.SearchImageSetsCommand({ datastoreId }),
  );
  expect(imageSetsMetadataSummaries).toMatchObject([
    { version: 1, isPrimary: true, DICOMTags: { DICOMNumberOfStudyRelatedInstances: SLICES } },
  ]);
  await kill(running);
  s3.destroy();
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});
