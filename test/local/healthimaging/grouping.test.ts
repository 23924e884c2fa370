/** How imports fall into image sets: today (primary image sets) and in 2024 (always new ones). */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERIES, STUDY, slice } from './instances.ts';
import { type Imported, startTestWorld, type TestWorld } from './world.ts';

const setsOf = (imported: Imported) => imported.manifest.jobSummary.imageSetsSummary;

describe('current', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startTestWorld();
  });
  afterAll(() => world.close());

  test('a later job joins the primary of its series, as a new version; the old one stays readable', async () => {
    const datastoreId = await world.createDatastore();
    const [first] = setsOf(await world.importFiles(datastoreId, { '1': slice({ number: 1 }) }));
    const [second] = setsOf(await world.importFiles(datastoreId, { '2': slice({ number: 2 }) }));
    expect(second).toMatchObject({ imageSetId: first?.imageSetId, imageSetVersion: 2, isPrimary: true });
    const old = await world.metadata(datastoreId, first!.imageSetId, '1');
    const now = await world.metadata(datastoreId, first!.imageSetId);
    expect(Object.keys(old.Study.Series[SERIES]!.Instances)).toEqual([`${SERIES}.1`]);
    expect(Object.keys(now.Study.Series[SERIES]!.Instances)).toEqual([`${SERIES}.1`, `${SERIES}.2`]);
  });

  test('a re-sent SOP Instance UID overwrites the stored instance', async () => {
    const datastoreId = await world.createDatastore();
    await world.importFiles(datastoreId, { '1': slice({ number: 1, elements: { ImageComments: 'old' } }) });
    const [set] = setsOf(
      await world.importFiles(datastoreId, { '1': slice({ number: 1, elements: { ImageComments: 'new' } }) }),
    );
    const document = await world.metadata(datastoreId, set!.imageSetId);
    expect(document.Study.Series[SERIES]!.Instances[`${SERIES}.1`]!.DICOM.ImageComments).toBe('new');
    expect(set?.imageSetVersion).toBe(2);
  });

  test.each([
    ['PatientID', 'P2'],
    ['AccessionNumber', 'A2'],
    ['StudyDate', '20240302'],
    ['StudyID', 'S2'],
    ['SeriesNumber', '2'],
  ])('another %s is a conflict: a new image set that is not primary', async (keyword, value) => {
    const datastoreId = await world.createDatastore();
    const [first] = setsOf(await world.importFiles(datastoreId, { '1': slice({ number: 1 }) }));
    const [second] = setsOf(
      await world.importFiles(datastoreId, { '2': slice({ number: 2, elements: { [keyword]: value } }) }),
    );
    expect(second).toMatchObject({ imageSetVersion: 1, isPrimary: false });
    expect(second?.imageSetId).not.toBe(first?.imageSetId);
  });

  test.each([
    ['PatientName', 'Doe^J'],
    ['PatientBirthDate', '19991231'],
    ['StudyDescription', 'other'],
  ])('another %s joins all the same: the service does not look at it', async (keyword, value) => {
    const datastoreId = await world.createDatastore();
    const [first] = setsOf(await world.importFiles(datastoreId, { '1': slice({ number: 1 }) }));
    const [second] = setsOf(
      await world.importFiles(datastoreId, { '2': slice({ number: 2, elements: { [keyword]: value } }) }),
    );
    expect(second).toMatchObject({ imageSetId: first?.imageSetId, imageSetVersion: 2 });
  });

  test('two variants in one job: the larger is primary, the other is not', async () => {
    const datastoreId = await world.createDatastore();
    const imported = await world.importFiles(datastoreId, {
      a: slice({ number: 1 }),
      b: slice({ number: 2, elements: { PatientID: 'P2' } }),
      c: slice({ number: 3 }),
    });
    expect(setsOf(imported)).toMatchObject([
      { isPrimary: true, numberOfMatchedSOPInstances: 2 },
      { isPrimary: false, numberOfMatchedSOPInstances: 1 },
    ]);
    expect(imported.success.map((line) => line.importResponse?.isPrimary)).toEqual([true, false, true]);
  });

  test('another series of the study with another study date is not primary', async () => {
    const datastoreId = await world.createDatastore();
    await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
    const elements = {
      SeriesInstanceUID: `${STUDY}.2`,
      SOPInstanceUID: `${STUDY}.2.1`,
      StudyDate: '20240302',
    };
    const [second] = setsOf(await world.importFiles(datastoreId, { '2': slice({ elements }) }));
    expect(second?.isPrimary).toBe(false);
  });
});

describe('2024', () => {
  let world: TestWorld;
  beforeAll(async () => {
    world = await startTestWorld({ behaviour: '2024' });
  });
  afterAll(() => world.close());

  test('every job makes new image sets, also for the same instance', async () => {
    const datastoreId = await world.createDatastore();
    const [first] = setsOf(await world.importFiles(datastoreId, { '1': slice() }));
    const [second] = setsOf(await world.importFiles(datastoreId, { '1': slice() }));
    expect(second?.imageSetId).not.toBe(first?.imageSetId);
    expect(Object.keys(second!)).toEqual(['imageSetId', 'numberOfMatchedSOPInstances']);
  });

  test('any difference in a normalised attribute splits the series', async () => {
    const datastoreId = await world.createDatastore();
    const imported = await world.importFiles(datastoreId, {
      a: slice({ number: 1 }),
      b: slice({ number: 2, elements: { PatientName: 'DOE^JANE' } }),
      c: slice({ number: 3, elements: { BodyPartExamined: 'HEAD' } }),
      d: slice({ number: 4, elements: { InstanceNumber: '77' } }),
    });
    expect(setsOf(imported).map((set) => set.numberOfMatchedSOPInstances)).toEqual([2, 1, 1]);
  });

  test('checksums are listed for each resolution level, base to full', async () => {
    const datastoreId = await world.createDatastore();
    const [set] = setsOf(await world.importFiles(datastoreId, { '1': slice({ size: 512 }) }));
    const document = await world.metadata(datastoreId, set!.imageSetId);
    const instance = document.Study.Series[SERIES]!.Instances[`${SERIES}.1`]!;
    const levels = instance.ImageFrames[0]!.PixelDataChecksumFromBaseToFullResolution;
    expect(levels.map((level) => level.Width)).toEqual([128, 256, 512]);
    expect(instance.ImageFrames[0]!.FrameSizeInBytes).toBe(512 * 512 * 2);
    expect(instance).not.toHaveProperty('StoredTransferSyntaxUID');
  });
});
