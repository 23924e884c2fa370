/**
 * A HealthImaging server beside an S3 store, each with its official client, and the steps that most tests take. Worlds
 * without options of their own are elsewhere when `ISOCENTER_TEST_SERVICE` says so (service-under-test.ts).
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import type { ImageSetDocument } from '../../../local/healthimaging/metadata/document.ts';
import {
  type HealthImaging,
  type HealthImagingOptions,
  startHealthImaging,
} from '../../../local/healthimaging/server.ts';
import { startS3 } from '../../../local/s3/server.ts';
import type { EventBridgeEvent } from '../../../shared/ports/events.ts';
import { clientFor, eventually } from './client.ts';
import { elsewhere, isElsewhere } from './service-under-test.ts';

const OWN_BUCKET = 'imports';
export const ROLE = elsewhere?.role ?? 'arn:aws:iam::000000000000:role/import';
/** Uploads of one run are apart from those of others: a bucket elsewhere is not empty. */
const RUN = isElsewhere ? `test-${randomBytes(4).toString('hex')}/` : '';

export interface Manifest {
  readonly jobSummary: {
    readonly numberOfScannedFiles: number;
    readonly numberOfImportedFiles: number;
    readonly numberOfFilesWithCustomerError: number;
    readonly numberOfFilesWithServerError: number;
    readonly numberOfGeneratedImageSets: number;
    readonly warningsOutputS3Uri?: string;
    readonly imageSetsSummary: readonly {
      readonly imageSetId: string;
      readonly imageSetVersion?: number;
      readonly isPrimary?: boolean;
      readonly numberOfMatchedSOPInstances: number;
    }[];
  };
}

export interface OutputLine {
  readonly inputFile: string;
  readonly importResponse?: { imageSetId: string; isPrimary?: boolean; warnings?: { type: string }[] };
  readonly exception?: { exceptionType: string; message: string };
}

export interface Imported {
  readonly jobId: string;
  readonly manifest: Manifest;
  readonly success: readonly OutputLine[];
  readonly failure: readonly OutputLine[];
  readonly warning: readonly OutputLine[];
}

export interface TestWorld {
  server: HealthImaging;
  client: sdk.MedicalImagingClient;
  readonly s3: S3Client;
  readonly events: EventBridgeEvent[];
  /** Where jobs read and write. */
  readonly bucket: string;
  /** Stops the server and starts it on the same data. */
  restart(): Promise<void>;
  createDatastore(): Promise<string>;
  put(key: string, body: Uint8Array | string): Promise<void>;
  startJob(datastoreId: string, prefix: string): Promise<string>;
  finishedJob(datastoreId: string, jobId: string): Promise<sdk.DICOMImportJobProperties>;
  output(datastoreId: string, jobId: string): Promise<Imported>;
  /** Uploads the files below a prefix of their own, imports them and reads the output. */
  importFiles(datastoreId: string, files: Readonly<Record<string, Uint8Array | string>>): Promise<Imported>;
  metadata(datastoreId: string, imageSetId: string, versionId?: string): Promise<ImageSetDocument>;
  frame(datastoreId: string, imageSetId: string, imageFrameId: string): Promise<Uint8Array>;
  readText(key: string): Promise<string>;
  close(): Promise<void>;
}

