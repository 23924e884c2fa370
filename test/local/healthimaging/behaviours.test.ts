/** Sentences of the guide, and choices of ours, that no other suite here says: docs/behaviour.md names the test of each. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type WriteElements, writeP10 } from '../../../shared/dicom/write.ts';
import { eventually } from './client.ts';
import { SERIES, STUDY, slice } from './instances.ts';
import { createTestClock } from './test-clock.ts';
import { ROLE, startTestWorld, type TestWorld } from './world.ts';
import { copy, importedSet, settled, update } from './writes.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world.close());

const identifying = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
  SOPInstanceUID: `${SERIES}.1`,
  StudyInstanceUID: STUDY,
  SeriesInstanceUID: SERIES,
  PatientID: 'P1',
} satisfies WriteElements;

/** An object without pixels, or with those given. */
function object(
  elements: WriteElements = {},
  more: Partial<Parameters<typeof writeP10>[0]> = {},
): Uint8Array {
  return writeP10({
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    elements: { ...identifying, ...elements },
    ...more,
  });
}

const instanceOf = async (at: TestWorld, datastoreId: string, imageSetId: string) =>
  (await at.metadata(datastoreId, imageSetId)).Study.Series[SERIES]!.Instances[`${SERIES}.1`]!;

describe('requests and replies', () => {
  test('times are epoch seconds as numbers; a payload member is the whole body', async () => {
    const set = await importedSet(world, { count: 1 });
    const url = `${world.server.endpoint}/datastore/${set.datastoreId}`;
    const { datastoreProperties } = (await (await fetch(url)).json()) as { datastoreProperties: object };
    expect(datastoreProperties).toMatchObject({
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
    });
    const { createdAt } = datastoreProperties as { createdAt: number };
    expect(Math.abs(createdAt - Date.now() / 1000)).toBeLessThan(3600);
    const reply = await fetch(`${url}/imageSet/${set.imageSetId}/getImageSetMetadata`, { method: 'POST' });
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(reply.headers.get('content-encoding')).toBe('gzip');
    expect(await reply.json()).toMatchObject({ SchemaVersion: '1.1', ImageSetID: set.imageSetId });
  });

  test('a page holds 50 items when maxResults is absent; every paginator gives every item once', async () => {
    const own = await startTestWorld({ quotas: { datastores: 200 } });
    const made = new Set<string>();
    for (let i = 0; i < 53; i++) {
      const { datastoreId = '' } = await own.client.send(new sdk.CreateDatastoreCommand({}));
      made.add(datastoreId);
    }
    const { datastoreSummaries } = await own.client.send(new sdk.ListDatastoresCommand({}));
    expect(datastoreSummaries).toHaveLength(50);
    const listed: (string | undefined)[] = [];
    for await (const page of sdk.paginateListDatastores({ client: own.client, pageSize: 20 }, {}))
      listed.push(...(page.datastoreSummaries ?? []).map((one) => one.datastoreId));
    expect(listed.sort()).toEqual([...made].sort());
    await own.close();
  });

  test('versions are listed newest first, under the spelling ImageSetWorkflowStatus', async () => {
    const set = await importedSet(world, { count: 1 });
    await update(world, set, { set: { Study: { DICOM: { StudyDescription: 'new' } } } });
    await settled(world, set);
    const { imageSetPropertiesList } = await world.client.send(new sdk.ListImageSetVersionsCommand(set));
    expect(imageSetPropertiesList).toMatchObject([
      { versionId: '2', ImageSetWorkflowStatus: 'UPDATED', updatedAt: expect.any(Date) },
      { versionId: '1', ImageSetWorkflowStatus: 'CREATED' },
    ]);
    expect(imageSetPropertiesList?.[1]).not.toHaveProperty('updatedAt');
    expect(new Set(imageSetPropertiesList?.map(({ createdAt }) => createdAt?.getTime())).size).toBe(1);
  });
});

describe('data stores', () => {
  test('a store without a name is called by its id', async () => {
    const { datastoreId } = await world.client.send(new sdk.CreateDatastoreCommand({}));
    const { datastoreProperties } = await world.client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    expect(datastoreProperties?.datastoreName).toBe(datastoreId);
  });

  test('a running import job keeps its data store from being deleted', async () => {
    const clock = createTestClock();
    const own = await startTestWorld({ clock, delays: { jobSubmitted: 1_000 } });
    const datastoreId = await own.createDatastore();
    const jobId = await own.startJob(datastoreId, 'nothing/');
    const remove = () => own.client.send(new sdk.DeleteDatastoreCommand({ datastoreId }));
    await expect(remove()).rejects.toMatchObject({ name: 'ConflictException' });
    clock.advance(1_000);
    await own.finishedJob(datastoreId, jobId);
    await remove();
    await own.close();
  });
});

