/**
 * What bench/merge.mjs measures: merge-series over the HealthImaging-compatible server and the S3-compatible store,
 * through the adapters that deploy, for series that came in several jobs. Every call is counted, also those refused.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateDatastoreCommand, MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { S3Client } from '@aws-sdk/client-s3';
import type { FaultPlan } from '../local/healthimaging/access/faults.ts';
import { startHealthImaging } from '../local/healthimaging/server.ts';
import { startS3 } from '../local/s3/server.ts';
import { healthImagingService } from '../shared/adapters/healthimaging-service.ts';
import { imageSetEditor } from '../shared/adapters/image-set-editor.ts';
import { s3ObjectStore } from '../shared/adapters/s3-object-store.ts';
import { concurrently } from '../shared/ingest/concurrently.ts';
import { acquireLease, seriesLease } from '../shared/ingest/leases.ts';
import { recordInstances } from '../shared/ingest/ledger.ts';
import { instancesIn, type MergeDeps, type MergeOutcome } from '../shared/ingest/merge-journal.ts';
import { advanceMerge } from '../shared/ingest/merge-series.ts';
import { readJson } from '../shared/ingest/ndjson.ts';
import { workKeys } from '../shared/ingest/work-keys.ts';
import { systemClock } from '../shared/ports/clock.ts';
import { NotConsistentYet, ServiceUnavailable, Throttled } from '../shared/ports/imaging-service.ts';

export interface BenchOptions {
  readonly behaviour: '2024' | 'current';
  readonly throttle: 'off' | 'aws';
  readonly faults?: FaultPlan;
  /** Of copies and updates, how many the service accepts and then fails: 0 to 1. */
  readonly failing: number;
  /** Series merged at once: as the state machine does it, 2; without throttles more. */
  readonly seriesAtOnce: number;
}

export type BenchWorld = Awaited<ReturnType<typeof openMergeWorld>>;

const credentials = { accessKeyId: 'bench', secretAccessKey: 'bench' };
const region = 'us-east-1';
const HOLDER = {
  executionId: 'bench',
  executionArn: 'arn:aws:states:us-east-1:000000000000:execution:ingest:bench',
};

