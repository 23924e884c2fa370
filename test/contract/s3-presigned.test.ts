/** Presigned addresses, judged by the signature's own definition. */
import { createHash, createHmac } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { presignedUrl } from '../../shared/adapters/s3-presigned.ts';

const SESSION = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'a secret of the test',
  sessionToken: 'token/+=',
};

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
    hmac(`AWS4${SESSION.secretAccessKey}`, date.slice(0, 8)),
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
