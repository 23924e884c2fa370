/** Hostile requests: the service's exception where it has one; never a 500, a hang, or a way out of the data folder. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../../local/healthimaging/server.ts';
import { fuzz } from './fuzz.ts';

const ID = '0'.repeat(32);
let server: HealthImaging;
beforeAll(async () => {
  server = await startHealthImaging({ fsync: false });
});
afterAll(() => server.close());

/** Sends the path as it is: fetch would tidy `..` away. */
function send(
  method: string,
  path: string,
  body?: string | Uint8Array,
): Promise<{ status: number; error: string }> {
  const { hostname, port } = new URL(server.endpoint);
  return new Promise((resolve, reject) => {
    const outgoing = request({ hostname, port, method, path, timeout: 10_000 }, (response) => {
      response.resume();
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          error: String(response.headers['x-amzn-errortype'] ?? ''),
        }),
      );
    });
    // A body that is refused half-way may break the connection after the answer.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

test.each<[string, string, string, string, string]>([
  ['malformed JSON', 'POST', '/datastore', '{"clientToken":', 'ValidationException'],
  ['a list for an object', 'POST', '/datastore', '[]', 'ValidationException'],
  ['a bare string', 'POST', '/datastore', '"x"', 'ValidationException'],
  ['broken UTF-8 in a path', 'GET', '/datastore/%ff%fe', '', 'ValidationException'],
  ['bad percent-encoding', 'GET', '/datastore/%zz', '', 'ValidationException'],
  ['dots for an id', 'GET', '/datastore/..', '', 'ValidationException'],
  ['dots, encoded', 'GET', '/datastore/..%2f..%2fetc%2fpasswd', '', 'ValidationException'],
  ['an unknown path', 'GET', '/etc/passwd', '', 'UnknownOperationException'],
  ['a path above the root', 'GET', '/../../etc/passwd', '', 'UnknownOperationException'],
  ['an unknown method', 'PUT', `/datastore/${ID}`, '', 'UnknownOperationException'],
  ['a hostile UID', 'GET', `/datastore/${ID}/studies/..%2f/series/1/instances/1`, '', 'ValidationException'],
  ['a token from elsewhere', 'GET', '/datastore?nextToken=abc', '', 'ValidationException'],
  ['a token of another list', 'GET', '/datastore?nextToken=IngifQ.AAAA', '', 'ValidationException'],
  ['too many digits', 'GET', '/datastore?maxResults=99999999999999999999', '', 'ValidationException'],
  ['an ARN of another service', 'GET', '/tags/arn:aws:s3:::bucket', '', 'ValidationException'],
])('%s', async (_, method, path, body, error) => {
  expect(await send(method, path, body || undefined)).toMatchObject({ error });
});

test('JSON of a hundred thousand levels is refused at once', async () => {
  const deep = '['.repeat(100_000) + ']'.repeat(100_000);
  expect(await send('POST', '/datastore', `{"tags":${deep}}`)).toEqual({
    status: 400,
    error: 'ValidationException',
  });
});

test('a body that breaks off, and an unknown expectation, are no failures of the server', async () => {
  const { hostname, port } = new URL(server.endpoint);
  const talk = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(port), hostname);
      let heard = '';
      socket.on('data', (chunk) => {
        heard += String(chunk);
      });
      socket.on('close', () => resolve(heard));
      socket.on('error', () => resolve(heard));
      socket.write(text);
    });
  const start = 'POST /datastore HTTP/1.1\r\nHost: x\r\nConnection: close\r\n';
  expect(await talk(`${start}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`)).toMatch(/^HTTP\/1.1 400 /);
  const odd = await talk(`${start}Expect: wonders\r\nContent-Length: 2\r\n\r\n[]`);
  expect(odd).toMatch(/^HTTP\/1.1 400 /);
  expect(odd).toContain('x-amzn-errortype: ValidationException');
  const metrics = await (await fetch(`${server.endpoint}/metrics`)).text();
  expect(metrics).not.toMatch(/CallCount\{[^}]*StatusCode="5/);
  for (const [method, path] of [
    ['HEAD', '/health'],
    ['GET', '/health?probe=1'],
  ] as const)
    expect((await fetch(server.endpoint + path, { method })).status).toBe(200);
});

test('a body of ten megabytes is refused without being kept', async () => {
  const answer = await send('POST', '/datastore', new Uint8Array(10_000_000).fill(0x20)).catch(
    () => undefined,
  );
  if (answer) expect(answer).toEqual({ status: 413, error: 'RequestEntityTooLargeException' });
  expect((await send('GET', '/health')).status).toBe(200);
});

test('a pattern with exponential backtracking is answered at once', async () => {
  const body = JSON.stringify({
    clientToken: 'a',
    dataAccessRoleArn: 'arn:aws:iam::123456789012:role/x',
    inputS3Uri: 's3://bucket/a',
    outputS3Uri: 's3://bucket/b',
    importConfiguration: {
      dicomJsonMetadataImportConfiguration: {
        dicomMetadataMappings: [{ studyInstanceUID: '1', metadataFilePath: `${'a'.repeat(1_000)}\u00e9` }],
      },
    },
  });
  const started = performance.now();
  expect((await send('POST', `/startDICOMImportJob/datastore/${ID}`, body)).status).toBe(400);
  expect(performance.now() - started).toBeLessThan(5_000);
});

test('a store that another server holds is refused with a sentence', async () => {
  const { mkdtemp, rm } = await import('node:fs/promises');
  const { tmpdir } = await import('node:os');
  const dataDir = await mkdtemp(`${tmpdir()}/isocenter-locked-`);
  const first = await startHealthImaging({ dataDir, fsync: false });
  await expect(startHealthImaging({ dataDir })).rejects.toThrow(/in use by another process/);
  await first.close();
  await rm(dataDir, { recursive: true });
});

test('random requests are answered well-formed, and the server stays up', { timeout: 180_000 }, async () => {
  const seed = Number(process.env.SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const { problems } = await fuzz(server.endpoint, { seed, requests: 500 });
  expect(problems).toEqual([]);
  expect((await send('GET', '/health')).status).toBe(200);
});
