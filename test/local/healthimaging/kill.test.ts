/** `kill -9` at moments of a seeded choice: no acknowledged write is lost, nothing is imported twice or by halves. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { type ImageSetDocument, instancesOf } from '../../../local/healthimaging/metadata/document.ts';
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

interface KillWorld {
  readonly s3: S3Client;
  readonly random: (below: number) => number;
  running: Running;
  /** SIGKILL, then a new process on the same data. */
  again(): Promise<void>;
  createDatastore(): Promise<string>;
  startJob(datastoreId: string, prefix: string): Promise<string>;
  ended(datastoreId: string, jobId: string): Promise<void>;
  close(): Promise<void>;
}

async function startKillWorld(): Promise<KillWorld> {
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
  const data = join(folder, 'data');
  let state = seed;
  const world: KillWorld = {
    s3,
    running: await start(data, store.url),
    random(below) {
      state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
      return (state >> 8) % below;
    },
    async again() {
      await kill(world.running);
      world.running = await start(data, store.url);
    },
    async createDatastore() {
      const { client } = world.running;
      const { datastoreId } = await client.send(new sdk.CreateDatastoreCommand({ datastoreName: 'killed' }));
      await eventually(async () => {
        const reply = await client.send(new sdk.GetDatastoreCommand({ datastoreId }));
        return reply.datastoreProperties?.datastoreStatus === 'ACTIVE';
      });
      return datastoreId as string;
    },
    async startJob(datastoreId, prefix) {
      const { jobId } = await world.running.client.send(
        new sdk.StartDICOMImportJobCommand({
          datastoreId,
          dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
          inputS3Uri: `s3://imports/${prefix}`,
          outputS3Uri: 's3://imports/out/',
        }),
      );
      return jobId as string;
    },
    ended: (datastoreId, jobId) =>
      eventually(async () => {
        const command = new sdk.GetDICOMImportJobCommand({ datastoreId, jobId });
        return (await world.running.client.send(command)).jobProperties?.jobStatus === 'COMPLETED';
      }, 120_000),
    async close() {
      await kill(world.running);
      s3.destroy();
      await store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return world;
}

const read = async (world: KillWorld, Key: string) =>
  (await (await world.s3.send(new GetObjectCommand({ Bucket: 'imports', Key }))).Body?.transformToString()) ??
  '';

test('a job that is killed again and again still imports each file once, and tells of each', {
  timeout: 300_000,
}, async () => {
  const world = await startKillWorld();
  for (let number = 1; number <= SLICES; number++) {
    const Key = `in/${String(number).padStart(3, '0')}`;
    await world.s3.send(new PutObjectCommand({ Bucket: 'imports', Key, Body: slice({ number, size: 256 }) }));
  }
  const datastoreId = await world.createDatastore();
  const jobId = await world.startJob(datastoreId, 'in/');
  const search = async () =>
    (await world.running.client.send(new sdk.SearchImageSetsCommand({ datastoreId })))
      .imageSetsMetadataSummaries;
  for (let i = 0; i < KILLS; i++) {
    await new Promise((resolve) => setTimeout(resolve, world.random(400)));
    await world.again();
    // What a client saw acknowledged is there: the store, the job, and never a set that is half made.
    const { jobProperties } = await world.running.client.send(
      new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }),
    );
    expect(['SUBMITTED', 'IN_PROGRESS', 'COMPLETED']).toContain(jobProperties?.jobStatus);
    for (const { DICOMTags } of (await search()) ?? [])
      expect(DICOMTags?.DICOMNumberOfStudyRelatedInstances).toBe(SLICES);
  }
  await world.ended(datastoreId, jobId);
  expect(await search()).toMatchObject([
    { version: 1, isPrimary: true, DICOMTags: { DICOMNumberOfStudyRelatedInstances: SLICES } },
  ]);
  // COMPLETED was said, so the output is there, whole.
  const folder = `out/${datastoreId}-DicomImport-${jobId}/`;
  const { jobSummary } = JSON.parse(await read(world, `${folder}job-output-manifest.json`));
  expect(jobSummary).toMatchObject({ numberOfScannedFiles: SLICES, numberOfImportedFiles: SLICES });
  const lines = (await read(world, `${folder}SUCCESS/success.ndjson`)).trimEnd().split('\n');
  expect(new Set(lines.map((line) => JSON.parse(line).inputFile)).size).toBe(SLICES);
  await world.close();
});

