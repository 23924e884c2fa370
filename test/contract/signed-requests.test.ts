/** Requests that we sign ourselves, judged by a server that verifies signatures, and by the signature's own definition. */
import { createHash, createHmac } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateDatastoreCommand, MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { presignedUrl } from '../../shared/adapters/s3-presigned.ts';
import { imagingHost, signedImaging } from '../../shared/adapters/signed-imaging.ts';

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the test' };
const SESSION = { ...KEY, sessionToken: 'token/+=' };
let folder: string;
let server: HealthImaging;
let datastoreId: string;

const clientWith = (credentials: { accessKeyId: string; secretAccessKey: string }) =>
  new MedicalImagingClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials,
    disableHostPrefix: true,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-signed-'));
  const credentialsFile = join(folder, 'credentials.json');
  await writeFile(credentialsFile, JSON.stringify({ identities: [{ ...KEY, access: 'full' }] }));
  server = await startHealthImaging({ fsync: false, credentialsFile });
  const made = await clientWith(KEY).send(new CreateDatastoreCommand({ datastoreName: 'signed' }));
  datastoreId = made.datastoreId ?? '';
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('a signed request to HealthImaging', () => {
  it.each([
    ['a read', 'GET', () => `/datastore/${datastoreId}`, undefined, 200],
    ['a query', 'GET', () => `/listDICOMImportJobs/datastore/${datastoreId}?maxResults=5`, undefined, 200],
    ['a body', 'POST', () => `/datastore/${datastoreId}/searchImageSets?maxResults=50`, '{}', 200],
    [
      'DICOMweb, which no SDK has',
      'GET',
      () => `/datastore/${datastoreId}/studies/1.2/series/1.3/instances/1.4?imageSetId=${'a'.repeat(32)}`,
      undefined,
      404,
    ],
  ] as const)('is taken: %s', async (_name, method, path, body, status) => {
    const ask = signedImaging(clientWith(SESSION).config, server.endpoint);
    const answer = await ask(path(), {
      method,
      ...(body === undefined ? {} : { body, headers: { 'content-type': 'application/json' } }),
    });
    expect(answer.status, await answer.text()).toBe(status);
  });

  it('with another secret is refused', async () => {
    const ask = signedImaging(clientWith({ ...KEY, secretAccessKey: 'wrong' }).config, server.endpoint);
    expect((await ask(`/datastore/${datastoreId}`)).status).toBe(403);
  });

  it.each([
    ['/datastore/d/imageSet/i/getImageFrame', 'eu-west-1', 'runtime-medical-imaging.eu-west-1.amazonaws.com'],
    [
      '/datastore/d/searchImageSets?maxResults=1',
      'us-east-1',
      'runtime-medical-imaging.us-east-1.amazonaws.com',
    ],
    [
      '/datastore/d/studies/1/series/2/instances/3',
      'us-east-1',
      'dicom-medical-imaging.us-east-1.amazonaws.com',
    ],
    ['/datastore/d', 'us-east-1', 'medical-imaging.us-east-1.amazonaws.com'],
    ['/listDICOMImportJobs/datastore/d', 'us-east-1', 'medical-imaging.us-east-1.amazonaws.com'],
  ])('goes to the host of %s', (path, region, host) => {
    expect(imagingHost(path, region)).toBe(host);
  });
});

/** The signature that a presigned address must have (S3 API, "Authenticating Requests: Using Query Parameters"). */
function signatureOf(url: URL, method: string, headers: Readonly<Record<string, string>>): string {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const pairs = url.search
    .slice(1)
    .split('&')
    .filter((pair) => !pair.startsWith('X-Amz-Signature='));
  const signed = (url.searchParams.get('X-Amz-SignedHeaders') ?? '').split(';');
  const all: Record<string, string> = { ...headers, host: url.host };
  const canonical = [
    method,
    url.pathname,
    pairs.sort().join('&'),
    ...signed.map((name) => `${name}:${all[name]}`),
    '',
    signed.join(';'),
    'UNSIGNED-PAYLOAD',
  ].join('\n');
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  const scope = `${date.slice(0, 8)}/eu-west-1/s3/aws4_request`;
  const key = ['eu-west-1', 's3', 'aws4_request'].reduce<Buffer>(
    hmac,
    hmac(`AWS4${KEY.secretAccessKey}`, date.slice(0, 8)),
  );
  const digest = createHash('sha256').update(canonical).digest('hex');
  return hmac(key, ['AWS4-HMAC-SHA256', date, scope, digest].join('\n')).toString('hex');
}

describe('a presigned address', () => {
  const s3 = new S3Client({ region: 'eu-west-1', credentials: SESSION });
  const place = { bucket: 'inbox-1', key: "console-1/A folder/é+%(1)'!*.dcm" };

  it('is what its definition says, for a key of any characters', async () => {
    const url = new URL(await presignedUrl(s3, { ...place, method: 'PUT', expiresSeconds: 60 }));
    expect(url.origin).toBe('https://inbox-1.s3.eu-west-1.amazonaws.com');
    expect(decodeURIComponent(url.pathname)).toBe(`/${place.key}`);
    expect(url.searchParams.get('X-Amz-Security-Token')).toBe(SESSION.sessionToken);
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url, 'PUT', {}));
  });

  it('binds the headers and the query that it is given', async () => {
    const headers = { 'x-amz-checksum-sha256': 'c'.repeat(43), 'content-length': '5' };
    const query = { partNumber: '3', uploadId: 'an/upload+id=' };
    const url = new URL(
      await presignedUrl(s3, { ...place, method: 'PUT', expiresSeconds: 60, headers, query }),
    );
    expect(url.searchParams.get('X-Amz-SignedHeaders')).toBe('content-length;host;x-amz-checksum-sha256');
    expect(url.searchParams.get('uploadId')).toBe(query.uploadId);
    expect(url.searchParams.get('X-Amz-Signature')).toBe(signatureOf(url, 'PUT', headers));
  });
});
