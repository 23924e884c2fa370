/** Import jobs end to end: a real S3 store, the official clients, every file accounted for in the job's output. */
import { crc32 } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createCodecPool } from '../../../shared/pixels/codec-pool.ts';
import { SERIES, slice, slicePixels } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world.close());

test('a series becomes one primary image set whose frames decode to the source pixels', async () => {
  const datastoreId = await world.createDatastore();
  const files = Object.fromEntries([1, 2, 3].map((number) => [`${number}.dcm`, slice({ number })]));
  const { manifest, success, failure } = await world.importFiles(datastoreId, files);
  expect(failure).toEqual([]);
  expect(manifest.jobSummary).toMatchObject({
    numberOfScannedFiles: 3,
    numberOfImportedFiles: 3,
    numberOfFilesWithCustomerError: 0,
    numberOfFilesWithServerError: 0,
    numberOfGeneratedImageSets: 1,
    imageSetsSummary: [{ imageSetVersion: 1, isPrimary: true, numberOfMatchedSOPInstances: 3 }],
  });
  const imageSetId = manifest.jobSummary.imageSetsSummary[0]!.imageSetId;
  expect(success.map((line) => line.importResponse?.imageSetId)).toEqual([
    imageSetId,
    imageSetId,
    imageSetId,
  ]);

  const document = await world.metadata(datastoreId, imageSetId);
  const codecs = createCodecPool({ workers: 1 });
  for (const number of [1, 2, 3]) {
    const instance = document.Study.Series[SERIES]!.Instances[`${SERIES}.${number}`]!;
    const [frame] = instance.ImageFrames;
    const truth = crc32(new Uint8Array(slicePixels(number, 64).buffer));
    expect(frame!.PixelDataChecksumFromBaseToFullResolution).toEqual([
      { Width: 64, Height: 64, Checksum: truth },
    ]);
    const codestream = await world.frame(datastoreId, imageSetId, frame!.ID);
    expect(codestream.length).toBe(frame!.FrameSizeInBytes);
    expect((await codecs.verify(codestream)).crc32).toBe(truth);
  }
  await codecs.close();
});

test('files that are no DICOM are failures with the words of the service, and the others come in', async () => {
  const datastoreId = await world.createDatastore();
  const { manifest, failure } = await world.importFiles(datastoreId, {
    'a.txt': 'not DICOM at all',
    'empty.dcm': '',
    'no-uid.dcm': slice({ number: 9, elements: { SOPInstanceUID: undefined } }),
    'ok.dcm': slice({ number: 1 }),
  });
  expect(manifest.jobSummary).toMatchObject({ numberOfImportedFiles: 1, numberOfFilesWithCustomerError: 3 });
  expect(failure.map((line) => line.exception)).toEqual([
    { exceptionType: 'ValidationException', message: 'DICOM attributes does not exist' },
    { exceptionType: 'ValidationException', message: 'DICOM attributes does not exist' },
    { exceptionType: 'ValidationException', message: 'DICOM attribute SOPInstanceUID does not exist' },
  ]);
});