export async function startTestWorld(options: HealthImagingOptions = {}): Promise<TestWorld> {
  const isOwn = !elsewhere || Object.keys(options).length > 0;
  const bucket = isOwn ? OWN_BUCKET : (elsewhere?.bucket ?? OWN_BUCKET);
  const events: EventBridgeEvent[] = [];
  const parts = isOwn ? await startOwn(options, events) : partsElsewhere();
  const { s3, start } = parts;
  const made: string[] = [];
  let uploads = 0;

  const world: TestWorld = {
    server: await start(),
    client: undefined as never,
    s3,
    events,
    bucket,
    async restart() {
      await world.server.close();
      world.client.destroy();
      world.server = await start();
      world.client = clientFor(world.server);
    },
    async createDatastore() {
      const { datastoreId } = await world.client.send(
        new sdk.CreateDatastoreCommand({ datastoreName: 'test' }),
      );
      await eventually(async () => {
        const { datastoreProperties } = await world.client.send(new sdk.GetDatastoreCommand({ datastoreId }));
        return datastoreProperties?.datastoreStatus === 'ACTIVE';
      });
      made.push(datastoreId as string);
      return datastoreId as string;
    },
    async put(key, body) {
      await s3.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentLength: Buffer.byteLength(body),
        }),
      );
    },
    async startJob(datastoreId, prefix) {
      const { jobId } = await world.client.send(
        new sdk.StartDICOMImportJobCommand({
          datastoreId,
          dataAccessRoleArn: ROLE,
          inputS3Uri: `s3://${bucket}/${prefix}`,
          outputS3Uri: `s3://${bucket}/output/`,
        }),
      );
      return jobId as string;
    },
    async finishedJob(datastoreId, jobId) {
      let properties: sdk.DICOMImportJobProperties | undefined;
      await eventually(async () => {
        const reply = await world.client.send(new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }));
        properties = reply.jobProperties;
        return properties?.jobStatus === 'COMPLETED' || properties?.jobStatus === 'FAILED';
      }, 60_000);
      return properties as sdk.DICOMImportJobProperties;
    },
    async output(datastoreId, jobId) {
      const { outputS3Uri = '' } = await world.finishedJob(datastoreId, jobId);
      const prefix = outputS3Uri.slice(`s3://${bucket}/`.length);
      const lines = async (name: string) =>
        (await world.readText(`${prefix}${name}`).catch(() => ''))
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as OutputLine);
      return {
        jobId,
        manifest: JSON.parse(await world.readText(`${prefix}job-output-manifest.json`)) as Manifest,
        success: await lines('SUCCESS/success.ndjson'),
        failure: await lines('FAILURE/failure.ndjson'),
        warning: await lines('WARNING/warning.ndjson'),
      };
    },
    async importFiles(datastoreId, files) {
      const prefix = `${RUN}upload-${++uploads}/`;
      for (const [name, body] of Object.entries(files)) await world.put(prefix + name, body);
      return world.output(datastoreId, await world.startJob(datastoreId, prefix));
    },
    async metadata(datastoreId, imageSetId, versionId) {
      const reply = await world.client.send(
        new sdk.GetImageSetMetadataCommand({ datastoreId, imageSetId, ...(versionId && { versionId }) }),
      );
      const bytes = await reply.imageSetMetadataBlob?.transformToByteArray();
      return JSON.parse(gunzipSync(bytes as Uint8Array).toString('utf8'));
    },
    async frame(datastoreId, imageSetId, imageFrameId) {
      const imageFrameInformation = { imageFrameId };
      const reply = await world.client.send(
        new sdk.GetImageFrameCommand({ datastoreId, imageSetId, imageFrameInformation }),
      );
      return (await reply.imageFrameBlob?.transformToByteArray()) as Uint8Array;
    },
    async readText(key) {
      const reply = await s3.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return (await reply.Body?.transformToString()) ?? '';
    },
    async close() {
      if (!isOwn) for (const datastoreId of made) await removeDatastore(world.client, datastoreId);
      world.client.destroy();
      s3.destroy();
      await world.server.close();
      await parts.close();
    },
  };
  world.client = clientFor(world.server);
  return world;
}

interface WorldParts {
  readonly s3: S3Client;
  start(): Promise<HealthImaging>;
  close(): Promise<void>;
}

async function startOwn(options: HealthImagingOptions, events: EventBridgeEvent[]): Promise<WorldParts> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-test-'));
  const store = await startS3({ dataDir: join(folder, 's3') });
  await store.createBucket(OWN_BUCKET);
  return {
    s3: new S3Client({
      endpoint: store.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    }),
    start: () =>
      startHealthImaging({
        dataDir: join(folder, 'healthimaging'),
        s3Endpoint: store.url,
        fsync: false,
        onEvent: (event) => events.push(event),
        ...options,
      }),
    async close() {
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function partsElsewhere(): WorldParts {
  const { endpoint = '', s3 = {} } = elsewhere ?? {};
  return {
    s3: new S3Client(s3),
    start: async () => ({ endpoint, close: async () => {} }),
    close: async () => {},
  };
}

/** A service that is not ours to throw away is left without what a test made. */
async function removeDatastore(client: sdk.MedicalImagingClient, datastoreId: string): Promise<void> {
  const found = sdk.paginateSearchImageSets({ client }, { datastoreId });
  for await (const { imageSetsMetadataSummaries = [] } of found) {
    for (const { imageSetId } of imageSetsMetadataSummaries)
      await client.send(new sdk.DeleteImageSetCommand({ datastoreId, imageSetId })).catch(() => {});
  }
  await eventually(async () => {
    await client.send(new sdk.DeleteDatastoreCommand({ datastoreId })).catch(() => {});
    const reply = await client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    return /^DELET/.test(reply.datastoreProperties?.datastoreStatus ?? '');
  }, 300_000).catch((error: Error) => console.warn(`data store ${datastoreId} stays: ${error.message}`));
}
