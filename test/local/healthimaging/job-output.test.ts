/** The output of an import job outlives the server, and a job that has ended leaves nothing behind. */
import { readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../../local/healthimaging/store/store.ts';
import { eventually } from './client.ts';
import { slice } from './instances.ts';
import { startTestWorld } from './world.ts';

const slices = { '1': slice({ number: 1, size: 16 }), '2': slice({ number: 2, size: 16 }), none: 'no DICOM' };

async function inFolder(work: (dataDir: string) => Promise<void>): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-job-output-'));
  try {
    await work(dataDir);
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

/** Kinds of the keys in a closed server's database, and how many files its blobs are. */
async function leftIn(dataDir: string): Promise<{ kinds: Set<string>; blobs: number }> {
  const store = await openStore(dataDir, { fsync: false });
  const kinds = new Set<string>();
  for await (const key of store.database.keys({})) kinds.add(key.split('\u0000')[0] ?? '');
  await store.close();
  const files = readdirSync(join(dataDir, 'blobs'), { recursive: true, withFileTypes: true });
  return { kinds, blobs: files.filter((entry) => entry.isFile()).length };
}

test('a manifest that a stopped server still owed is written after the next start', () =>
  inFolder(async (dataDir) => {
    const world = await startTestWorld({ dataDir, delays: { manifest: 3_600_000 } });
    const datastoreId = await world.createDatastore();
    for (const [name, body] of Object.entries(slices)) await world.put(`late/${name}`, body);
    const jobId = await world.startJob(datastoreId, 'late/');
    const { jobStatus, outputS3Uri = '' } = await world.finishedJob(datastoreId, jobId);
    expect(jobStatus).toBe('COMPLETED');
    const manifest = `${outputS3Uri.replace('s3://imports/', '')}job-output-manifest.json`;
    await expect(world.readText(manifest)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await world.restart();
    await eventually(() => world.readText(manifest).then(Boolean, () => false), 30_000);
    const { manifest: written, success, failure } = await world.output(datastoreId, jobId);
    expect(written.jobSummary).toMatchObject({ numberOfScannedFiles: 3, numberOfImportedFiles: 2 });
    expect([success.length, failure.length]).toEqual([2, 1]);
    await world.close();
    const { kinds } = await leftIn(dataDir);
    for (const kind of ['staged', 'placed', 'job-phase', 'ended-job', 'running-job'])
      expect(kinds).not.toContain(kind);
  }));

test('a job that fails leaves neither notes nor bytes', () =>
  inFolder(async (dataDir) => {
    const faults = { faults: [{ fault: 'jobFailed' as const }] };
    const world = await startTestWorld({ dataDir, faults });
    const datastoreId = await world.createDatastore();
    for (const [name, body] of Object.entries(slices)) await world.put(`bad/${name}`, body);
    const { jobStatus } = await world.finishedJob(datastoreId, await world.startJob(datastoreId, 'bad/'));
    expect(jobStatus).toBe('FAILED');
    // Bytes are taken away at start, when nothing can be about to use them.
    await world.restart();
    await world.close();
    const { kinds, blobs } = await leftIn(dataDir);
    for (const kind of ['staged', 'placed', 'job-phase', 'ended-job', 'running-job', 'garbage'])
      expect(kinds).not.toContain(kind);
    expect(blobs).toBe(0);
  }));

test('a job whose output cannot be written fails and says so', async () => {
  const world = await startTestWorld({ throttle: 'off' });
  const datastoreId = await world.createDatastore();
  await world.put('out/1', slices['1']);
  const { StartDICOMImportJobCommand } = await import('@aws-sdk/client-medical-imaging');
  const { jobId } = await world.client.send(
    new StartDICOMImportJobCommand({
      datastoreId,
      dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
      inputS3Uri: 's3://imports/out/',
      outputS3Uri: 's3://no-such-bucket/out/',
    }),
  );
  const { jobStatus, message } = await world.finishedJob(datastoreId, jobId as string);
  expect([jobStatus, message]).toEqual([
    'FAILED',
    'DICOM import job has failed. OUTPUT_S3_URI_NOT_ACCESSIBLE',
  ]);
  await world.close();
});