test('updates, copies, deletions and tags that were acknowledged outlive a kill at any moment', {
  timeout: 300_000,
}, async () => {
  const world = await startKillWorld();
  const patients = ['A', 'B', 'C', 'D', 'E', 'F'];
  for (const PatientID of patients) {
    const Body = slice({ size: 32, elements: { PatientID } });
    await world.s3.send(new PutObjectCommand({ Bucket: 'imports', Key: `in/${PatientID}`, Body }));
  }
  const datastoreId = await world.createDatastore();
  await world.ended(datastoreId, await world.startJob(datastoreId, 'in/'));
  const { imageSetsMetadataSummaries = [] } = await world.running.client.send(
    new sdk.SearchImageSetsCommand({ datastoreId }),
  );
  const ids = imageSetsMetadataSummaries.map(({ imageSetId }) => imageSetId as string);
  expect(ids).toHaveLength(patients.length);
  const get = (imageSetId: string) =>
    world.running.client.send(new sdk.GetImageSetCommand({ datastoreId, imageSetId }));

  /** What was acknowledged: the end that each set has to come to. */
  const promised = new Map<string, (set: sdk.GetImageSetResponse) => void>();
  for (let round = 0; round < 8; round++) {
    const imageSetId = ids[world.random(ids.length - 1)] as string;
    const set = await settledSet(get, imageSetId);
    if (set.imageSetState === 'DELETED') continue;
    const { client } = world.running;
    const kind = ['update', 'copy', 'tag', 'delete'][round === 6 ? 3 : world.random(3)];
    if (kind === 'update') {
      const updatableAttributes = new TextEncoder().encode(
        JSON.stringify({ SchemaVersion: 1.1, Study: { DICOM: { StudyDescription: `round ${round}` } } }),
      );
      const { latestVersionId } = await client.send(
        new sdk.UpdateImageSetMetadataCommand({
          datastoreId,
          imageSetId,
          latestVersionId: set.versionId,
          updateImageSetMetadataUpdates: { DICOMUpdates: { updatableAttributes } },
        }),
      );
      promised.set(imageSetId, (end) => {
        expect(Number(end.versionId)).toBeGreaterThanOrEqual(Number(latestVersionId));
        expect(end.imageSetWorkflowStatus).toBe('UPDATED');
      });
    } else if (kind === 'copy') {
      const sourceImageSet = { latestVersionId: set.versionId };
      const { destinationImageSetProperties } = await client.send(
        new sdk.CopyImageSetCommand({
          datastoreId,
          sourceImageSetId: imageSetId,
          copyImageSetInformation: { sourceImageSet },
        }),
      );
      promised.set(destinationImageSetProperties?.imageSetId as string, (end) =>
        expect(end.imageSetWorkflowStatus).toBe('COPIED'),
      );
    } else if (kind === 'tag') {
      const tags = { round: String(round) };
      await client.send(new sdk.TagResourceCommand({ resourceArn: set.imageSetArn, tags }));
      await world.again();
      const listed = await world.running.client.send(
        new sdk.ListTagsForResourceCommand({ resourceArn: set.imageSetArn }),
      );
      expect(listed.tags).toEqual(tags);
      continue;
    } else {
      await client.send(new sdk.DeleteImageSetCommand({ datastoreId, imageSetId }));
      promised.set(imageSetId, (end) => expect(end.imageSetState).toBe('DELETED'));
    }
    await new Promise((resolve) => setTimeout(resolve, world.random(15)));
    await world.again();
    await expectWhole(world, datastoreId);
  }
  for (const [imageSetId, check] of promised) check(await settledSet(get, imageSetId));
  await expectWhole(world, datastoreId);
  await world.close();
});

async function settledSet(get: (id: string) => Promise<sdk.GetImageSetResponse>, imageSetId: string) {
  let set = await get(imageSetId);
  await eventually(async () => {
    set = await get(imageSetId);
    return set.imageSetState !== 'LOCKED';
  }, 60_000);
  return set;
}

/** Whatever a search finds has metadata, and every frame that these name; or its deletion ended since, and it is found no more. */
async function expectWhole({ running: { client } }: KillWorld, datastoreId: string): Promise<void> {
  const search = async () =>
    (await client.send(new sdk.SearchImageSetsCommand({ datastoreId }))).imageSetsMetadataSummaries ?? [];
  for (const { imageSetId = '' } of await search())
    try {
      await expectFrames(client, datastoreId, imageSetId);
    } catch (error) {
      if (!(error instanceof sdk.ResourceNotFoundException)) throw error;
      expect((await search()).map((set) => set.imageSetId)).not.toContain(imageSetId);
    }
}

async function expectFrames(
  client: sdk.MedicalImagingClient,
  datastoreId: string,
  imageSetId: string,
): Promise<void> {
  const reply = await client.send(new sdk.GetImageSetMetadataCommand({ datastoreId, imageSetId }));
  const bytes = (await reply.imageSetMetadataBlob?.transformToByteArray()) as Uint8Array;
  const document = JSON.parse(gunzipSync(bytes).toString()) as ImageSetDocument;
  for (const [, { ImageFrames }] of instancesOf(document))
    for (const { ID: imageFrameId, FrameSizeInBytes } of ImageFrames) {
      const imageFrameInformation = { imageFrameId };
      const frame = await client.send(
        new sdk.GetImageFrameCommand({ datastoreId, imageSetId, imageFrameInformation }),
      );
      expect((await frame.imageFrameBlob?.transformToByteArray())?.length).toBe(FrameSizeInBytes);
    }
}
