/** Requests that no client of good will sends: an answer in S3's shape, nothing stored, nothing outside, no hang. */
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestStore, type TestStore } from './store-for-tests.ts';

let store: TestStore;
const logged: string[] = [];

beforeAll(async () => {
  store = await startTestStore({ log: (line) => logged.push(line) });
  await store.server.createBucket('hostile');
  await store.client.send(new PutObjectCommand({ Bucket: 'hostile', Key: 'kept', Body: 'kept' }));
});
afterAll(() => store.close());

/** Sends raw bytes, returns the whole answer as it came (latin1) once the connection ends or `quietMs` pass. */
async function raw(bytes: string | Buffer, quietMs = 2000): Promise<string> {
  const socket = connect(store.server.port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('latin1');
  socket.on('data', (text) => {
    answer += text;
    // One request: its answer is whole when the length is there.
    const [head, body] = answer.split('\r\n\r\n');
    const length = /content-length: (\d+)/i.exec(head ?? '')?.[1];
    if (body !== undefined && length !== undefined && body.length >= Number(length)) socket.end();
  });
  socket.on('error', () => undefined);
  socket.write(bytes, 'latin1');
  const timer = setTimeout(() => socket.destroy(new Error('no answer')), quietMs);
  await once(socket, 'close');
  clearTimeout(timer);
  return answer;
}

const request = (line: string, headers: Record<string, string> = {}, body = '') => {
  const all = { Host: 'x', Connection: 'close', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line} HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
};

const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1]);
const codeOf = (answer: string) => /<Code>(\w+)<\/Code>/.exec(answer)?.[1];

describe('a malformed request', () => {
  it.each([
    ['GET /hostile/%zz', 400, 'InvalidURI'],
    ['GET /hostile/%ff', 400, 'InvalidURI'],
    ['GET /hostile/%', 400, 'InvalidURI'],
    ['GET /hostile/kept?%ff=1', 400, 'InvalidURI'],
    ['GET http://elsewhere/hostile/kept', 400, 'InvalidURI'],
    [`GET /hostile/${'x'.repeat(1025)}`, 400, 'KeyTooLongError'],
    ['GET //kept', 400, 'InvalidBucketName'],
    ['POST /hostile/kept', 405, 'MethodNotAllowed'],
    ['PATCH /hostile/kept', 405, 'MethodNotAllowed'],
    ['OPTIONS /hostile', 400, 'BadRequest'], // a preflight names the page's origin
    ['DELETE /', 405, 'MethodNotAllowed'],
    ['GET /hostile?acl', 501, 'NotImplemented'],
    ['PUT /hostile/kept?acl', 501, 'NotImplemented'],
    ['PUT /hostile/kept?uploadId=x&partNumber=1', 404, 'NoSuchUpload'],
    ['PUT /hostile/kept?uploadId=..%2F..&partNumber=1', 404, 'NoSuchUpload'],
    ['GET /hostile?list-type=2&max-keys=abc', 400, 'InvalidArgument'],
    ['GET /hostile/kept?response-content-type=a%0d%0ab', 400, 'InvalidArgument'],
    ['PUT /hostile/kept?x-amz-meta-a=%0d%0a', 400, 'InvalidArgument'],
    ['PUT /hostile/kept?x-amz-meta-%20=a', 400, 'InvalidArgument'],
    ['GET /hostile/kept?versionId=1', 404, 'NoSuchVersion'],
    ['GET /hostile/__proto__', 404, 'NoSuchKey'],
    ['GET /constructor/x', 404, 'NoSuchBucket'],
  ])('%s is answered with %i %s', async (line, status, code) => {
    const answer = await raw(request(line));
    expect([statusOf(answer), codeOf(answer)]).toEqual([status, code]);
  });

  it('with huge headers, or no HTTP at all, is answered too', async () => {
    expect(codeOf(await raw(request('GET /', { 'x-big': 'x'.repeat(100_000) })))).toBe(
      'RequestHeaderSectionTooLarge',
    );
    expect(codeOf(await raw('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'))).toBe('BadRequest');
    expect(codeOf(await raw(request('GET /', { Authorization: 'Basic eDp4' })))).toBe(
      'AuthorizationHeaderMalformed',
    );
  });

  it('with a key that climbs stays inside the store', async () => {
    for (const key of ['../../../../tmp/out', '..%2F..%2Fout', '%2e%2e/%2e%2e/out']) {
      const answer = await raw(request(`PUT /hostile/${key}`, { 'Content-Length': '4' }, 'evil'));
      expect(statusOf(answer)).toBe(200);
      expect(await raw(request(`GET /hostile/${key}`))).toMatch(/evil$/);
    }
    const top = await readdir(store.dataDir);
    expect(top.sort()).toEqual(['content', 'index']);
  });
});

it('finds the bucket in the host name, too', async () => {
  for (const Host of ['hostile.localhost', 'hostile.localhost:4082', 'hostile.s3.localhost']) {
    expect(await raw(request('GET /kept', { Host }))).toMatch(/\r\n\r\nkept$/);
  }
  expect(await raw(request('GET /hostile/kept', { Host: 'localhost:4082' }))).toMatch(/\r\n\r\nkept$/);
});

