/** Who may call what, how often, and what is recorded of it: signatures, identities, rates, faults, audit, metrics. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../../local/healthimaging/server.ts';
import { clientFor, eventually } from './client.ts';
import { slice } from './instances.ts';
import { startTestWorld } from './world.ts';

describe('with a credentials file', () => {
  let folder: string;
  let server: HealthImaging;
  const clients: sdk.MedicalImagingClient[] = [];
  const as = (accessKeyId: string, secretAccessKey = `secret-${accessKeyId}`, extra: object = {}) => {
    const client = new sdk.MedicalImagingClient({
      endpoint: server.endpoint,
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      disableHostPrefix: true,
      maxAttempts: 1,
      ...extra,
    });
    clients.push(client);
    return client;
  };

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'isocenter-access-'));
    const identity = (accessKeyId: string, rest: object) => ({
      accessKeyId,
      secretAccessKey: `secret-${accessKeyId}`,
      ...rest,
    });
    const identities = [
      identity('FULL', { access: 'full' }),
      identity('READER', { access: 'read-only' }),
      identity('ALPHA', { access: 'full', resourceTags: { Project: 'alpha' } }),
    ];
    writeFileSync(join(folder, 'credentials.json'), JSON.stringify({ identities }));
    server = await startHealthImaging({ fsync: false, credentialsFile: join(folder, 'credentials.json') });
  });
  afterAll(async () => {
    for (const client of clients) client.destroy();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  test('the official client signs so that it is let in, with odd tag keys in path and query too', async () => {
    const full = as('FULL');
    const { datastoreId } = await full.send(new sdk.CreateDatastoreCommand({ datastoreName: 'a' }));
    const { datastoreProperties } = await full.send(new sdk.GetDatastoreCommand({ datastoreId }));
    const resourceArn = datastoreProperties?.datastoreArn;
    await full.send(new sdk.TagResourceCommand({ resourceArn, tags: { 'a/b:c+d=e': 'x y' } }));
    await full.send(new sdk.UntagResourceCommand({ resourceArn, tagKeys: ['a/b:c+d=e', 'other'] }));
    expect((await full.send(new sdk.ListTagsForResourceCommand({ resourceArn }))).tags).toEqual({});
  });

  test.each([
    ['an unknown key', () => as('NOBODY'), 'UnrecognizedClientException'],
    ['a wrong secret', () => as('FULL', 'wrong'), 'InvalidSignatureException'],
    [
      'a clock that is off',
      () => as('FULL', undefined, { systemClockOffset: 900_000 }),
      'InvalidSignatureException',
    ],
  ])('%s is refused', async (_, client, name) => {
    await expect(client().send(new sdk.ListDatastoresCommand({}))).rejects.toMatchObject({ name });
  });

  test('a request without a signature, or with a body that was changed, is refused', async () => {
    const bare = await fetch(`${server.endpoint}/datastore`);
    expect([bare.status, bare.headers.get('x-amzn-errortype')]).toEqual([
      403,
      'MissingAuthenticationTokenException',
    ]);
    const half = await fetch(`${server.endpoint}/datastore`, {
      headers: { authorization: 'AWS4-HMAC-SHA256 x' },
    });
    expect(half.headers.get('x-amzn-errortype')).toBe('IncompleteSignatureException');
    const tampering = as('FULL');
    tampering.middlewareStack.add(
      (next) => (args) => {
        const request = args.request as { body: string };
        request.body = request.body.replace('tampered', 'tempered');
        return next(args);
      },
      { step: 'deserialize', priority: 'low' },
    );
    const sent = tampering.send(new sdk.CreateDatastoreCommand({ datastoreName: 'tampered' }));
    await expect(sent).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  test('a read-only identity reads and does not write', async () => {
    const reader = as('READER');
    await reader.send(new sdk.ListDatastoresCommand({}));
    await expect(reader.send(new sdk.CreateDatastoreCommand({}))).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: expect.stringContaining('medical-imaging:CreateDatastore'),
    });
  });

  test('an identity bound to a tag reaches the data stores that carry it', async () => {
    const full = as('FULL');
    const made = await full.send(new sdk.CreateDatastoreCommand({ tags: { Project: 'alpha' } }));
    const other = await full.send(new sdk.CreateDatastoreCommand({ tags: { Project: 'beta' } }));
    const alpha = as('ALPHA');
    await alpha.send(new sdk.GetDatastoreCommand({ datastoreId: made.datastoreId }));
    const refused = alpha.send(new sdk.GetDatastoreCommand({ datastoreId: other.datastoreId }));
    await expect(refused).rejects.toMatchObject({ name: 'AccessDeniedException' });
  });
});

test('beyond loopback the server does not start without credentials', async () => {
  await expect(startHealthImaging({ host: '0.0.0.0' })).rejects.toThrow(/credentials file/);
});

test('with the rates of AWS the second data store of a second is throttled (429)', async () => {
  const server = await startHealthImaging({ fsync: false, throttle: 'aws' });
  const client = clientFor(server);
  await client.send(new sdk.CreateDatastoreCommand({}));
  await expect(client.send(new sdk.CreateDatastoreCommand({}))).rejects.toMatchObject({
    name: 'ThrottlingException',
    $metadata: { httpStatusCode: 429 },
  });
  client.destroy();
  await server.close();
});

test('quotas answer 402', async () => {
  const server = await startHealthImaging({ fsync: false, quotas: { datastores: 1 } });
  const client = clientFor(server);
  await client.send(new sdk.CreateDatastoreCommand({}));
  await expect(client.send(new sdk.CreateDatastoreCommand({}))).rejects.toMatchObject({
    name: 'ServiceQuotaExceededException',
    $metadata: { httpStatusCode: 402 },
  });
  client.destroy();
  await server.close();
});

describe('faults', () => {
  test('a seeded plan strikes the same calls each time', async () => {
    const run = async () => {
      const server = await startHealthImaging({
        fsync: false,
        faults: { seed: 7, faults: [{ fault: 'throttle', operation: 'ListDatastores', probability: 0.4 }] },
      });
      const statuses: number[] = [];
      for (let i = 0; i < 20; i++) statuses.push((await fetch(`${server.endpoint}/datastore`)).status);
      await server.close();
      return statuses;
    };
    const first = await run();
    expect(new Set(first)).toEqual(new Set([200, 429]));
    expect(await run()).toEqual(first);
  });

  test.each([
    ['throttle', 429],
    ['error', 500],
    ['unavailable', 503],
    ['conflict', 409],
    ['slow=20', 200],
  ])('the header %s answers %i', async (fault, status) => {
    const server = await startHealthImaging({ fsync: false });
    const response = await fetch(`${server.endpoint}/datastore`, { headers: { 'x-isocenter-fault': fault } });
    expect(response.status).toBe(status);
    await server.close();
  });

  test('jobs fail, lose a line, write their manifest late; frames come with a wrong byte', async () => {
    const world = await startTestWorld({
      faults: {
        faults: [
          { fault: 'jobFailed', times: 1 },
          { fault: 'corruptFrame', times: 1 },
        ],
      },
    });
    const datastoreId = await world.createDatastore();
    await world.put('in/1', slice({ number: 1 }));
    await world.put('in/2', slice({ number: 2 }));
    const failed = await world.finishedJob(datastoreId, await world.startJob(datastoreId, 'in/'));
    expect(failed).toMatchObject({
      jobStatus: 'FAILED',
      message: 'DICOM import job has failed. FAULT_ON_DEMAND',
    });

    const header = (value: string) => ({ 'x-isocenter-fault': value });
    const start = async (fault: string) => {
      const response = await fetch(`${world.server.endpoint}/startDICOMImportJob/datastore/${datastoreId}`, {
        method: 'POST',
        headers: header(fault),
        body: JSON.stringify({
          clientToken: fault.replace('=', '-'),
          dataAccessRoleArn: 'arn:aws:iam::000000000000:role/import',
          inputS3Uri: 's3://imports/in/',
          outputS3Uri: 's3://imports/out/',
        }),
      });
      return ((await response.json()) as { jobId: string }).jobId;
    };
    const lost = await world.output(datastoreId, await start('missingManifestLine'));
    expect([lost.success.length, lost.manifest.jobSummary.numberOfImportedFiles]).toEqual([1, 2]);

    const lateId = await start('lateManifest=300');
    const late = await world.finishedJob(datastoreId, lateId);
    const key = `${late.outputS3Uri?.slice('s3://imports/'.length)}job-output-manifest.json`;
    await expect(world.readText(key)).rejects.toMatchObject({ name: 'NoSuchKey' });
    await eventually(() =>
      world.readText(key).then(
        () => true,
        () => false,
      ),
    );

    const { imageSetId } = lost.manifest.jobSummary.imageSetsSummary[0]!;
    const document = await world.metadata(datastoreId, imageSetId);
    const [instance] = Object.values(Object.values(document.Study.Series)[0]!.Instances);
    const id = instance!.ImageFrames[0]!.ID;
    const [bad, good] = [
      await world.frame(datastoreId, imageSetId, id),
      await world.frame(datastoreId, imageSetId, id),
    ];
    expect(bad.filter((byte, i) => byte !== good[i])).toHaveLength(1);
    await world.close();
  });
});

test('each call leaves a line in the shape of CloudTrail, without what is sensitive', async () => {
  const lines: string[] = [];
  const server = await startHealthImaging({ fsync: false, audit: (line) => lines.push(line) });
  const client = clientFor(server);
  const { datastoreId } = await client.send(new sdk.CreateDatastoreCommand({ datastoreName: 'audited' }));
  await client
    .send(
      new sdk.SearchImageSetsCommand({
        datastoreId,
        searchCriteria: { filters: [{ operator: 'EQUAL', values: [{ DICOMPatientId: 'SECRET' }] }] },
      }),
    )
    .catch(() => undefined);
  const records = lines.map((line) => JSON.parse(line));
  expect(records[0]).toMatchObject({
    eventSource: 'medical-imaging.amazonaws.com',
    eventName: 'CreateDatastore',
    readOnly: false,
    managementEvent: true,
    userIdentity: { accessKeyId: 'test' },
    requestParameters: { datastoreName: 'audited' },
    responseElements: { datastoreId },
  });
  expect(records[1]).toMatchObject({ eventName: 'SearchImageSets', readOnly: true, responseElements: null });
  expect(lines.join('')).not.toContain('SECRET');
  client.destroy();
  await server.close();
});

test('metrics carry the names of CloudWatch; health answers', async () => {
  const server = await startHealthImaging({ fsync: false });
  await fetch(`${server.endpoint}/datastore`);
  const metrics = async () => (await fetch(`${server.endpoint}/metrics`)).text();
  const text = await metrics();
  expect(text).toContain('AWS_HealthImaging_CallCount{Operation="ListDatastores",StatusCode="200"} 1');
  expect(text).toContain('AWS_HealthImaging_DataStoreCount{AccountId="000000000000"} 0');
  const body = JSON.stringify({ datastoreName: 'one', clientToken: 'once' });
  const headers = { 'content-type': 'application/json' };
  await fetch(`${server.endpoint}/datastore`, { method: 'POST', headers, body });
  expect(await metrics()).toContain('AWS_HealthImaging_DataStoreCount{AccountId="000000000000"} 1');
  expect(await (await fetch(`${server.endpoint}/health`)).json()).toEqual({ status: 'ok' });
  await server.close();
});
