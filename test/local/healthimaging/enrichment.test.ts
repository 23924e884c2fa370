/** `importConfiguration`: DICOM JSON beside the P10 objects (not in the JavaScript client yet, so by plain requests). */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SERIES, STUDY, slice } from './instances.ts';
import { ROLE, startTestWorld, type TestWorld } from './world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world.close());

async function importWith(mappings: object[], files: Record<string, Uint8Array | string>) {
  const datastoreId = await world.createDatastore();
  const prefix = `${datastoreId}/`;
  for (const [name, body] of Object.entries(files)) await world.put(prefix + name, body);
  const response = await fetch(`${world.server.endpoint}/startDICOMImportJob/datastore/${datastoreId}`, {
    method: 'POST',
    body: JSON.stringify({
      clientToken: 'enrich',
      dataAccessRoleArn: ROLE,
      inputS3Uri: `s3://${world.bucket}/${prefix}`,
      outputS3Uri: `s3://${world.bucket}/out/`,
      importConfiguration: { dicomJsonMetadataImportConfiguration: { dicomMetadataMappings: mappings } },
    }),
  });
  expect(response.status).toBe(200);
  const { jobId } = (await response.json()) as { jobId: string };
  return { datastoreId, jobId };
}

test('a study-wide file changes and adds attributes at their levels; it is no input itself', async () => {
  const { datastoreId, jobId } = await importWith(
    [{ studyInstanceUID: STUDY, metadataFilePath: 'meta/study.json' }],
    {
      '1.dcm': slice({ number: 1 }),
      'meta/study.json': JSON.stringify({
        '00100010': { vr: 'PN', Value: [{ Alphabetic: 'Neu^Name' }] },
        '00081030': { vr: 'LO', Value: ['enriched'] },
        '0008103E': { vr: 'LO', Value: ['series text'] },
        '00204000': { vr: 'LT', Value: ['comment'] },
        '0020000D': { vr: 'UI', Value: ['9.9.9'] },
      }),
    },
  );
  const { manifest } = await world.output(datastoreId, jobId);
  expect(manifest.jobSummary).toMatchObject({ numberOfScannedFiles: 1, numberOfImportedFiles: 1 });
  const document = await world.metadata(datastoreId, manifest.jobSummary.imageSetsSummary[0]!.imageSetId);
  expect(document.Patient.DICOM.PatientName).toBe('Neu^Name');
  expect(document.Study.DICOM).toMatchObject({ StudyDescription: 'enriched', StudyInstanceUID: STUDY });
  const series = document.Study.Series[SERIES]!;
  expect(series.DICOM.SeriesDescription).toBe('series text');
  expect(series.Instances[`${SERIES}.1`]!.DICOM.ImageComments).toBe('comment');
});

test('a mapped file that is missing fails the job', async () => {
  const { datastoreId, jobId } = await importWith(
    [{ studyInstanceUID: STUDY, metadataFilePath: 'none.json' }],
    {
      '1.dcm': slice({ number: 1 }),
    },
  );
  expect(await world.finishedJob(datastoreId, jobId)).toMatchObject({
    jobStatus: 'FAILED',
    message: 'DICOM import job has failed. METADATA_FILE_NOT_ACCESSIBLE',
  });
});

test('a missing bucket, and more files than a job may have, fail the job with a message', async () => {
  const limited = await startTestWorld({ quotas: { filesPerJob: 1 } });
  const datastoreId = await limited.createDatastore();
  await limited.put('many/1', slice({ number: 1 }));
  await limited.put('many/2', slice({ number: 2 }));
  expect(await limited.finishedJob(datastoreId, await limited.startJob(datastoreId, 'many/'))).toMatchObject({
    jobStatus: 'FAILED',
    message: 'DICOM import job has failed. FILE_COUNTS_LIMIT_EXCEEDED',
  });
  await limited.close();
});