describe('a hostile body', () => {
  const chunked = (body: string, decoded: number, more: Record<string, string> = {}) =>
    request(
      'PUT /hostile/body',
      {
        'Content-Encoding': 'aws-chunked',
        'x-amz-content-sha256': 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
        'x-amz-decoded-content-length': String(decoded),
        'Content-Length': String(body.length),
        ...more,
      },
      body,
    );
  const trailer = { 'x-amz-trailer': 'x-amz-checksum-crc32' };

  it('in aws-chunked with the right trailer is taken', async () => {
    const body = '3\r\nhel\r\n2;chunk-signature=abc\r\nlo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n';
    expect(statusOf(await raw(chunked(body, 5, trailer)))).toBe(200);
    expect(await raw(request('GET /hostile/body'))).toMatch(/\r\n\r\nhello$/);
    await raw(request('DELETE /hostile/body'));
  });

  it.each([
    ['a wrong trailer', '5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n', 5, trailer, 'BadDigest'],
    ['a missing trailer', '5\r\nhello\r\n0\r\n\r\n', 5, trailer, 'InvalidRequest'],
    ['no last chunk', '5\r\nhello\r\n', 5, {}, 'IncompleteBody'],
    ['fewer bytes than announced', '5\r\nhello\r\n0\r\n\r\n', 6, {}, 'IncompleteBody'],
    ['more bytes than announced', '5\r\nhello\r\n0\r\n\r\n', 4, {}, 'IncompleteBody'],
    ['a chunk size of nonsense', 'zz\r\nhello\r\n0\r\n\r\n', 5, {}, 'InvalidRequest'],
    ['a negative chunk size', '-5\r\nhello\r\n0\r\n\r\n', 5, {}, 'InvalidRequest'],
    ['a huge chunk size', 'ffffffffffffffff\r\nhello\r\n0\r\n\r\n', 5, {}, 'InvalidRequest'],
    ['an endless chunk header', `5;${'x'.repeat(5000)}\r\nhello\r\n0\r\n\r\n`, 5, {}, 'InvalidRequest'],
    ['a chunk longer than its size', '3\r\nhello\r\n0\r\n\r\n', 5, {}, 'InvalidRequest'],
    ['bytes behind the end', '5\r\nhello\r\n0\r\n\r\nmore', 5, {}, 'InvalidRequest'],
  ])('in aws-chunked with %s is refused', async (_name, body, decoded, more, code) => {
    const answer = await raw(chunked(body, decoded, more as Record<string, string>));
    expect([statusOf(answer), codeOf(answer)]).toEqual([400, code]);
    expect(codeOf(await raw(request('GET /hostile/body')))).toBe('NoSuchKey');
  });

  it('of no announced length, or too great a one, is refused before it is read', async () => {
    const endless = request('PUT /hostile/body', { 'Transfer-Encoding': 'chunked' }, '5\r\nhello\r\n');
    expect(codeOf(await raw(endless))).toBe('MissingContentLength');
    const great = request('PUT /hostile/body', { 'Content-Length': String(6 * 1024 ** 3) }, 'x');
    expect(codeOf(await raw(great))).toBe('EntityTooLarge');
    expect(codeOf(await raw(request('GET /hostile/body')))).toBe('NoSuchKey');
  });

  it('that breaks off is not stored', async () => {
    const socket = connect(store.server.port, '127.0.0.1');
    socket.write(request('PUT /hostile/body', { 'Content-Length': '1000000' }, 'x'.repeat(500_000)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(codeOf(await raw(request('GET /hostile/body')))).toBe('NoSuchKey');
  });

  it('that goes wrong early is answered while megabytes of it still come', async () => {
    const body = `zz\r\n${'x'.repeat(3_000_000)}`;
    expect(codeOf(await raw(chunked(body, 5_000_000)))).toBe('InvalidRequest');
  });

  it('whose signed hash differs is refused', async () => {
    const headers = { 'x-amz-content-sha256': 'a'.repeat(64), 'Content-Length': '5' };
    expect(codeOf(await raw(request('PUT /hostile/body', headers, 'hello')))).toBe(
      'XAmzContentSHA256Mismatch',
    );
  });
});

describe('hostile XML', () => {
  const post = (xml: string) =>
    raw(request('POST /hostile?delete', { 'Content-Length': String(Buffer.byteLength(xml)) }, xml));
  it.each([
    ['nothing', ''],
    ['no XML', 'hello'],
    ['another root', '<Other/>'],
    ['an unclosed element', '<Delete><Object><Key>kept</Key>'],
    [
      'an entity of its own',
      '<!DOCTYPE x [<!ENTITY e "kept">]><Delete><Object><Key>&e;</Key></Object></Delete>',
    ],
    ['an external entity', '<!DOCTYPE x SYSTEM "file:///etc/passwd"><Delete/>'],
    ['an unknown entity', '<Delete><Object><Key>&nope;</Key></Object></Delete>'],
    ['great depth', '<Delete>'.repeat(2000) + '</Delete>'.repeat(2000)],
    ['elements for text', '<Delete><Object><Key><Key>kept</Key></Key></Object></Delete>'],
    ['too many keys', `<Delete>${'<Object><Key>k</Key></Object>'.repeat(1001)}</Delete>`],
  ])('with %s is MalformedXML', async (_name, xml) => {
    const answer = await post(xml);
    expect([statusOf(answer), codeOf(answer)]).toEqual([400, 'MalformedXML']);
    const { ContentLength } = await store.client.send(
      new HeadObjectCommand({ Bucket: 'hostile', Key: 'kept' }),
    );
    expect(ContentLength).toBe(4);
  });

  it('whose checksum differs is BadDigest', async () => {
    const xml = '<Delete><Object><Key>kept</Key></Object></Delete>';
    const headers = { 'Content-Length': String(xml.length), 'x-amz-checksum-crc32': 'AAAAAA==' };
    expect(codeOf(await raw(request('POST /hostile?delete', headers, xml)))).toBe('BadDigest');
  });

  it('of ten megabytes is refused', async () => {
    expect(codeOf(await post(`<Delete>${' '.repeat(10_000_000)}</Delete>`))).toBe('MaxMessageLengthExceeded');
  });
});

describe('a presigned URL', () => {
  const presigned = (date: string, expires: string) =>
    `GET /hostile/kept?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Date=${date}` +
    `&X-Amz-Expires=${expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=00`;
  const now = new Date().toISOString().replace(/[-:]|\.\d+/g, '');

  it('is good until it expires', async () => {
    expect(await raw(request(presigned(now, '60')))).toMatch(/kept$/);
    expect(codeOf(await raw(request(presigned('20200101T000000Z', '60'))))).toBe('AccessDenied');
    expect(codeOf(await raw(request(presigned(now, '9999999'))))).toBe('AuthorizationQueryParametersError');
    expect(codeOf(await raw(request(presigned('nonsense', '60'))))).toBe('AuthorizationQueryParametersError');
  });
});

it('answers random requests without an internal error and goes on', async () => {
  const methods = fc.constantFrom('GET', 'PUT', 'HEAD', 'POST', 'DELETE', 'OPTIONS', 'PROPFIND');
  const segment = fc.oneof(
    fc.constantFrom('hostile', 'kept', '..', '%2e%2e', '%00', '%ff', '+', '', 'a%20b'),
    fc.string({ maxLength: 20 }).map(encodeURIComponent),
  );
  const name = fc.constantFrom(
    ...'uploads uploadId partNumber list-type delete tagging max-keys prefix delimiter marker start-after attributes'.split(
      ' ',
    ),
    ...'continuation-token encoding-type notification versionId X-Amz-Signature acl key-marker'.split(' '),
  );
  const value = fc.oneof(
    fc.constantFrom('', '1', '2', '-1', 'url', '%', 'null'),
    fc.string({ maxLength: 8 }).map(encodeURIComponent),
  );
  const query = fc.array(fc.tuple(name, value), { maxLength: 3 });
  const header = fc.constantFrom(
    ...'Range If-Match If-None-Match x-amz-copy-source x-amz-copy-source-range Content-MD5 x-amz-checksum-crc32'.split(
      ' ',
    ),
    ...'x-amz-tagging x-amz-checksum-algorithm Content-Encoding x-amz-decoded-content-length Authorization'.split(
      ' ',
    ),
    ...'x-amz-trailer x-amz-metadata-directive x-amz-content-sha256 x-amz-object-attributes Host'.split(' '),
  );
  const headerValue = fc.oneof(
    fc.constantFrom(
      '*',
      'bytes=0-1',
      'aws-chunked',
      'hostile/kept',
      '5',
      'STREAMING-x',
      'REPLACE',
      'a.localhost',
    ),
    fc.string({ maxLength: 12 }).map((text) => text.replace(/[^\x20-\x7e]/g, '')),
  );
  const headers = fc.array(fc.tuple(header, headerValue), { maxLength: 3 });
  const one = fc.tuple(
    methods,
    fc.array(segment, { maxLength: 3 }),
    query,
    headers,
    fc.string({ maxLength: 60 }),
  );
  const run = fc.asyncProperty(one, async ([method, path, pairs, fields, body]) => {
    const url = `/${path.join('/')}${pairs.length ? '?' : ''}${pairs.map((pair) => pair.join('=')).join('&')}`;
    const length = Buffer.byteLength(body, 'latin1');
    const answer = await raw(
      request(`${method} ${url}`, { ...Object.fromEntries(fields), 'Content-Length': String(length) }, body),
    );
    expect(statusOf(answer)).toBeGreaterThanOrEqual(200);
    expect(statusOf(answer)).not.toBe(500);
  });
  await fc.assert(run, { numRuns: Number(process.env.ISOCENTER_FUZZ_RUNS ?? 500) });
  await store.client.send(new PutObjectCommand({ Bucket: 'hostile', Key: 'after', Body: 'x' }));
  const { Body } = await store.client.send(new GetObjectCommand({ Bucket: 'hostile', Key: 'after' }));
  expect(await Body!.transformToString()).toBe('x');
  expect(logged).toEqual([]);
}, 600_000);
