/** Who reaches what: tags of data store and image set together (ABAC), the UID condition keys of DICOMweb, the operator's pages. */
import { createHash, createHmac } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { isLoopbackAddress } from '../../../local/healthimaging/handler.ts';
import { SERIES, STUDY } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { importedSet } from './writes.ts';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-conditions-'));
let world: TestWorld;
let set: { datastoreId: string; imageSetId: string };

beforeAll(async () => {
  const credentialsFile = join(folder, 'credentials.json');
  const identity = (accessKeyId: string, rest: object) => ({
    accessKeyId,
    secretAccessKey: accessKeyId.toLowerCase(),
    access: 'full',
    ...rest,
  });
  const identities = [
    identity('test', {}),
    identity('ALPHA', { resourceTags: { Project: 'alpha' } }),
    identity('STUDY', { studyInstanceUIDs: [`${STUDY.slice(0, -1)}?`] }),
    identity('OTHER', { studyInstanceUIDs: ['1.2.3*', '9.*'] }),
    identity('SERIES', { seriesInstanceUIDs: ['*'] }),
  ];
  writeFileSync(credentialsFile, JSON.stringify({ identities }));
  world = await startTestWorld({ credentialsFile });
  set = await importedSet(world, { count: 1 });
});
afterAll(async () => {
  await world.close();
  rmSync(folder, { recursive: true });
});

const as = (accessKeyId: string) =>
  new sdk.MedicalImagingClient({
    endpoint: world.server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId, secretAccessKey: accessKeyId.toLowerCase() },
    disableHostPrefix: true,
    maxAttempts: 1,
  });

test('an image set has to carry the tag of its data store; searches look at the data store only', async () => {
  const alpha = as('ALPHA');
  const denied = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 403 } };
  const get = () => alpha.send(new sdk.GetImageSetCommand(set));
  const arn = async () => (await world.client.send(new sdk.GetImageSetCommand(set))).imageSetArn as string;
  const tag = (resourceArn: string) =>
    world.client.send(new sdk.TagResourceCommand({ resourceArn, tags: { Project: 'alpha' } }));
  await expect(get()).rejects.toMatchObject(denied);
  await tag(await arn());
  await expect(get()).rejects.toMatchObject(denied);
  await tag((await arn()).split('/imageset/')[0] as string);
  expect((await get()).imageSetId).toBe(set.imageSetId);
  const other = await importedSet(world, {
    datastoreId: set.datastoreId,
    count: 1,
    elements: { PatientID: 'P2' },
  });
  await expect(alpha.send(new sdk.GetImageSetCommand(other))).rejects.toMatchObject(denied);
  const { imageSetsMetadataSummaries } = await alpha.send(
    new sdk.SearchImageSetsCommand({ datastoreId: set.datastoreId }),
  );
  expect(imageSetsMetadataSummaries).toHaveLength(2);
  alpha.destroy();
});

/** A signed GET (SigV4), as a DICOMweb client makes it. */
async function signedGet(accessKeyId: string, path: string): Promise<number> {
  const date = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
  const scope = `${date.slice(0, 8)}/us-east-1/medical-imaging/aws4_request`;
  const hash = (text: string) => createHash('sha256').update(text).digest('hex');
  const mac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const { host } = new URL(world.server.endpoint);
  const canonical = ['GET', path, '', `host:${host}`, `x-amz-date:${date}`, '', 'host;x-amz-date', hash('')];
  const toSign = ['AWS4-HMAC-SHA256', date, scope, hash(canonical.join('\n'))].join('\n');
  const [day, region, service, end] = scope.split('/') as [string, string, string, string];
  const key = mac(mac(mac(mac(`AWS4${accessKeyId.toLowerCase()}`, day), region), service), end);
  const signature = mac(key, toSign).toString('hex');
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope}, SignedHeaders=host;x-amz-date, Signature=${signature}`;
  const response = await fetch(world.server.endpoint + path, {
    headers: { authorization, 'x-amz-date': date },
  });
  await response.arrayBuffer();
  return response.status;
}

test.each([
  ['STUDY', 200],
  ['OTHER', 403],
  ['SERIES', 200],
])(
  'GetDICOMInstance as %s, by the condition keys StudyInstanceUID and SeriesInstanceUID: %i',
  async (who, status) => {
    const path = `/datastore/${set.datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1`;
    expect(await signedGet(who, path)).toBe(status);
  },
);

test('operations without a UID in their request are not bound by those keys', async () => {
  const other = as('OTHER');
  expect((await other.send(new sdk.GetImageSetCommand(set))).imageSetId).toBe(set.imageSetId);
  other.destroy();
});

test('health and metrics need no signature from this machine; metrics are for this machine only', async () => {
  expect((await fetch(`${world.server.endpoint}/health`)).status).toBe(200);
  expect((await fetch(`${world.server.endpoint}/metrics`)).status).toBe(200);
  expect((await fetch(`${world.server.endpoint}/datastore`)).status).toBe(403);
  const addresses = ['127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.1', '::ffff:10.0.0.1', undefined];
  expect(addresses.map(isLoopbackAddress)).toEqual([true, true, true, false, false, false]);
});
