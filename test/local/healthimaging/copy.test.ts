/** CopyImageSet and DeleteImageSet. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from './client.ts';
import { SERIES } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { copy, importedSet, settled, update } from './writes.ts';

let world: TestWorld;
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(() => world.close());

const sopUIDs = async (set: { datastoreId: string; imageSetId: string }) => {
  const document = await world.metadata(set.datastoreId, set.imageSetId);
  return Object.values(document.Study.Series).flatMap((series) => Object.keys(series.Instances));
};
const destinationOf = (reply: sdk.CopyImageSetResponse, datastoreId: string) => ({
  datastoreId,
  imageSetId: reply.destinationImageSetProperties?.imageSetId as string,
});

test('a copy without destination is a new image set with the same instances and frames', async () => {
  const source = await importedSet(world);
  const reply = await copy(world, source);
  expect(reply.sourceImageSetProperties).toMatchObject({
    latestVersionId: '1',
    imageSetState: 'LOCKED',
    imageSetWorkflowStatus: 'COPYING_WITH_READ_ONLY_ACCESS',
  });
  const destination = destinationOf(reply, source.datastoreId);
  expect(await settled(world, destination)).toMatchObject({
    versionId: '1',
    imageSetWorkflowStatus: 'COPIED',
  });
  expect(await settled(world, source)).toMatchObject({ versionId: '1', imageSetState: 'ACTIVE' });
  expect(await sopUIDs(destination)).toEqual(await sopUIDs(source));
  const document = await world.metadata(destination.datastoreId, destination.imageSetId);
  expect(document.ImageSetID).toBe(destination.imageSetId);
  const [frame] = document.Study.Series[SERIES]!.Instances[`${SERIES}.1`]!.ImageFrames;
  expect((await world.frame(source.datastoreId, destination.imageSetId, frame!.ID)).length).toBeGreaterThan(
    0,
  );
});

test('a subset copies the named instances only', async () => {
  const source = await importedSet(world, { count: 3 });
  const subset = {
    SchemaVersion: '1.1',
    Study: { Series: { [SERIES]: { Instances: { [`${SERIES}.2`]: {} } } } },
  };
  const destination = destinationOf(await copy(world, source, { subset }), source.datastoreId);
  await settled(world, destination);
  expect(await sopUIDs(destination)).toEqual([`${SERIES}.2`]);
});

test('a subset of what does not exist fails the copy with a message', async () => {
  const source = await importedSet(world);
  const subset = { SchemaVersion: '1.1', Study: { Series: { [SERIES]: { Instances: { '9.9': {} } } } } };
  const destination = destinationOf(await copy(world, source, { subset }), source.datastoreId);
  expect(await settled(world, destination)).toMatchObject({
    imageSetWorkflowStatus: 'COPY_FAILED',
    message: /^INVALID_REQUEST: An instance/,
  });
});

test('a copy into an existing set needs equal levels, or force, and unique instances', async () => {
  const primary = await importedSet(world, { count: 2 });
  const { datastoreId } = primary;
  const other = await importedSet(world, { datastoreId, from: 5, count: 2, elements: { PatientID: 'P2' } });
  await copy(world, other, { to: primary });
  expect(await settled(world, primary)).toMatchObject({
    versionId: '2',
    imageSetWorkflowStatus: 'COPY_FAILED',
    message: "INVALID_REQUEST: Patient of SourceImageSet and DestinationImageSet don't match.",
  });
  await copy(world, other, { to: primary, force: true });
  expect(await settled(world, primary)).toMatchObject({ versionId: '3', imageSetWorkflowStatus: 'COPIED' });
  expect(await sopUIDs(primary)).toHaveLength(4);
  expect((await world.metadata(datastoreId, primary.imageSetId)).Patient.DICOM.PatientID).toBe('P1');

  await copy(world, other, { to: primary, force: true });
  expect(await settled(world, primary)).toMatchObject({
    imageSetWorkflowStatus: 'COPY_FAILED',
    message: /not unique/,
  });
});

test('an updated non-primary set is promoted under a new id, once its series has no primary', async () => {
  const primary = await importedSet(world, { count: 1 });
  const { datastoreId } = primary;
  const other = await importedSet(world, { datastoreId, from: 5, count: 1, elements: { PatientID: 'P2' } });
  const refused = destinationOf(await copy(world, other, { promoteToPrimary: true }), datastoreId);
  expect(await settled(world, refused)).toMatchObject({ imageSetWorkflowStatus: 'COPY_FAILED' });

  await world.client.send(new sdk.DeleteImageSetCommand(primary));
  await settled(world, primary);
  const promoted = destinationOf(await copy(world, other, { promoteToPrimary: true }), datastoreId);
  expect(promoted.imageSetId).not.toBe(other.imageSetId);
  expect(await settled(world, promoted)).toMatchObject({ isPrimary: true, imageSetWorkflowStatus: 'COPIED' });
});

test('more than 1,000 frames exceed the quota', async () => {
  const limited = await startTestWorld({ quotas: { framesPerCopy: 1 } });
  const source = await importedSet(limited);
  await expect(copy(limited, source)).rejects.toMatchObject({ name: 'ServiceQuotaExceededException' });
  await limited.close();
});

test.each(['no JSON', '{}', '[]', '{"SchemaVersion":"1.1","Study":{"Series":{}}}'])(
  'copiableAttributes %s is a ValidationException',
  async (subset) => {
    const source = await importedSet(world, { count: 1 });
    await expect(copy(world, source, { subset })).rejects.toMatchObject({ name: 'ValidationException' });
  },
);

test('a LOCKED image set refuses every write', async () => {
  const slow = await startTestWorld({ delays: { write: 60_000 } });
  const set = await importedSet(slow);
  await update(slow, set, { set: { Patient: { DICOM: { PatientSex: 'O' } } } });
  const again = update(slow, set, { set: { Patient: { DICOM: { PatientSex: 'M' } } } });
  await expect(again).rejects.toMatchObject({ name: 'ConflictException' });
  await expect(slow.client.send(new sdk.DeleteImageSetCommand(set))).rejects.toMatchObject({
    name: 'ConflictException',
  });
  await expect(copy(slow, set)).rejects.toMatchObject({ name: 'ConflictException' });
  await slow.close();
});

test('a write that was under way goes on after a restart', async () => {
  const slow = await startTestWorld({ delays: { write: 1_000 } });
  const set = await importedSet(slow);
  await update(slow, set, { set: { Patient: { DICOM: { PatientSex: 'O' } } } });
  await slow.restart();
  expect(await settled(slow, set)).toMatchObject({ versionId: '2', imageSetWorkflowStatus: 'UPDATED' });
  await slow.close();
});

test('a deleted image set is LOCKED, then DELETED: not found by searches, its properties still shown', async () => {
  const set = await importedSet(world);
  const reply = await world.client.send(new sdk.DeleteImageSetCommand(set));
  expect(reply).toMatchObject({ imageSetState: 'LOCKED', imageSetWorkflowStatus: 'DELETING' });
  expect(await settled(world, set)).toMatchObject({
    imageSetState: 'DELETED',
    imageSetWorkflowStatus: 'DELETED',
    deletedAt: expect.any(Date),
  });
  const { imageSetsMetadataSummaries } = await world.client.send(
    new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }),
  );
  expect(imageSetsMetadataSummaries).toEqual([]);
  const gone = world.client.send(new sdk.GetImageSetMetadataCommand(set));
  await expect(gone).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await world.client.send(new sdk.DeleteDatastoreCommand({ datastoreId: set.datastoreId }));
  await eventually(async () => {
    const { datastoreProperties } = await world.client.send(
      new sdk.GetDatastoreCommand({ datastoreId: set.datastoreId }),
    );
    return datastoreProperties?.datastoreStatus === 'DELETED';
  });
});

test('a data store with image sets is not deleted', async () => {
  const { datastoreId } = await importedSet(world, { count: 1 });
  const refused = world.client.send(new sdk.DeleteDatastoreCommand({ datastoreId }));
  await expect(refused).rejects.toMatchObject({ name: 'ConflictException' });
});
