/** UpdateImageSetMetadata: versions, the nine rules with a message each, removal, revert, force, whole studies. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SERIES, STUDY } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { blob, type Imported, importedSet, settled, type Update, update } from './writes.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world.close());

const SOP = `${SERIES}.1`;
const instanceOf = (sopUID: string, content: object) => ({
  Study: { Series: { [SERIES]: { Instances: { [sopUID]: content } } } },
});

test('an update gives a new version, LOCKED at first, and the old version stays as it was', async () => {
  const set = await importedSet(world);
  const reply = await update(world, set, { set: { Patient: { DICOM: { PatientName: 'New^Name' } } } });
  expect(reply).toMatchObject({
    latestVersionId: '2',
    imageSetState: 'LOCKED',
    imageSetWorkflowStatus: 'UPDATING',
  });
  expect(await settled(world, set)).toMatchObject({ versionId: '2', imageSetWorkflowStatus: 'UPDATED' });
  const [now, before] = [
    await world.metadata(set.datastoreId, set.imageSetId),
    await world.metadata(set.datastoreId, set.imageSetId, '1'),
  ];
  expect([now.Patient.DICOM.PatientName, before.Patient.DICOM.PatientName]).toEqual(['New^Name', 'Doe^Jane']);
  const { imageSetsMetadataSummaries } = await world.client.send(
    new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }),
  );
  expect(imageSetsMetadataSummaries?.[0]).toMatchObject({
    version: 2,
    DICOMTags: { DICOMPatientName: 'New^Name' },
  });
});

test('a stale latestVersionId is a conflict, and nothing changes', async () => {
  const set = await importedSet(world);
  const change = { set: { Patient: { DICOM: { PatientSex: 'O' } } } };
  await expect(update(world, set, { ...change, latestVersionId: '7' })).rejects.toMatchObject({
    name: 'ConflictException',
  });
  expect(await settled(world, set)).toMatchObject({ versionId: '1' });
});

describe('the rules of the guide, without force', () => {
  let set: Imported;
  beforeAll(async () => {
    set = await importedSet(world);
  });

  test.each<[string, object, RegExp]>([
    ['1: no private attributes', instanceOf(SOP, { DICOM: { '00191001': 'x' } }), /Private attributes/],
    ['1: none above the instance', { Patient: { DICOM: { '00191001': 'x' } } }, /at Patient level/],
    ['2: never facts of documents', { DatastoreID: 'x' }, /DatastoreID can never/],
    ['2: never facts of frames', instanceOf(SOP, { ImageFrames: [] }), /ImageFrames can never/],
    ['2: never PixelData', instanceOf(SOP, { DICOM: { PixelData: 'AA==' } }), /PixelData can never/],
    ['3: not the identifying UIDs', { Study: { DICOM: { StudyInstanceUID: '1.2' } } }, /force|primary/],
    ['3: not StudyID', { Study: { DICOM: { StudyID: 'x' } } }, /StudyID can be changed with force/],
    ['4: no sequences', { Study: { DICOM: { ProcedureCodeSequence: [] } } }, /is a sequence/],
    ['5: nothing multi-valued', instanceOf(SOP, { DICOM: { ImageType: ['A'] } }), /is multi-valued/],
    [
      '6: values that fit their VR',
      { Patient: { DICOM: { PatientBirthDate: 'May' } } },
      /does not fit its VR DA/,
    ],
    ['7: names of the standard', { Patient: { DICOM: { NoSuchKeyword: 'x' } } }, /not in the DICOM standard/],
    ['8: at their own level', { Study: { DICOM: { PatientName: 'x' } } }, /belongs to the Patient level/],
  ])('%s', async (_, content, message) => {
    const refused = update(world, set, { set: content });
    await expect(refused).rejects.toMatchObject({ name: 'ValidationException', message });
  });

  test('9: what is addressed has to exist; the version is used up by the failure', async () => {
    const lone = await importedSet(world);
    await update(world, lone, { set: instanceOf('9.9.9', { DICOM: { ImageComments: 'x' } }) });
    expect(await settled(world, lone)).toMatchObject({
      versionId: '2',
      imageSetState: 'ACTIVE',
      imageSetWorkflowStatus: 'UPDATE_FAILED',
      message: 'INVALID_REQUEST: The addressed instance does not exist',
    });
    await update(world, lone, { set: { Patient: { DICOM: { PatientSex: 'O' } } } });
    expect(await settled(world, lone)).toMatchObject({ versionId: '3', imageSetWorkflowStatus: 'UPDATED' });
  });

  test('every message is another', async () => {
    const messages = new Set<string>();
    const contents: Update[] = [
      { set: instanceOf(SOP, { DICOM: { '00191001': 'x' } }) },
      { set: { DatastoreID: 'x' } },
      { set: { Study: { DICOM: { StudyID: 'x' } } } },
      { set: { Study: { DICOM: { ProcedureCodeSequence: [] } } } },
      { set: instanceOf(SOP, { DICOM: { ImageType: ['A'] } }) },
      { set: { Patient: { DICOM: { PatientBirthDate: 'May' } } } },
      { set: { Patient: { DICOM: { NoSuchKeyword: 'x' } } } },
      { set: { Study: { DICOM: { PatientName: 'x' } } } },
    ];
    for (const content of contents) {
      await update(world, set, content).catch((error: Error) => messages.add(error.message));
    }
    expect(messages.size).toBe(contents.length);
  });
});

describe('with force', () => {
  test('private attributes, sequences, several values and StudyID change', async () => {
    const set = await importedSet(world);
    await update(world, set, {
      force: true,
      set: {
        Study: {
          DICOM: { StudyID: 'S9', ProcedureCodeSequence: [{ CodeValue: '1' }] },
          Series: {
            [SERIES]: {
              Instances: {
                [SOP]: { DICOM: { '001910F9': '97', ImageType: ['A', 'B'] }, DICOMVRs: { '001910F9': 'DS' } },
              },
            },
          },
        },
      },
    });
    expect(await settled(world, set)).toMatchObject({
      imageSetWorkflowStatus: 'UPDATED',
      overrides: { forced: true },
    });
    const document = await world.metadata(set.datastoreId, set.imageSetId);
    expect(document.Study.DICOM).toMatchObject({
      StudyID: 'S9',
      ProcedureCodeSequence: [{ CodeValue: '1' }],
    });
    expect(document.Study.Series[SERIES]!.Instances[SOP]).toMatchObject({
      DICOM: { '001910F9': '97', ImageType: ['A', 'B'] },
      DICOMVRs: { '001910F9': 'DS' },
    });
  });

  test('the UIDs of a primary image set stay', async () => {
    const set = await importedSet(world);
    const change = { force: true, set: { Study: { DICOM: { StudyInstanceUID: '1.2.3' } } } };
    await expect(update(world, set, change)).rejects.toMatchObject({ message: /of a primary image set/ });
  });

  test('the UIDs of another set change, and instances stand under their new ones', async () => {
    const { datastoreId } = await importedSet(world);
    const set = await importedSet(world, { datastoreId, count: 1, elements: { PatientID: 'other' } });
    await update(world, set, { force: true, set: instanceOf(SOP, { DICOM: { SOPInstanceUID: '1.2.3.4' } }) });
    await settled(world, set);
    const document = await world.metadata(datastoreId, set.imageSetId);
    expect(Object.keys(document.Study.Series[SERIES]!.Instances)).toEqual(['1.2.3.4']);
  });

  test('an instance is removed; its frames stay readable in the older version', async () => {
    const set = await importedSet(world);
    const before = await world.metadata(set.datastoreId, set.imageSetId);
    await expect(update(world, set, { remove: instanceOf(SOP, {}) })).rejects.toMatchObject({
      message: /force/,
    });
    await update(world, set, { force: true, remove: instanceOf(SOP, {}) });
    expect(await settled(world, set)).toMatchObject({ imageSetWorkflowStatus: 'UPDATED' });
    const document = await world.metadata(set.datastoreId, set.imageSetId);
    expect(Object.keys(document.Study.Series[SERIES]!.Instances)).toEqual([`${SERIES}.2`]);
    const frame = before.Study.Series[SERIES]!.Instances[SOP]!.ImageFrames[0]!;
    expect((await world.frame(set.datastoreId, set.imageSetId, frame.ID)).length).toBeGreaterThan(0);
  });
});

test('removing an attribute takes its key away; one that is not there fails', async () => {
  const set = await importedSet(world);
  await update(world, set, { remove: { Study: { DICOM: { AccessionNumber: 'anything' } } } });
  await settled(world, set);
  const document = await world.metadata(set.datastoreId, set.imageSetId);
  expect(document.Study.DICOM).not.toHaveProperty('AccessionNumber');
  await update(world, set, { remove: { Study: { DICOM: { AccessionNumber: 'anything' } } } });
  expect(await settled(world, set)).toMatchObject({
    versionId: '3',
    imageSetWorkflowStatus: 'UPDATE_FAILED',
  });
});

test('a revert makes a new version equal to the old one', async () => {
  const set = await importedSet(world);
  const original = await world.metadata(set.datastoreId, set.imageSetId);
  await update(world, set, { set: { Patient: { DICOM: { PatientSex: 'O' } } } });
  await settled(world, set);
  const reply = await update(world, set, { revertTo: '1' });
  expect(reply.latestVersionId).toBe('3');
  await settled(world, set);
  expect(await world.metadata(set.datastoreId, set.imageSetId)).toEqual(original);
  await expect(update(world, set, { revertTo: '9' })).rejects.toMatchObject({ name: 'ValidationException' });
});

test('a payload over 10 KB exceeds the quota', async () => {
  const set = await importedSet(world);
  const change = { set: { Patient: { DICOM: { PatientComments: 'x'.repeat(10_241) } } } };
  await expect(update(world, set, change)).rejects.toMatchObject({ name: 'ServiceQuotaExceededException' });
});

test('two members of the union, or none, are refused', async () => {
  const set = await importedSet(world);
  const send = (updates: object) =>
    fetch(
      `${world.server.endpoint}/datastore/${set.datastoreId}/imageSet/${set.imageSetId}/updateImageSetMetadata?latestVersion=1`,
      { method: 'POST', body: JSON.stringify(updates) },
    );
  const both = {
    revertToVersionId: '1',
    DICOMUpdates: { updatableAttributes: Buffer.from(blob({})).toString('base64') },
  };
  for (const body of [both, {}]) expect((await send(body)).status).toBe(400);
});

test('includeStudyImageSets changes the study in all its primary image sets at once', async () => {
  const one = await importedSet(world);
  const elements = { SeriesInstanceUID: `${STUDY}.2`, SOPInstanceUID: `${STUDY}.2.1` };
  const two = await importedSet(world, { datastoreId: one.datastoreId, count: 1, elements });
  const url = `${world.server.endpoint}/datastore/${one.datastoreId}/imageSet/${one.imageSetId}/updateImageSetMetadata`;
  const updatableAttributes = Buffer.from(blob({ Patient: { DICOM: { PatientID: 'P7' } } })).toString(
    'base64',
  );
  const response = await fetch(`${url}?latestVersion=1&includeStudyImageSets=true`, {
    method: 'POST',
    body: JSON.stringify({ DICOMUpdates: { updatableAttributes } }),
  });
  expect(response.status).toBe(200);
  for (const set of [one, two]) {
    expect(await settled(world, set)).toMatchObject({ versionId: '2', imageSetWorkflowStatus: 'UPDATED' });
    expect((await world.metadata(set.datastoreId, set.imageSetId)).Patient.DICOM.PatientID).toBe('P7');
  }
});
