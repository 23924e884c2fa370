/** A HealthImaging server beside an S3 store, each with its official client, and the steps that most tests take. */
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

const BUCKET = 'imports';
export const ROLE = 'arn:aws:iam::000000000000:role/import';

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
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-test-'));
  const events: EventBridgeEvent[] = [];
  const store = await startS3({ dataDir: join(folder, 's3') });
  await store.createBucket(BUCKET);
  const s3 = new S3Client({
    endpoint: store.url,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  });
  const start = () =>
    startHealthImaging({
      dataDir: join(folder, 'healthimaging'),
      s3Endpoint: store.url,
      fsync: false,
      onEvent: (event) => events.push(event),
      ...options,
    });
  let uploads = 0;

  const world: TestWorld = {
    server: await start(),
    client: undefined as never,
    s3,
    events,
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
      return datastoreId as string;
    },
    async put(key, body) {
      await s3.send(
        new PutObjectCommand({
          Bucket: BUCKET,
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
          inputS3Uri: `s3://${BUCKET}/${prefix}`,
          outputS3Uri: `s3://${BUCKET}/output/`,
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
      const prefix = outputS3Uri.slice(`s3://${BUCKET}/`.length);
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
      const prefix = `upload-${++uploads}/`;
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
      const reply = await s3.send(new GetObjectCommand({ Bucket: BUCKET, Key: key }));
      return (await reply.Body?.transformToString()) ?? '';
    },
    async close() {
      world.client.destroy();
      s3.destroy();
      await world.server.close();
      await store.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
  world.client = clientFor(world.server);
  return world;
}