export async function openMergeWorld(options: BenchOptions) {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-merge-'));
  const s3 = await startS3({ dataDir: join(folder, 's3') });
  await s3.createBucket('work-bucket');
  const server = await startHealthImaging({
    behaviour: options.behaviour,
    s3Endpoint: s3.url,
    dataDir: join(folder, 'healthimaging'),
    throttle: options.throttle,
    ...(options.faults ? { faults: options.faults } : {}),
  });
  const calls = new Map<string, number>();
  const client = new MedicalImagingClient({
    ...{ endpoint: server.endpoint, region, credentials, disableHostPrefix: true, maxAttempts: 1 },
  });
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) => {
        calls.set(commandName, (calls.get(commandName) ?? 0) + 1);
        return next(args);
      },
    { step: 'finalizeRequest', name: 'count' },
  );
  const patiently = new MedicalImagingClient({
    ...{ endpoint: server.endpoint, region, credentials, disableHostPrefix: true, maxAttempts: 12 },
  });
  const { datastoreId = '' } = await patiently.send(new CreateDatastoreCommand({ datastoreName: 'merge' }));
  const objects = s3ObjectStore(
    new S3Client({ endpoint: s3.url, region, credentials, forcePathStyle: true }),
  );
  const ids = { datastoreId, dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import' };
  const depsWith = (through: MedicalImagingClient) =>
    ({
      objects,
      imaging: { ...healthImagingService(through, ids), ...imageSetEditor(through, datastoreId) },
      clock: systemClock,
      executions: { arnOf: () => HOLDER.executionArn, status: async () => 'RUNNING' },
      settings: {
        ...{ workBucket: 'work-bucket', inboxBucket: 'inbox', datastoreId, mergeGraceSeconds: 0 },
        ...{ merge: 'auto', constraintProfile: options.behaviour },
      },
    }) as unknown as MergeDeps;
  const deps = withFailures(depsWith(client), options.failing);
  const reader = depsWith(patiently);
  return {
    calls,
    /** Over the same parts, for whoever wants to drive them otherwise; waits when the service says so. */
    deps: reader,
    makeBucket: (name: string) => s3.createBucket(name),
    importRound: (name: string, files: ReadonlyMap<string, Uint8Array>) => importRound(reader, name, files),
    readyToMerge: (series: readonly string[]) =>
      concurrently(series, 8, (one) => provenInLedger(reader, one)),
    setsOf: (series: string) => setsOf(reader, series),
    merge: (series: readonly string[]) =>
      concurrently(series, options.seriesAtOnce, (one) => mergeOne(deps, one)),
    close: async () => {
      await server.close();
      await s3.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Some copies and updates name what is not there, so that the service takes them and ends them FAILED. */
function withFailures(deps: MergeDeps, share: number): MergeDeps {
  if (share === 0) return deps;
  let state = 1;
  const draws = () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state / 2 ** 32 < share;
  };
  const { copy } = deps.imaging;
  const failing: MergeDeps['imaging']['copy'] = (from, to, series, sops, how) =>
    draws() ? copy(from, to, series, ['1.2.3.4'], how) : copy(from, to, series, sops, how);
  return { ...deps, imaging: { ...deps.imaging, copy: failing } };
}

/** One import job. */
async function importRound(
  deps: MergeDeps,
  name: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  await concurrently([...files], 16, ([key, body]) =>
    deps.objects.write({ bucket: 'work-bucket', key: `staged/${name}/${key}` }, body),
  );
  const { jobId } = await deps.imaging.startImportJob({
    inputS3Uri: `s3://work-bucket/staged/${name}/`,
    outputS3Uri: 's3://work-bucket/import-output/',
    clientToken: name,
    jobName: 'merge',
  });
  for (;;) {
    const { jobStatus } = await deps.imaging.importJob(jobId);
    if (jobStatus === 'COMPLETED') return;
    if (jobStatus === 'FAILED') throw new Error(`job ${jobId}: expected it COMPLETED, got FAILED`);
    await systemClock.sleep(100);
  }
}

/** A fault of the server is waited out, also one that the SDK does not repeat. */
async function setsOf(deps: MergeDeps, series: string): Promise<Awaited<ReturnType<typeof readSets>>> {
  for (;;) {
    try {
      return await readSets(deps, series);
    } catch (error) {
      if (!(error instanceof NotConsistentYet)) throw error;
      await systemClock.sleep(20);
    }
  }
}

/** The image sets of a series: each instance with its form, dataset and checksums of all frames. */
async function readSets(deps: MergeDeps, series: string) {
  const sets: {
    imageSetId: string;
    patient: Readonly<Record<string, unknown>>;
    instances: Record<string, string>;
  }[] = [];
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID: series })) {
    const metadata = await deps.imaging.metadata(imageSetId);
    sets.push({ imageSetId, patient: metadata.Patient.DICOM, instances: instancesIn(metadata, series) });
  }
  return sets;
}

/** As VerifyFrames leaves it. */
async function provenInLedger(deps: MergeDeps, series: string): Promise<void> {
  for (const { imageSetId, instances } of await setsOf(deps, series))
    for (const sop of Object.keys(instances))
      await recordInstances(deps, { studyInstanceUID: series, seriesInstanceUID: series }, [], {
        [sop]: {
          ...{ sizeBytes: 1, sha256: sop, datasetDigest: sop, frames: 1 },
          imageSetId,
          state: 'verified',
        },
      });
}

/** As statemachines/merge-series does it: an error that it retries is waited out. */
async function mergeOne(deps: MergeDeps, series: string): Promise<MergeOutcome> {
  await acquireLease({ ...deps, workBucket: 'work-bucket' }, seriesLease(series), HOLDER);
  const request = { executionId: 'bench', seriesInstanceUID: series };
  for (let step = 0; ; step++) {
    const { status, waitSeconds } = await advanceMerge(deps, { ...request, step }).catch((error: unknown) => {
      const isRetried = [ServiceUnavailable, Throttled, NotConsistentYet].some(
        (type) => error instanceof type,
      );
      if (!isRetried) throw error;
      return { status: 'waiting' as const, waitSeconds: 1 };
    });
    if (status === 'done') break;
    await systemClock.sleep(waitSeconds * 1000);
  }
  const key = workKeys.mergeOutcome('bench', series);
  return (await readJson<MergeOutcome>(deps.objects, 'work-bucket', key))!.value;
}
