/** SearchImageSets: every filter and sort of the model, and pages that neither repeat nor skip while sets change. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { STUDY } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { importedSet, settled, update } from './writes.ts';

let world: TestWorld;
let datastoreId: string;
const COUNT = 6;
/** Image set ids by number, in order of creation. */
const ids: string[] = [];

beforeAll(async () => {
  world = await startTestWorld();
  datastoreId = await world.createDatastore();
  for (let i = 1; i <= COUNT; i++) {
    const { imageSetId } = await importedSet(world, {
      datastoreId,
      count: 1,
      elements: {
        StudyInstanceUID: `${STUDY}.${i}`,
        SeriesInstanceUID: `${STUDY}.${i}.1`,
        SOPInstanceUID: `${STUDY}.${i}.1.1`,
        PatientID: `P${i}`,
        AccessionNumber: `A${i % 2}`,
        StudyID: `S${i}`,
        StudyDate: `2024010${i}`,
        StudyTime: '101500',
      },
    });
    ids.push(imageSetId);
  }
});
afterAll(() => world.close());

type Filter = { values: object[]; operator: 'EQUAL' | 'BETWEEN' };
const search = async (filters: Filter[], sort?: sdk.Sort) => {
  const reply = await world.client.send(
    new sdk.SearchImageSetsCommand({
      datastoreId,
      searchCriteria: {
        ...(filters.length > 0 && { filters: filters as sdk.SearchFilter[] }),
        ...(sort && { sort }),
      },
    }),
  );
  return (reply.imageSetsMetadataSummaries ?? []).map(({ imageSetId }) => ids.indexOf(imageSetId ?? '') + 1);
};
const equal = (value: object): Filter => ({ operator: 'EQUAL', values: [value] });
const between = (lower: object, upper: object): Filter => ({ operator: 'BETWEEN', values: [lower, upper] });
const on = (DICOMStudyDate: string, DICOMStudyTime?: string) => ({
  DICOMStudyDateAndTime: { DICOMStudyDate, ...(DICOMStudyTime && { DICOMStudyTime }) },
});

test('the default order is the last update, newest first', async () => {
  expect(await search([])).toEqual([6, 5, 4, 3, 2, 1]);
});

test.each([
  ['DICOMPatientId', { DICOMPatientId: 'P3' }, [3]],
  ['DICOMAccessionNumber', { DICOMAccessionNumber: 'A1' }, [5, 3, 1]],
  ['DICOMStudyId', { DICOMStudyId: 'S4' }, [4]],
  ['DICOMStudyInstanceUID', { DICOMStudyInstanceUID: `${STUDY}.2` }, [2]],
  ['DICOMSeriesInstanceUID', { DICOMSeriesInstanceUID: `${STUDY}.6.1` }, [6]],
  ['a study date alone, the whole day', on('20240105'), [5]],
  ['a study date and time', on('20240105', '101500'), [5]],
  ['another time', on('20240105', '101501'), []],
  ['nothing of another case', { DICOMPatientId: 'p3' }, []],
  ['nothing by a prefix', { DICOMPatientId: 'P' }, []],
])('EQUAL finds by %s', async (_, value, wanted) => {
  expect(await search([equal(value)])).toEqual(wanted);
});

test('EQUAL finds primary image sets', async () => {
  const response = await fetch(`${world.server.endpoint}/datastore/${datastoreId}/searchImageSets`, {
    method: 'POST',
    body: JSON.stringify({ filters: [{ operator: 'EQUAL', values: [{ isPrimary: true }] }] }),
  });
  const { imageSetsMetadataSummaries } = (await response.json()) as { imageSetsMetadataSummaries: object[] };
  expect(imageSetsMetadataSummaries).toHaveLength(COUNT);
});

test('BETWEEN takes both bounds in, for times, study dates and text', async () => {
  expect(await search([between(on('20240102'), on('20240104', '235959'))])).toEqual([4, 3, 2]);
  expect(await search([between({ DICOMPatientId: 'P2' }, { DICOMPatientId: 'P4' })])).toEqual([4, 3, 2]);
  const { imageSetsMetadataSummaries = [] } = await world.client.send(
    new sdk.SearchImageSetsCommand({ datastoreId }),
  );
  const times = imageSetsMetadataSummaries.map(({ createdAt }) => createdAt as Date).sort((a, b) => +a - +b);
  const [lower, upper] = [times[1] as Date, times[3] as Date];
  expect(await search([between({ createdAt: lower }, { createdAt: upper })])).toEqual([4, 3, 2]);
  expect(await search([between({ updatedAt: lower }, { updatedAt: upper })])).toEqual([4, 3, 2]);
});

