/** Data stores and their tags, through the official client. */

import type { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../../local/healthimaging/server.ts';
import type { EventBridgeEvent } from '../../../shared/ports/events.ts';
import { clientFor, eventually } from './client.ts';

let server: HealthImaging;
let client: MedicalImagingClient;
const events: EventBridgeEvent[] = [];

beforeAll(async () => {
  server = await startHealthImaging({ fsync: false, onEvent: (event) => events.push(event) });
  client = clientFor(server);
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

async function activeStore(name: string): Promise<string> {
  const { datastoreId } = await client.send(new sdk.CreateDatastoreCommand({ datastoreName: name }));
  await eventually(async () => {
    const { datastoreProperties } = await client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    return datastoreProperties?.datastoreStatus === 'ACTIVE';
  });
  return datastoreId as string;
}

test('a data store is CREATING when made, ACTIVE soon after, and has the properties it was made with', async () => {
  const made = await client.send(
    new sdk.CreateDatastoreCommand({ datastoreName: 'first', tags: { a: 'b' } }),
  );
  expect(made.datastoreStatus).toBe('CREATING');
  await eventually(async () => {
    const { datastoreProperties } = await client.send(
      new sdk.GetDatastoreCommand({ datastoreId: made.datastoreId }),
    );
    expect(datastoreProperties?.datastoreName).toBe('first');
    expect(datastoreProperties?.createdAt).toBeInstanceOf(Date);
    return datastoreProperties?.datastoreStatus === 'ACTIVE';
  });
  const types = events.map((event) => event['detail-type']);
  expect(types).toEqual(expect.arrayContaining(['Data Store Creating', 'Data Store Created']));
});

test('the same client token gives the same data store; with other parameters it is a conflict', async () => {
  const request = { datastoreName: 'token', clientToken: 'once' };
  const one = await client.send(new sdk.CreateDatastoreCommand(request));
  const two = await client.send(new sdk.CreateDatastoreCommand(request));
  expect(two.datastoreId).toBe(one.datastoreId);
  const other = client.send(new sdk.CreateDatastoreCommand({ ...request, datastoreName: 'other' }));
  await expect(other).rejects.toMatchObject({ name: 'ConflictException' });
});

test('listing pages through every data store once, whatever the page size', async () => {
  await Promise.all(Array.from({ length: 7 }, (_, i) => activeStore(`page-${i}`)));
  const seen: string[] = [];
  for await (const page of sdk.paginateListDatastores({ client, pageSize: 3 }, {})) {
    seen.push(...(page.datastoreSummaries ?? []).map((summary) => summary.datastoreId ?? ''));
  }
  expect(new Set(seen).size).toBe(seen.length);
  expect(seen.length).toBeGreaterThanOrEqual(7);
});

test('an empty data store is deleted, and shown as DELETED afterwards', async () => {
  const datastoreId = await activeStore('gone');
  const reply = await client.send(new sdk.DeleteDatastoreCommand({ datastoreId }));
  expect(reply.datastoreStatus).toBe('DELETING');
  await eventually(async () => {
    const { datastoreProperties } = await client.send(new sdk.GetDatastoreCommand({ datastoreId }));
    return datastoreProperties?.datastoreStatus === 'DELETED';
  });
  const search = client.send(new sdk.SearchImageSetsCommand({ datastoreId }));
  await expect(search).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

test('tags are added, listed and removed by ARN', async () => {
  const datastoreId = await activeStore('tagged');
  const { datastoreProperties } = await client.send(new sdk.GetDatastoreCommand({ datastoreId }));
  const resourceArn = datastoreProperties?.datastoreArn;
  await client.send(new sdk.TagResourceCommand({ resourceArn, tags: { Deployment: 'Development', x: '' } }));
  await client.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: ['x'] }));
  const { tags } = await client.send(new sdk.ListTagsForResourceCommand({ resourceArn }));
  expect(tags).toEqual({ Deployment: 'Development' });
});

test('an empty data store finds nothing, and the reply echoes the sort', async () => {
  const datastoreId = await activeStore('empty');
  const reply = await client.send(new sdk.SearchImageSetsCommand({ datastoreId }));
  expect(reply.imageSetsMetadataSummaries).toEqual([]);
  expect(reply.sort).toEqual({ sortField: 'updatedAt', sortOrder: 'DESC' });
});

test('what breaks a rule of the model is a ValidationException that names the member', async () => {
  const bad = client.send(new sdk.GetDatastoreCommand({ datastoreId: 'NOT-AN-ID' }));
  await expect(bad).rejects.toMatchObject({ name: 'ValidationException', message: /datastoreId/ });
});
