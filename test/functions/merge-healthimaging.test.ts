/** Merging over the HealthImaging-compatible server and the S3-compatible store, through the adapters that deploy. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateDatastoreCommand, MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { startS3 } from '../../local/s3/server.ts';
import { healthImagingService } from '../../shared/adapters/healthimaging-service.ts';
import { imageSetEditor } from '../../shared/adapters/image-set-editor.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { acquireLease, seriesLease } from '../../shared/ingest/leases.ts';
import { recordInstances } from '../../shared/ingest/ledger.ts';
import type { MergeDeps, MergeOutcome } from '../../shared/ingest/merge-journal.ts';
import { advanceMerge } from '../../shared/ingest/merge-series.ts';
import { readJson } from '../../shared/ingest/ndjson.ts';
import { undoMerges } from '../../shared/ingest/undo-merge.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import { p10, uid } from '../ingest/objects.ts';

const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
const region = 'us-east-1';
const HOLDER = { executionId: 'e', executionArn: 'arn:aws:states:us-east-1:000000000000:execution:ingest:e' };

let folder: string;
let s3: Awaited<ReturnType<typeof startS3>>;
let server: HealthImaging;
let deps: (graceSeconds: number) => MergeDeps;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-test-'));
  s3 = await startS3({ dataDir: join(folder, 's3') });
  await s3.createBucket('work-bucket');
  // One in five calls of the operations that merging uses is refused, as the service may at any time.
  const operations = ['GetImageSet', 'UpdateImageSetMetadata', 'CopyImageSet', 'DeleteImageSet'];
  const faults = operations.flatMap((operation) =>
    (['throttle', 'conflict'] as const).map((fault) => ({ fault, operation, probability: 0.1 })),
  );
  server = await startHealthImaging({
    behaviour: '2024',
    s3Endpoint: s3.url,
    faults: { seed: 7, faults },
  });
  const client = new MedicalImagingClient({
    endpoint: server.endpoint,
    region,
    credentials,
    disableHostPrefix: true,
  });
  const { datastoreId = '' } = await client.send(new CreateDatastoreCommand({ datastoreName: 'merge' }));
  const objects = s3ObjectStore(
    new S3Client({ endpoint: s3.url, region, credentials, forcePathStyle: true }),
  );
  const dataAccessRoleArn = 'arn:aws:iam::000000000000:role/import';
  const imaging = {
    ...healthImagingService(client, { datastoreId, dataAccessRoleArn }),
    ...imageSetEditor(client, datastoreId),
  };
  deps = (mergeGraceSeconds) =>
    ({
      objects,
      imaging,
      clock: systemClock,
      executions: { arnOf: () => HOLDER.executionArn, status: async () => 'RUNNING' },
      settings: {
        ...{ workBucket: 'work-bucket', inboxBucket: 'inbox', datastoreId, mergeGraceSeconds },
        ...{ merge: 'auto', constraintProfile: '2024' },
      },
    }) as unknown as MergeDeps;
});

afterAll(async () => {
  await server?.close();
  await s3?.close();
  await rm(folder, { recursive: true, force: true });
});

interface Sent {
  readonly sop: string;
  readonly name: string;
  readonly patientID?: string;
}

/** Each in a job of its own, as three uploads would send them; the ledger knows them as proven. */
async function importEach(d: MergeDeps, study: string, sent: readonly Sent[]): Promise<void> {
  for (const { sop, name, patientID = 'N-1' } of sent) {
    const patient = { PatientName: name, PatientID: patientID };
    const body = p10({ study, sop, pixels: Number(sop), patient });
    const key = `staged/${study}/${sop}/one`;
    await d.objects.write({ bucket: 'work-bucket', key }, body);
    const { jobId } = await d.imaging.startImportJob({
      inputS3Uri: `s3://work-bucket/staged/${study}/${sop}/`,
      outputS3Uri: 's3://work-bucket/import-output/',
      clientToken: `${study}-${sop}`,
      jobName: 'merge',
    });
    let job = await d.imaging.importJob(jobId);
    for (let i = 0; job.jobStatus !== 'COMPLETED' && i < 100; i++) {
      await systemClock.sleep(50);
      job = await d.imaging.importJob(jobId);
    }
  }
  const series = uid(`${study}/series`);
  for (const set of await setsOf(d, study))
    for (const sop of set.sops)
      await recordInstances(d, { studyInstanceUID: uid(study), seriesInstanceUID: series }, [], {
        [sop]: {
          sizeBytes: 1,
          sha256: sop,
          datasetDigest: sop,
          imageSetId: set.imageSetId,
          state: 'verified',
          frames: 1,
        },
      });
}