test('two filters hold both', async () => {
  const afterNoon = between(on('20240102'), on('20240106', '235959'));
  expect(await search([equal({ DICOMAccessionNumber: 'A1' }), afterNoon])).toEqual([5, 3]);
});

test.each([
  ['updatedAt', 'ASC', [1, 2, 3, 4, 5, 6]],
  ['createdAt', 'DESC', [6, 5, 4, 3, 2, 1]],
  ['createdAt', 'ASC', [1, 2, 3, 4, 5, 6]],
  ['DICOMStudyDateAndTime', 'DESC', [6, 5, 4, 3, 2, 1]],
  ['DICOMStudyDateAndTime', 'ASC', [1, 2, 3, 4, 5, 6]],
] as const)('sorts by %s %s', async (sortField, sortOrder, wanted) => {
  expect(await search([], { sortField, sortOrder })).toEqual(wanted);
  expect(await search([equal({ DICOMAccessionNumber: 'A1' })], { sortField, sortOrder })).toEqual(
    wanted.filter((number) => number % 2 === 1),
  );
});

test.each<[string, Filter]>([
  ['two values for EQUAL', { operator: 'EQUAL', values: [{ DICOMPatientId: 'a' }, { DICOMPatientId: 'b' }] }],
  ['one value for BETWEEN', { operator: 'BETWEEN', values: [{ DICOMPatientId: 'a' }] }],
  ['two attributes in one filter', between({ DICOMPatientId: 'a' }, { DICOMStudyId: 'b' })],
  ['bounds the wrong way round', between({ DICOMPatientId: 'b' }, { DICOMPatientId: 'a' })],
  ['a date of another form', equal(on('2024-01-01'))],
  ['a time of another form', equal(on('20240101', '10:15'))],
])('%s is a ValidationException', async (_, filter) => {
  await expect(search([filter])).rejects.toMatchObject({ name: 'ValidationException' });
});

describe('pages', () => {
  test.each([1, 2, 5, 50])('of %i give every set once, in order', async (maxResults) => {
    for (const sortOrder of ['ASC', 'DESC'] as const) {
      const seen: string[] = [];
      const searchCriteria = { sort: { sortField: 'createdAt' as const, sortOrder } };
      const pages = sdk.paginateSearchImageSets(
        { client: world.client },
        { datastoreId, maxResults, searchCriteria },
      );
      for await (const page of pages) {
        seen.push(...(page.imageSetsMetadataSummaries ?? []).map(({ imageSetId }) => imageSetId ?? ''));
      }
      expect(seen).toEqual(sortOrder === 'ASC' ? ids : [...ids].reverse());
    }
  });

  test('do not move when a set is updated in between', async () => {
    const first = await world.client.send(new sdk.SearchImageSetsCommand({ datastoreId, maxResults: 3 }));
    await update(
      world,
      { datastoreId, imageSetId: ids[0]! },
      { set: { Patient: { DICOM: { PatientSex: 'O' } } } },
    );
    await settled(world, { datastoreId, imageSetId: ids[0]! });
    const second = await world.client.send(
      new sdk.SearchImageSetsCommand({ datastoreId, maxResults: 3, nextToken: first.nextToken }),
    );
    const seen = [first, second].flatMap((page) => page.imageSetsMetadataSummaries ?? []);
    expect(seen.map(({ imageSetId }) => ids.indexOf(imageSetId ?? '') + 1)).toEqual([6, 5, 4, 3, 2, 1]);
  });

  test('a token works for its own search only', async () => {
    const first = await world.client.send(new sdk.SearchImageSetsCommand({ datastoreId, maxResults: 2 }));
    const searchCriteria = { sort: { sortField: 'createdAt' as const, sortOrder: 'ASC' as const } };
    const other = new sdk.SearchImageSetsCommand({ datastoreId, searchCriteria, nextToken: first.nextToken });
    await expect(world.client.send(other)).rejects.toMatchObject({ name: 'ValidationException' });
  });
});