describe('import jobs', () => {
  test('SUCCESS and FAILURE files are there even when empty, WARNING is not', async () => {
    const datastoreId = await world.createDatastore();
    const { jobId, manifest } = await world.importFiles(datastoreId, { '1': slice({ size: 16 }) });
    const { outputS3Uri = '' } = await world.finishedJob(datastoreId, jobId);
    const folder = outputS3Uri.replace(/^s3:\/\/[^/]+\//, '');
    expect(await world.readText(`${folder}FAILURE/failure.ndjson`)).toBe('');
    await expect(world.readText(`${folder}WARNING/warning.ndjson`)).rejects.toThrow();
    expect(manifest.jobSummary).not.toHaveProperty('warningsOutputS3Uri');
  });

  test('an empty prefix completes with no files; objects that stand for folders are none', async () => {
    const datastoreId = await world.createDatastore();
    const { manifest } = await world.importFiles(datastoreId, { 'folder/': '' });
    expect(manifest.jobSummary).toMatchObject({ numberOfScannedFiles: 0, numberOfGeneratedImageSets: 0 });
  });

  test('today a value beyond the standard comes in with a warning, beyond the limit it fails', async () => {
    const datastoreId = await world.createDatastore();
    const { success, failure, warning } = await world.importFiles(datastoreId, {
      standard: object({ PatientID: 'P'.repeat(64) }),
      warned: object({ PatientID: 'P'.repeat(256), SOPInstanceUID: `${SERIES}.2` }),
      failed: object({ PatientID: 'P'.repeat(257), SOPInstanceUID: `${SERIES}.3` }),
    });
    const names = (lines: readonly { inputFile: string }[]) =>
      lines.map((line) => line.inputFile.split('/').at(-1));
    expect(names(success)).toEqual(['standard', 'warned']);
    expect(names(failure)).toEqual(['failed']);
    expect(names(warning)).toEqual(['warned']);
    expect(warning[0]?.importResponse?.warnings).toMatchObject([
      { type: 'InvalidDicomValueLength', warning_reason_code: 45571 },
    ]);
  });

  test.each(['current', '2024'] as const)('StudyInstanceUID is asked for in %s', async (behaviour) => {
    const own = await startTestWorld({ behaviour });
    const datastoreId = await own.createDatastore();
    const { failure } = await own.importFiles(datastoreId, { '1': object({ StudyInstanceUID: undefined }) });
    expect(failure[0]?.exception).toEqual({
      exceptionType: 'ValidationException',
      message: 'DICOM attribute StudyInstanceUID does not exist',
    });
    await own.close();
  });

  test('inputOwnerAccountId is held against the owner of the bucket', async () => {
    const own = await startTestWorld({ throttle: 'off' });
    const datastoreId = await own.createDatastore();
    await own.put('owned/1', slice({ size: 16 }));
    const endOf = async (inputOwnerAccountId: string) => {
      const { jobId } = await own.client.send(
        new sdk.StartDICOMImportJobCommand({
          datastoreId,
          dataAccessRoleArn: ROLE,
          inputOwnerAccountId,
          inputS3Uri: 's3://imports/owned/',
          outputS3Uri: 's3://imports/output/',
        }),
      );
      return own.finishedJob(datastoreId, jobId as string);
    };
    expect(await endOf('111122223333')).toMatchObject({
      jobStatus: 'FAILED',
      message: 'DICOM import job has failed. INPUT_S3_URI_NOT_ACCESSIBLE',
    });
    expect((await endOf('000000000000')).jobStatus).toBe('COMPLETED');
    await own.close();
  });

  test.each([
    ['files', { filesPerJob: 1 }, 'FILE_COUNTS_LIMIT_EXCEEDED'],
    ['folders', { foldersPerJob: 1 }, 'FOLDER_COUNTS_LIMIT_EXCEEDED'],
    ['bytes', { bytesPerJob: 100 }, 'TOTAL_SIZE_LIMIT_EXCEEDED'],
  ])('too many %s fail the job', async (_, quotas, code) => {
    const own = await startTestWorld({ quotas });
    const datastoreId = await own.createDatastore();
    for (const key of ['in/a/1', 'in/b/2']) await own.put(key, slice({ size: 16 }));
    const { jobStatus, message } = await own.finishedJob(datastoreId, await own.startJob(datastoreId, 'in/'));
    expect([jobStatus, message]).toEqual(['FAILED', `DICOM import job has failed. ${code}`]);
    await own.close();
  });

  test('a file, or the metadata of an image set, over its quota fails the files', async () => {
    const own = await startTestWorld({ quotas: { bytesPerFile: 2_000, metadataBytesPerImageSet: 500 } });
    const datastoreId = await own.createDatastore();
    const { failure } = await own.importFiles(datastoreId, { large: slice(), small: object() });
    expect(failure.map(({ exception }) => exception?.message)).toEqual([
      'The file exceeds the maximum size of 2000 bytes',
      'The metadata of the image set exceeds the maximum size of 500 bytes',
    ]);
    await own.close();
  });
});

describe('quotas', () => {
  test('import jobs at a time, writes of each kind at a time: 402', async () => {
    const own = await startTestWorld({
      clock: createTestClock(),
      delays: { write: 1_000, manifest: 0 },
      quotas: { concurrentWrites: 1, concurrentImportJobs: 1 },
    });
    const one = await importedSet(own, { count: 1 });
    const { datastoreId } = one;
    const others: { datastoreId: string; imageSetId: string }[] = [];
    for (const PatientID of ['P2', 'P3', 'P4', 'P5', 'P6'])
      others.push(await importedSet(own, { datastoreId, count: 1, elements: { PatientID } }));
    const [a, b, c, d, e] = others as [typeof one, typeof one, typeof one, typeof one, typeof one];
    const exceeded = { name: 'ServiceQuotaExceededException', $metadata: { httpStatusCode: 402 } };
    const change = { set: { Study: { DICOM: { StudyDescription: 'new' } } } };
    await update(own, one, change);
    await expect(update(own, a, change)).rejects.toMatchObject(exceeded);
    await copy(own, b);
    await expect(copy(own, c)).rejects.toMatchObject(exceeded);
    await own.client.send(new sdk.DeleteImageSetCommand(d));
    await expect(own.client.send(new sdk.DeleteImageSetCommand(e))).rejects.toMatchObject(exceeded);
    await own.close();
  });

  test('a second import job beyond the quota: 402', async () => {
    const own = await startTestWorld({
      clock: createTestClock(),
      delays: { jobSubmitted: 1_000 },
      quotas: { concurrentImportJobs: 1 },
    });
    const datastoreId = await own.createDatastore();
    await own.startJob(datastoreId, 'a/');
    await expect(own.startJob(datastoreId, 'b/')).rejects.toMatchObject({
      name: 'ServiceQuotaExceededException',
    });
    await own.close();
  });
});

describe('grouping', () => {
  test('a join leaves Patient, Study and Series of the primary as they are; its status is UPDATED', async () => {
    const set = await importedSet(world, { count: 1 });
    await importedSet(world, {
      datastoreId: set.datastoreId,
      from: 2,
      count: 1,
      elements: { PatientName: 'Other' },
    });
    expect((await world.metadata(set.datastoreId, set.imageSetId)).Patient.DICOM.PatientName).toBe(
      'Doe^Jane',
    );
    expect(await settled(world, set)).toMatchObject({ versionId: '2', imageSetWorkflowStatus: 'UPDATED' });
    const { imageSetsMetadataSummaries } = await world.client.send(
      new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }),
    );
    expect(imageSetsMetadataSummaries).toMatchObject([
      {
        version: 2,
        DICOMTags: { DICOMNumberOfStudyRelatedSeries: 1, DICOMNumberOfStudyRelatedInstances: 2 },
      },
    ]);
  });

  test('an import that joins a LOCKED primary waits for it', async () => {
    const clock = createTestClock();
    const own = await startTestWorld({ clock, delays: { write: 1_000 } });
    const set = await importedSet(own, { count: 1 });
    await update(own, set, { set: { Study: { DICOM: { StudyDescription: 'new' } } } });
    await own.put('more/2', slice({ number: 2, size: 16 }));
    const jobId = await own.startJob(set.datastoreId, 'more/');
    const job = async () =>
      (await own.client.send(new sdk.GetDICOMImportJobCommand({ datastoreId: set.datastoreId, jobId })))
        .jobProperties?.jobStatus;
    await eventually(async () => (await job()) === 'IN_PROGRESS');
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await job()).toBe('IN_PROGRESS');
    clock.advance(1_000);
    await own.finishedJob(set.datastoreId, jobId);
    expect(await settled(own, set)).toMatchObject({ versionId: '3' });
    expect((await own.metadata(set.datastoreId, set.imageSetId)).Study.DICOM.StudyDescription).toBe('new');
    await own.close();
  });

  test('2024: an instance that comes twice in a job goes to a further set', async () => {
    const own = await startTestWorld({ behaviour: '2024' });
    const datastoreId = await own.createDatastore();
    const { manifest } = await own.importFiles(datastoreId, { a: object(), b: object() });
    expect(manifest.jobSummary.imageSetsSummary.map((set) => set.numberOfMatchedSOPInstances)).toEqual([
      1, 1,
    ]);
    await own.close();
  });

  test('2024: a series is split for throughput when the option says so; every instance is in one set', async () => {
    const own = await startTestWorld({ behaviour: '2024', splitInstances: 2 });
    const datastoreId = await own.createDatastore();
    const files = [1, 2, 3, 4, 5].map((n) => [String(n), object({ SOPInstanceUID: `${SERIES}.${n}` })]);
    const { manifest, success } = await own.importFiles(datastoreId, Object.fromEntries(files));
    const sets = manifest.jobSummary.imageSetsSummary;
    expect(sets.map((set) => set.numberOfMatchedSOPInstances)).toEqual([2, 2, 1]);
    const found: string[] = [];
    for (const { imageSetId } of sets) {
      const { Study } = await own.metadata(datastoreId, imageSetId);
      found.push(...Object.keys(Study.Series[SERIES]!.Instances));
    }
    expect(found.sort()).toEqual([1, 2, 3, 4, 5].map((n) => `${SERIES}.${n}`));
    expect(success).toHaveLength(5);
    await own.close();
  });
});