async function setsOf(d: MergeDeps, study: string) {
  const series = uid(`${study}/series`);
  const sets: { imageSetId: string; sops: string[]; checksums: unknown[] }[] = [];
  for await (const { imageSetId } of d.imaging.searchImageSets({ seriesInstanceUID: series })) {
    const { Instances = {} } = (await d.imaging.metadata(imageSetId)).Study.Series[series] ?? {};
    const checksums = Object.values(Instances).map((one) =>
      one.ImageFrames?.[0]?.PixelDataChecksumFromBaseToFullResolution?.at(-1),
    );
    sets.push({ imageSetId, sops: Object.keys(Instances).sort(), checksums });
  }
  return sets;
}

async function merge(d: MergeDeps, study: string): Promise<MergeOutcome> {
  const seriesInstanceUID = uid(`${study}/series`);
  await acquireLease({ ...d, workBucket: 'work-bucket' }, seriesLease(seriesInstanceUID), HOLDER);
  for (let step = 0; step < 60; step++) {
    const { status } = await advanceMerge(d, { executionId: study, seriesInstanceUID, step });
    if (status === 'done') break;
  }
  const key = workKeys.mergeOutcome(study, seriesInstanceUID);
  return (await readJson<MergeOutcome>(d.objects, 'work-bucket', key))!.value;
}

const checksumsOf = (sets: Awaited<ReturnType<typeof setsOf>>) =>
  sets
    .flatMap((set) => set.checksums)
    .map((checksum) => JSON.stringify(checksum))
    .sort();

describe('a series that came in several jobs', () => {
  it('ends as one image set with all its pixels when only spelling differs', async () => {
    const d = deps(0);
    await importEach(d, 'spelled', [
      { sop: '1', name: 'Nobody^Test' },
      { sop: '2', name: 'NOBODY^TEST' },
      { sop: '3', name: 'Nobody^Test^' },
    ]);
    const before = await setsOf(d, 'spelled');
    expect(before.length).toBe(3);
    const outcome = await merge(d, 'spelled');
    expect(outcome.reports).toMatchObject([{ outcome: 'merged', keywords: ['PatientName'] }]);
    const after = await setsOf(d, 'spelled');
    expect(after.map((set) => set.sops.length)).toEqual([3]);
    expect(checksumsOf(after)).toEqual(checksumsOf(before));
  });

  it('stays apart when patients differ', async () => {
    const d = deps(0);
    await importEach(d, 'apart', [
      { sop: '1', name: 'Nobody^Test' },
      { sop: '2', name: 'Nobody^Test', patientID: 'N-2' },
    ]);
    const outcome = await merge(d, 'apart');
    expect(outcome.reports).toMatchObject([{ outcome: 'keptApart', keywords: ['PatientID'] }]);
    expect((await setsOf(d, 'apart')).length).toBe(2);
  });

  it('can be undone while its sources are there', async () => {
    const d = deps(600);
    await importEach(d, 'undone', [
      { sop: '1', name: 'Nobody^Test' },
      { sop: '2', name: 'NOBODY^TEST' },
    ]);
    const before = await setsOf(d, 'undone');
    await merge(d, 'undone');
    expect((await setsOf(d, 'undone')).map((set) => set.sops.length).sort()).toEqual([1, 2]);
    const seriesInstanceUID = uid('undone/series');
    const list = JSON.stringify([{ seriesInstanceUID, name: 'm' }]);
    await d.objects.write({ bucket: 'work-bucket', key: workKeys.mergeList('undone') }, list);
    const ended = { ...d, executions: { ...d.executions, status: async () => 'SUCCEEDED' } } as MergeDeps;
    const by = { actor: 'somebody', reason: 'a test', at: '2026-01-01T00:00:00Z' };
    expect(await undoMerges(ended, 'undone', by)).toMatchObject([{ isUndone: true }]);
    expect(await setsOf(d, 'undone')).toEqual(before);
  });
});
