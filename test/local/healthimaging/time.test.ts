/** What changes with time, by a clock that the test moves: life cycles, storage tiers, listed jobs, request rates. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterEach, describe, expect, test } from 'vitest';
import { createThrottler } from '../../../local/healthimaging/access/throttle.ts';
import type { HealthImagingOptions } from '../../../local/healthimaging/server.ts';
import { RATES } from '../../../shared/healthimaging/quotas.ts';
import { eventually } from './client.ts';
import { SERIES, STUDY, slice } from './instances.ts';
import { createTestClock, type TestClock } from './test-clock.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { copy, importedSet, settled, update } from './writes.ts';

const DAY = 24 * 3600 * 1000;
const worlds: TestWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

async function startAt(options: HealthImagingOptions = {}): Promise<{ world: TestWorld; clock: TestClock }> {
  const clock = createTestClock();
  const world = await startTestWorld({ ...options, clock });
  worlds.push(world);
  return { world, clock };
}

describe('delays', () => {
  test('a data store stays CREATING and DELETING for its delay', async () => {
    const { world, clock } = await startAt({ delays: { datastore: 60_000 } });
    const { datastoreId } = await world.client.send(new sdk.CreateDatastoreCommand({}));
    const status = async () =>
      (await world.client.send(new sdk.GetDatastoreCommand({ datastoreId }))).datastoreProperties
        ?.datastoreStatus;
    clock.advance(59_999);
    expect(await status()).toBe('CREATING');
    clock.advance(1);
    await eventually(async () => (await status()) === 'ACTIVE');
    await world.client.send(new sdk.DeleteDatastoreCommand({ datastoreId }));
    expect(await status()).toBe('DELETING');
    clock.advance(60_000);
    await eventually(async () => (await status()) === 'DELETED');
  });

  test('a job is SUBMITTED, then IN_PROGRESS, then COMPLETED, each for its delay', async () => {
    const { world, clock } = await startAt({ delays: { jobSubmitted: 5_000, jobInProgress: 7_000 } });
    const datastoreId = await world.createDatastore();
    await world.put('slow/1', slice());
    const jobId = await world.startJob(datastoreId, 'slow/');
    const status = async () =>
      (await world.client.send(new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }))).jobProperties
        ?.jobStatus;
    expect(await status()).toBe('SUBMITTED');
    clock.advance(5_000);
    await eventually(async () => (await status()) === 'IN_PROGRESS' && clock.sleeping === 1);
    clock.advance(7_000);
    await eventually(async () => (await status()) === 'COMPLETED');
  });

  test('an update keeps its image set LOCKED for its delay', async () => {
    const { world, clock } = await startAt({ delays: { write: 3_000 } });
    const set = await importedSet(world, { count: 1 });
    await update(world, set, { set: { Study: { DICOM: { StudyDescription: 'new' } } } });
    const state = async () => (await world.client.send(new sdk.GetImageSetCommand(set))).imageSetState;
    expect(await state()).toBe('LOCKED');
    clock.advance(3_000);
    await eventually(async () => (await state()) === 'ACTIVE');
  });
});

describe('storage tiers', () => {
  const tierOf = async (world: TestWorld, set: sdk.GetImageSetCommandInput) =>
    (await world.client.send(new sdk.GetImageSetCommand(set))).storageTier;

  test('an image set that nobody touches for 30 days is in ARCHIVE_INSTANT_ACCESS, in searches too', async () => {
    const { world, clock } = await startAt();
    const set = await importedSet(world, { count: 1 });
    clock.advance(30 * DAY);
    expect(await tierOf(world, set)).toBe('FREQUENT_ACCESS');
    clock.advance(1);
    expect(await tierOf(world, set)).toBe('ARCHIVE_INSTANT_ACCESS');
    const { imageSetsMetadataSummaries: [found] = [] } = await world.client.send(
      new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }),
    );
    expect(found?.storageTier).toBe('ARCHIVE_INSTANT_ACCESS');
  });

  test.each<
    [string, (world: TestWorld, set: { datastoreId: string; imageSetId: string }) => Promise<unknown>]
  >([
    ['GetImageSetMetadata', (world, { datastoreId, imageSetId }) => world.metadata(datastoreId, imageSetId)],
    [
      'GetDICOMInstance',
      (world, { datastoreId }) =>
        fetch(
          `${world.server.endpoint}/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1`,
        ).then((reply) => reply.arrayBuffer()),
    ],
    [
      'UpdateImageSetMetadata',
      async (world, set) => {
        await update(world, set, { set: { Study: { DICOM: { StudyDescription: 'new' } } } });
        await settled(world, set);
      },
    ],
  ])('%s touches: the set is in FREQUENT_ACCESS again', async (_, touch) => {
    const { world, clock } = await startAt();
    const set = await importedSet(world, { count: 1 });
    clock.advance(31 * DAY);
    expect(await tierOf(world, set)).toBe('ARCHIVE_INSTANT_ACCESS');
    await touch(world, set);
    expect(await tierOf(world, set)).toBe('FREQUENT_ACCESS');
  });

  test('GetImageFrame touches; a restart does not forget it', async () => {
    const { world, clock } = await startAt();
    const set = await importedSet(world, { count: 1 });
    const { Study } = await world.metadata(set.datastoreId, set.imageSetId);
    const id = Study.Series[SERIES]!.Instances[`${SERIES}.1`]!.ImageFrames[0]!.ID;
    clock.advance(31 * DAY);
    await world.frame(set.datastoreId, set.imageSetId, id);
    const touched = clock.now();
    clock.advance(DAY);
    await world.restart();
    const reply = await world.client.send(new sdk.GetImageSetCommand(set));
    expect([reply.storageTier, reply.lastAccessedAt?.getTime()]).toEqual(['FREQUENT_ACCESS', touched]);
  });

  test('a copy touches its destination, not its source', async () => {
    const { world, clock } = await startAt();
    const source = await importedSet(world, { count: 1 });
    clock.advance(31 * DAY);
    const reply = await copy(world, source);
    const { datastoreId } = source;
    const made = { datastoreId, imageSetId: reply.destinationImageSetProperties?.imageSetId as string };
    await settled(world, made);
    expect(await tierOf(world, made)).toBe('FREQUENT_ACCESS');
    expect(await tierOf(world, source)).toBe('ARCHIVE_INSTANT_ACCESS');
  });

  test('listing, searching, GetImageSet and tagging touch nothing', async () => {
    const { world, clock } = await startAt();
    const set = await importedSet(world, { count: 1 });
    clock.advance(31 * DAY);
    const { imageSetArn: resourceArn } = await world.client.send(new sdk.GetImageSetCommand(set));
    await world.client.send(new sdk.TagResourceCommand({ resourceArn, tags: { a: 'b' } }));
    await world.client.send(new sdk.ListImageSetVersionsCommand(set));
    await world.client.send(new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }));
    expect(await tierOf(world, set)).toBe('ARCHIVE_INSTANT_ACCESS');
  });

  test('metrics tell the bytes of each tier, small image sets, and the bytes of the index', async () => {
    const { world, clock } = await startAt();
    const set = await importedSet(world, { count: 2 });
    const value = async (metric: string, labels = '') => {
      const text = await (await fetch(`${world.server.endpoint}/metrics`)).text();
      const start = `AWS_HealthImaging_${metric}{DatastoreId="${set.datastoreId}"${labels}} `;
      return Number(
        text
          .split('\n')
          .find((line) => line.startsWith(start))
          ?.slice(start.length),
      );
    };
    const { Study } = await world.metadata(set.datastoreId, set.imageSetId);
    const frames = Object.values(Study.Series[SERIES]!.Instances).flatMap((one) => one.ImageFrames);
    const bytes = frames.reduce((sum, { FrameSizeInBytes }) => sum + FrameSizeInBytes, 0);
    expect(await value('StorageBytes', ',StorageTier="FrequentAccessStorage"')).toBe(bytes);
    expect(await value('SmallImageSetCount')).toBe(1);
    expect(await value('StructuredStorageBytes')).toBe(1024 + 830 + 2 * 680);
    clock.advance(31 * DAY);
    expect(await value('StorageBytes', ',StorageTier="FrequentAccessStorage"')).toBe(0);
    expect(await value('StorageBytes', ',StorageTier="ArchiveInstantAccessStorage"')).toBe(bytes);
    expect(await value('StorageBytes', ',StorageTier="AllStorage"')).toBe(bytes);
  });
});

test('jobs are listed for 90 days, and still answer by their id', async () => {
  const { world, clock } = await startAt();
  const datastoreId = await world.createDatastore();
  const { jobId } = await world.importFiles(datastoreId, { '1': slice() });
  const listed = async () =>
    (await world.client.send(new sdk.ListDICOMImportJobsCommand({ datastoreId }))).jobSummaries?.length;
  clock.advance(90 * DAY);
  expect(await listed()).toBe(1);
  clock.advance(1);
  expect(await listed()).toBe(0);
  const { jobProperties } = await world.client.send(new sdk.GetDICOMImportJobCommand({ datastoreId, jobId }));
  expect(jobProperties?.jobStatus).toBe('COMPLETED');
});

describe.each(['current', '2024'] as const)('rates of %s', (behaviour) => {
  test.each(Object.entries(RATES[behaviour]))(
    '%s: the burst, then its rate',
    (operation, { burst, perSecond }) => {
      const clock = createTestClock();
      const throttler = createThrottler('aws', behaviour, clock);
      for (let i = 0; i < burst; i++) throttler.admit(operation);
      expect(() => throttler.admit(operation)).toThrow(expect.objectContaining({ statusCode: 429 }));
      clock.advance(Math.ceil(1000 / perSecond));
      throttler.admit(operation);
      expect(() => throttler.admit(operation)).toThrow('Rate exceeded');
    },
  );

  test('StartDICOMImportJob over HTTP: the client sees ThrottlingException, 429', async () => {
    const { world } = await startAt({ behaviour, throttle: 'aws' });
    const datastoreId = await world.createDatastore();
    const admitted = RATES[behaviour].StartDICOMImportJob!.burst;
    expect(admitted).toBe(behaviour === '2024' ? 1 : 2);
    for (let i = 0; i < admitted; i++) await world.startJob(datastoreId, `none-${i}/`);
    await expect(world.startJob(datastoreId, 'none/')).rejects.toMatchObject({
      name: 'ThrottlingException',
      $metadata: { httpStatusCode: 429 },
    });
  });
});