describe('frames', () => {
  const onePixelRow = { Rows: 4, Columns: 4, SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2' };

  test('an instance without pixels has no frames, no stored syntax and no checksum type', async () => {
    const datastoreId = await world.createDatastore();
    const { manifest } = await world.importFiles(datastoreId, { '1': object() });
    const instance = await instanceOf(
      world,
      datastoreId,
      manifest.jobSummary.imageSetsSummary[0]!.imageSetId,
    );
    expect(instance.ImageFrames).toEqual([]);
    expect(instance).not.toHaveProperty('StoredTransferSyntaxUID');
    expect(instance).not.toHaveProperty('ChecksumType');
  });

  test('bits of a segmentation are kept, with the checksum of their bytes; in 2024 they fail', async () => {
    const bits = { BitsAllocated: 1, BitsStored: 1, HighBit: 0, PixelRepresentation: 0 };
    const file = object({ ...onePixelRow, ...bits }, { pixelData: Uint8Array.of(0x5a, 0xa5) });
    const datastoreId = await world.createDatastore();
    const { manifest } = await world.importFiles(datastoreId, { '1': file });
    const { imageSetId } = manifest.jobSummary.imageSetsSummary[0]!;
    expect(await instanceOf(world, datastoreId, imageSetId)).toMatchObject({
      StoredTransferSyntaxUID: '1.2.840.10008.1.2.1',
      ChecksumType: 'COMPRESSED',
      ImageFrames: [{ MinPixelValue: null, MaxPixelValue: null, FrameSizeInBytes: 2 }],
    });
    const own = await startTestWorld({ behaviour: '2024' });
    const { failure } = await own.importFiles(await own.createDatastore(), { '1': file });
    expect(failure[0]?.exception?.message).toBe('Binary segmentation is not supported');
    await own.close();
  });

  test('pixels that cannot be decoded: kept whole with a warning, 406 but for *; a failure in 2024', async () => {
    const words = { BitsAllocated: 16, BitsStored: 12, HighBit: 11, PixelRepresentation: 0 };
    const file = object(
      { ...onePixelRow, ...words },
      { transferSyntaxUID: '1.2.840.10008.1.2.4.70', pixelData: { fragments: [new Uint8Array(64).fill(7)] } },
    );
    const datastoreId = await world.createDatastore();
    const { warning } = await world.importFiles(datastoreId, { '1': file });
    expect(warning[0]?.importResponse?.warnings).toMatchObject([{ type: 'TranscodingException' }]);
    const url = `${world.server.endpoint}/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1`;
    expect((await fetch(url)).status).toBe(406);
    const stored = await fetch(url, { headers: { accept: 'application/dicom; transfer-syntax=*' } });
    expect(Buffer.compare(Buffer.from(await stored.arrayBuffer()), Buffer.from(file))).toBe(0);
    const own = await startTestWorld({ behaviour: '2024' });
    const { failure } = await own.importFiles(await own.createDatastore(), { '1': file });
    expect(failure).toHaveLength(1);
    await own.close();
  });
});

describe('writes', () => {
  test('the source of a copy goes back to the status it had, at the same version', async () => {
    const set = await importedSet(world, { count: 1 });
    const { sourceImageSetProperties, destinationImageSetProperties } = await copy(world, set);
    expect(sourceImageSetProperties).toMatchObject({
      latestVersionId: '1',
      imageSetWorkflowStatus: 'COPYING_WITH_READ_ONLY_ACCESS',
    });
    expect(destinationImageSetProperties).toMatchObject({
      latestVersionId: '1',
      imageSetWorkflowStatus: 'COPYING',
    });
    expect(await settled(world, set)).toMatchObject({ versionId: '1', imageSetWorkflowStatus: 'CREATED' });
  });

  test('in 2024 force and reverts work; includeStudyImageSets and promoteToPrimary do not', async () => {
    const own = await startTestWorld({ behaviour: '2024' });
    const set = await importedSet(own, { count: 1 });
    await update(own, set, { set: { Study: { DICOM: { StudyID: 'S2' } } }, force: true });
    expect(await settled(own, set)).toMatchObject({
      imageSetWorkflowStatus: 'UPDATED',
      overrides: { forced: true },
    });
    await update(own, set, { revertTo: '1' });
    expect(await settled(own, set)).toMatchObject({ versionId: '3', imageSetWorkflowStatus: 'UPDATED' });
    await expect(copy(own, set, { promoteToPrimary: true })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await own.close();
  });

  test('the last instance of an image set is not removed; group 0002 never changes', async () => {
    const set = await importedSet(world, { count: 1 });
    const series = (instances: object) => ({ Study: { Series: { [SERIES]: { Instances: instances } } } });
    await update(world, set, { remove: series({ [`${SERIES}.1`]: {} }), force: true });
    expect((await settled(world, set)).imageSetWorkflowStatus).toBe('UPDATE_FAILED');
    const meta = series({ [`${SERIES}.1`]: { DICOM: { TransferSyntaxUID: '1.2' } } });
    await expect(update(world, set, { set: meta, force: true })).rejects.toMatchObject({
      name: 'ValidationException',
    });
  });
});

test('all the detail types of a life are sent: data store, job, image sets created, copied, updated, deleted', async () => {
  const own = await startTestWorld({ throttle: 'off' });
  const set = await importedSet(own, { count: 2 });
  await update(own, set, { set: { Study: { DICOM: { StudyDescription: 'new' } } } });
  await settled(own, set);
  await update(own, set, { set: { Study: { Series: { '1.9': { DICOM: { Modality: 'MR' } } } } } });
  await settled(own, set);
  const { destinationImageSetProperties } = await copy(own, set);
  const made = { ...set, imageSetId: destinationImageSetProperties?.imageSetId as string };
  await settled(own, made);
  await copy(own, set, { to: made });
  await settled(own, made);
  for (const one of [set, made]) await own.client.send(new sdk.DeleteImageSetCommand(one));
  await eventually(async () => {
    const states = await Promise.all([settled(own, set), settled(own, made)]);
    return states.every(({ imageSetState }) => imageSetState === 'DELETED');
  });
  await own.client.send(new sdk.DeleteDatastoreCommand(set));
  await eventually(async () => own.events.at(-1)?.['detail-type'] === 'Data Store Deleted');
  const seen = new Set(own.events.map((event) => event['detail-type']));
  expect([...seen].sort()).toEqual([
    'Data Store Created',
    'Data Store Creating',
    'Data Store Deleted',
    'Data Store Deleting',
    'Image Set Copied',
    'Image Set Copy Failed',
    'Image Set Copying',
    'Image Set Copying With Read Only Access',
    'Image Set Created',
    'Image Set Deleted',
    'Image Set Deleting',
    'Image Set Update Failed',
    'Image Set Updated',
    'Image Set Updating',
    'Import Job Completed',
    'Import Job In Progress',
    'Import Job Submitted',
  ]);
  await own.close();
});
