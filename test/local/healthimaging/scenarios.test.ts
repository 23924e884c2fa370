/**
 * The guide's scenarios, written anew for the JavaScript client: data store tagging, image set tagging, and getting
 * started with image sets and frames.
 */
import { crc32 } from 'node:zlib';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createCodecPool } from '../../../shared/pixels/codec-pool.ts';
import { eventually } from './client.ts';
import { SERIES, slice, slicePixels } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';

describe.each(['current', '2024'] as const)('%s', (behaviour) => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startTestWorld({ behaviour });
  });
  afterAll(() => world.close());

  const tagRoundTrip = async (resourceArn: string) => {
    await world.client.send(new sdk.TagResourceCommand({ resourceArn, tags: { Deployment: 'Development' } }));
    const { tags } = await world.client.send(new sdk.ListTagsForResourceCommand({ resourceArn }));
    expect(tags).toEqual({ Deployment: 'Development' });
    await world.client.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: ['Deployment'] }));
    expect((await world.client.send(new sdk.ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({});
  };

  test('tagging a data store', async () => {
    const datastoreId = await world.createDatastore();
    const { datastoreProperties } = await world.client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    await tagRoundTrip(datastoreProperties?.datastoreArn as string);
  });

  test('tagging an image set', async () => {
    const datastoreId = await world.createDatastore();
    const { manifest } = await world.importFiles(datastoreId, { '1.dcm': slice() });
    const { imageSetId } = manifest.jobSummary.imageSetsSummary[0]!;
    const { imageSetArn } = await world.client.send(new sdk.GetImageSetCommand({ datastoreId, imageSetId }));
    expect(imageSetArn).toBe(
      `arn:aws:medical-imaging:us-east-1:000000000000:datastore/${datastoreId}/imageset/${imageSetId}`,
    );
    await tagRoundTrip(imageSetArn as string);
  });

  test('getting started: import, manifest, image sets, frames, decode, checksum, clean up', async () => {
    const datastoreId = await world.createDatastore();
    const files = Object.fromEntries([1, 2, 3, 4].map((number) => [`${number}.dcm`, slice({ number })]));
    const { jobId, manifest } = await world.importFiles(datastoreId, files);
    const { jobSummaries } = await world.client.send(new sdk.ListDICOMImportJobsCommand({ datastoreId }));
    expect(jobSummaries).toMatchObject([{ jobId, jobStatus: 'COMPLETED' }]);

    const codecs = createCodecPool({ workers: 1 });
    let verified = 0;
    for (const { imageSetId } of manifest.jobSummary.imageSetsSummary) {
      const document = await world.metadata(datastoreId, imageSetId);
      for (const instance of Object.values(document.Study.Series[SERIES]!.Instances)) {
        for (const frame of instance.ImageFrames) {
          const proof = await codecs.verify(await world.frame(datastoreId, imageSetId, frame.ID));
          const full = frame.PixelDataChecksumFromBaseToFullResolution.at(-1);
          expect(proof).toMatchObject({ crc32: full?.Checksum, columns: full?.Width, rows: full?.Height });
          const number = Number(instance.DICOM.InstanceNumber);
          expect(proof.crc32).toBe(crc32(new Uint8Array(slicePixels(number, 64).buffer)));
          verified++;
        }
      }
      await world.client.send(new sdk.DeleteImageSetCommand({ datastoreId, imageSetId }));
    }
    await codecs.close();
    expect(verified).toBe(4);
    // Deleting takes a moment; until it is done the data store cannot be deleted.
    await eventually(async () => {
      const reply = await world.client.send(new sdk.SearchImageSetsCommand({ datastoreId }));
      return reply.imageSetsMetadataSummaries?.length === 0;
    });
    await world.client.send(new sdk.DeleteDatastoreCommand({ datastoreId }));
  });

  test('a job tells its life by events: submitted, in progress, image sets created, completed', async () => {
    const datastoreId = await world.createDatastore();
    world.events.length = 0;
    const { jobId, manifest } = await world.importFiles(datastoreId, { '1.dcm': slice() });
    const types = world.events.map((event) => event['detail-type']);
    expect(types).toEqual([
      'Import Job Submitted',
      'Import Job In Progress',
      'Image Set Created',
      'Import Job Completed',
    ]);
    const created = world.events[2]!;
    const { imageSetId } = manifest.jobSummary.imageSetsSummary[0]!;
    expect(created.detail).toMatchObject({
      imagingVersion: '1.0',
      imageSetVersion: '1',
      imagesetId: imageSetId,
      imageSetId,
      imageSetState: 'ACTIVE',
      imageSetWorkflowStatus: 'CREATED',
    });
    expect(created).toMatchObject({ version: '0', source: 'aws.medical-imaging', region: 'us-east-1' });
    expect(world.events[3]!.detail).toMatchObject({ jobId, jobStatus: 'COMPLETED' });
  });

  test('the same client token starts one job', async () => {
    const datastoreId = await world.createDatastore();
    await world.put('idempotent/1.dcm', slice());
    const request = {
      datastoreId,
      clientToken: 'one',
      dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
      inputS3Uri: 's3://imports/idempotent/',
      outputS3Uri: 's3://imports/output',
    };
    const one = await world.client.send(new sdk.StartDICOMImportJobCommand(request));
    await world.finishedJob(datastoreId, one.jobId as string);
    await world.restart();
    const two = await world.client.send(new sdk.StartDICOMImportJobCommand(request));
    expect(two.jobId).toBe(one.jobId);
    const { jobProperties } = await world.client.send(
      new sdk.GetDICOMImportJobCommand({ datastoreId, jobId: one.jobId }),
    );
    expect(jobProperties?.outputS3Uri).toBe(`s3://imports/output/${datastoreId}-DicomImport-${one.jobId}/`);
    const other = world.client.send(
      new sdk.StartDICOMImportJobCommand({ ...request, inputS3Uri: 's3://imports/other/' }),
    );
    await expect(other).rejects.toMatchObject({ name: 'ConflictException' });
  });
});
