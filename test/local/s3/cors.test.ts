/** CORS as S3 has it: configured by the official client, asked as browsers ask. */
import {
  CreateMultipartUploadCommand,
  DeleteBucketCorsCommand,
  GetBucketCorsCommand,
  GetObjectCommand,
  PutBucketCorsCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { presignedUrl } from '../../../shared/adapters/s3-presigned.ts';
import { startTestStore, type TestStore } from './store-for-tests.ts';

const Bucket = 'pages';
const ORIGIN = 'https://console.example.org';
const RULES = [
  {
    ID: 'console',
    AllowedOrigins: [ORIGIN],
    AllowedMethods: ['PUT', 'GET'],
    AllowedHeaders: ['content-type', 'x-amz-checksum-*'],
    ExposeHeaders: ['ETag'],
    MaxAgeSeconds: 600,
  },
  { AllowedOrigins: ['https://*.example.net'], AllowedMethods: ['HEAD'] },
  { AllowedOrigins: ['*'], AllowedMethods: ['DELETE'], AllowedHeaders: ['*'] },
];
let store: TestStore;

beforeAll(async () => {
  store = await startTestStore();
  await store.server.createBucket(Bucket);
  await store.server.createBucket('closed');
  await store.client.send(new PutBucketCorsCommand({ Bucket, CORSConfiguration: { CORSRules: RULES } }));
});
afterAll(() => store?.close());

async function preflight(headers: Record<string, string>, bucket = Bucket) {
  const answer = await fetch(`${store.server.url}/${bucket}/a/key`, { method: 'OPTIONS', headers });
  return { status: answer.status, headers: answer.headers, text: await answer.text() };
}
const asking = (origin: string, method: string, names = '') => ({
  origin,
  'access-control-request-method': method,
  ...(names === '' ? {} : { 'access-control-request-headers': names }),
});

describe('a preflight', () => {
  it('is answered by the first rule that fits, with what was asked for', async () => {
    const { status, headers } = await preflight(asking(ORIGIN, 'PUT', 'Content-Type, x-amz-checksum-sha256'));
    expect(status).toBe(200);
    expect(Object.fromEntries(headers)).toMatchObject({
      'access-control-allow-origin': ORIGIN,
      'access-control-allow-methods': 'PUT, GET',
      'access-control-allow-headers': 'content-type, x-amz-checksum-sha256',
      'access-control-expose-headers': 'ETag',
      'access-control-max-age': '600',
      'access-control-allow-credentials': 'true',
      vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
    });
  });

  it.each([
    ['a wildcard in the origin', asking('https://a.example.net', 'HEAD'), 200, 'https://a.example.net'],
    ['every origin', asking('https://elsewhere.test', 'DELETE', 'x-anything'), 200, '*'],
    ['another origin', asking('https://console.example.org.evil.test', 'PUT'), 403, null],
    ['another scheme', asking('http://console.example.org', 'PUT'), 403, null],
    ['a method that is not allowed', asking(ORIGIN, 'HEAD'), 403, null],
    ['a header that is not allowed', asking(ORIGIN, 'PUT', 'content-type,x-amz-acl'), 403, null],
    ['no origin', { 'access-control-request-method': 'PUT' }, 400, null],
    ['no method', { origin: ORIGIN }, 400, null],
  ] as const)('with %s', async (_name, headers, status, origin) => {
    const answer = await preflight(headers as Record<string, string>);
    expect(answer.status, answer.text).toBe(status);
    expect(answer.headers.get('access-control-allow-origin')).toBe(origin);
    if (status === 403) expect(answer.text).toContain('<Code>AccessForbidden</Code>');
  });

  it('is refused where a bucket has no rules, or is not there', async () => {
    for (const bucket of ['closed', 'not-there']) {
      const { status, text } = await preflight(asking(ORIGIN, 'PUT'), bucket);
      expect([status, text]).toEqual([403, expect.stringContaining('CORS is not enabled')]);
    }
  });
});

it('lets a page send to a presigned address and read what comes back', async () => {
  const address = (method: 'GET' | 'PUT', more: object = {}) =>
    presignedUrl(
      store.client,
      { bucket: Bucket, key: 'up/ä 1.dcm', method, expiresSeconds: 60, ...more },
      store.server.url,
    );
  const headers = { origin: ORIGIN };
  const put = await fetch(await address('PUT'), { method: 'PUT', headers, body: 'pixels' });
  expect([put.status, put.headers.get('access-control-allow-origin')]).toEqual([200, ORIGIN]);
  expect(put.headers.get('access-control-expose-headers')).toBe('ETag');
  const got = await store.client.send(new GetObjectCommand({ Bucket, Key: 'up/ä 1.dcm' }));
  expect(await got.Body?.transformToString()).toBe('pixels');
  const read = await fetch(await address('GET'), { headers: { origin: 'https://other.test' } });
  expect([read.status, read.headers.get('access-control-allow-origin')]).toEqual([200, null]);

  const { UploadId = '' } = await store.client.send(
    new CreateMultipartUploadCommand({ Bucket, Key: 'up/ä 1.dcm', ChecksumAlgorithm: 'SHA256' }),
  );
  const wrong = { 'x-amz-checksum-sha256': `${'A'.repeat(43)}=` };
  const part = await fetch(
    await address('PUT', { headers: wrong, query: { partNumber: '1', uploadId: UploadId } }),
    { method: 'PUT', headers: { ...headers, ...wrong }, body: 'damaged' },
  );
  const text = await part.text();
  expect([part.status, part.headers.get('access-control-allow-origin')], text).toEqual([400, ORIGIN]);
  expect(text).toContain('BadDigest');
});

it('keeps the configuration as the official client gave it, and forgets it', async () => {
  const { CORSRules } = await store.client.send(new GetBucketCorsCommand({ Bucket }));
  expect(CORSRules).toEqual(RULES);
  await store.client.send(new DeleteBucketCorsCommand({ Bucket }));
  await expect(store.client.send(new GetBucketCorsCommand({ Bucket }))).rejects.toMatchObject({
    name: 'NoSuchCORSConfiguration',
  });
});

it('refuses rules that S3 refuses', async () => {
  const put = (rule: object) =>
    store.client.send(
      new PutBucketCorsCommand({
        Bucket: 'closed',
        CORSConfiguration: { CORSRules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'], ...rule }] },
      }),
    );
  await expect(put({ AllowedMethods: ['PATCH'] })).rejects.toMatchObject({ name: 'InvalidRequest' });
  await expect(put({ AllowedOrigins: ['*.*.org'] })).rejects.toMatchObject({ name: 'InvalidRequest' });
});
