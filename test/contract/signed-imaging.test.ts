/** Requests of our own signing, held against the official SDK: the same signatures, bytes, errors, retries and hosts. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { type ImagingRequest, signedImaging } from '../../shared/adapters/signed-imaging.ts';
import { signedHeaders } from '../../shared/adapters/sigv4.ts';
import { SERIES, STUDY, slice } from '../local/healthimaging/instances.ts';

const region = 'us-east-1';
const identity = (accessKeyId: string, rest: object) => ({
  accessKeyId,
  secretAccessKey: `secret-${accessKeyId}`,
  ...rest,
});
const keysOf = (accessKeyId: string) => ({ accessKeyId, secretAccessKey: `secret-${accessKeyId}` });

const clients: sdk.MedicalImagingClient[] = [];
function clientOf(endpoint: string, extra: sdk.MedicalImagingClientConfig = {}): sdk.MedicalImagingClient {
  const client = new sdk.MedicalImagingClient({
    endpoint,
    region,
    credentials: keysOf('FULL'),
    disableHostPrefix: true,
    maxAttempts: 1,
    ...extra,
  });
  clients.push(client);
  return client;
}

const frameRequest = (datastoreId: string, imageSetId: string, imageFrameId: string): ImagingRequest => ({
  action: 'GetImageFrame',
  method: 'POST',
  plane: 'runtime-',
  path: `/datastore/${datastoreId}/imageSet/${imageSetId}/getImageFrame`,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ imageFrameId }),
});

type Ids = readonly [datastoreId: string, imageSetId: string, imageFrameId: string];
const bySdk = async (client: sdk.MedicalImagingClient, [datastoreId, imageSetId, imageFrameId]: Ids) => {
  const imageFrameInformation = { imageFrameId };
  const answer = await client.send(
    new sdk.GetImageFrameCommand({ datastoreId, imageSetId, imageFrameInformation }),
  );
  return answer.imageFrameBlob!.transformToByteArray();
};
const byUs = (client: sdk.MedicalImagingClient, ids: Ids) =>
  signedImaging(client).signedBytes(frameRequest(...ids));

/** What callers can see of an error. */
async function shownError(answer: Promise<unknown>) {
  const error = await answer.then(
    () => new Error('there was no error'),
    (thrown: unknown) => thrown,
  );
  const { name, message, $fault, $metadata, code } = error as sdk.MedicalImagingServiceException & {
    code?: string;
  };
  return {
    name,
    message,
    fault: $fault,
    code,
    status: $metadata?.httpStatusCode,
    hasRequestId: $metadata?.requestId !== undefined,
    isOfService: error instanceof sdk.MedicalImagingServiceException,
    class: (error as object).constructor.name,
  };
}

let folder: string;
let server: HealthImaging;
let ids: Ids;
const audit: { eventName: string; errorCode?: string }[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-signed-'));
  const identities = [
    identity('FULL', { access: 'full' }),
    identity('BOUND', { access: 'full', resourceTags: { Project: 'alpha' } }),
  ];
  writeFileSync(join(folder, 'credentials.json'), JSON.stringify({ identities }));
  for (const number of [1, 2]) writeFileSync(join(folder, `${number}.dcm`), slice({ number, size: 128 }));
  server = await startHealthImaging({
    fsync: false,
    seed: folder,
    credentialsFile: join(folder, 'credentials.json'),
    audit: (line) => audit.push(JSON.parse(line)),
  });
  const client = clientOf(server.endpoint);
  const datastoreId = server.seedDatastoreId!;
  const found = await client.send(new sdk.SearchImageSetsCommand({ datastoreId }));
  const imageSetId = found.imageSetsMetadataSummaries![0]!.imageSetId!;
  const bytes = await signedImaging(client).signedBytes({
    action: 'GetImageSetMetadata',
    method: 'POST',
    plane: 'runtime-',
    path: `/datastore/${datastoreId}/imageSet/${imageSetId}/getImageSetMetadata?version=1`,
  });
  const { gunzipSync } = await import('node:zlib');
  const document = JSON.parse(gunzipSync(bytes).toString());
  ids = [datastoreId, imageSetId, document.Study.Series[SERIES].Instances[`${SERIES}.1`].ImageFrames[0].ID];
});
afterAll(async () => {
  for (const client of clients) client.destroy();
  await server.close();
  rmSync(folder, { recursive: true });
});

describe('signatures', () => {
  const commands = {
    'a frame': new sdk.GetImageFrameCommand({
      datastoreId: 'a'.repeat(32),
      imageSetId: 'b'.repeat(32),
      imageFrameInformation: { imageFrameId: 'c'.repeat(32) },
    }),
    'an odd path and query': new sdk.UntagResourceCommand({
      resourceArn: 'arn:aws:medical-imaging:us-east-1:1:datastore/x',
      tagKeys: ["a/b:c+d=e (f)'!*", 'ä b', 'a'],
    }),
    'a query without a body': new sdk.GetImageSetMetadataCommand({
      datastoreId: 'a'.repeat(32),
      imageSetId: 'b'.repeat(32),
      versionId: '3',
    }),
  };

  test.each(Object.keys(commands) as (keyof typeof commands)[])(
    'of %s are those of the SDK, with and without a session',
    async (name) => {
      for (const sessionToken of [undefined, 'a session/token+=']) {
        const credentials = { ...keysOf('FULL'), ...(sessionToken === undefined ? {} : { sessionToken }) };
        const signed = await signedBySdk(clientOf('http://127.0.0.1:9', { credentials }), commands[name]);
        const query = Object.entries(signed.query).flatMap(([key, value]) =>
          [value ?? ''].flat().map((one) => `${encodeURIComponent(key)}=${encodeURIComponent(one)}`),
        );
        const {
          authorization,
          'x-amz-date': date = '',
          'x-amz-content-sha256': sha256,
          'x-amz-security-token': _,
          ...headers
        } = signed.headers;
        const at = Date.parse(date.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'));
        const { method, path, body } = signed;
        const request = { method, path, query: query.join('&'), headers, body: body ?? '' };
        const ours = signedHeaders(request, { region, service: 'medical-imaging' }, credentials, at);
        expect(ours).toMatchObject({ authorization, 'x-amz-content-sha256': sha256, 'x-amz-date': date });
        expect(ours['x-amz-security-token']).toBe(sessionToken);
      }
    },
  );
});

interface SdkRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Record<string, string | string[] | null>;
  readonly headers: Record<string, string>;
  readonly body?: string;
}

/** The SDK's request as it would leave. */
async function signedBySdk(client: sdk.MedicalImagingClient, command: { middlewareStack: unknown }) {
  let signed: SdkRequest | undefined;
  client.middlewareStack.add(
    () => async (args) => {
      signed = structuredClone({ ...(args as { request: SdkRequest }).request });
      throw new Error('not sent');
    },
    { step: 'finalizeRequest', priority: 'low', name: 'seen' },
  );
  await client.send(command as sdk.GetImageFrameCommand).catch(() => undefined);
  return signed!;
}

describe('with signatures verified', () => {
  test('a frame is the same bytes, in room of our own too', async () => {
    const client = clientOf(server.endpoint);
    const wanted = Buffer.from(await bySdk(client, ids));
    expect(wanted.length).toBeGreaterThan(1000);
    expect(Buffer.from(await byUs(client, ids)).equals(wanted)).toBe(true);
    let room: Uint8Array = new Uint8Array(0);
    const roomFor = (sizeBytes: number) => {
      room = new Uint8Array(new SharedArrayBuffer(sizeBytes));
      return room;
    };
    const bytes = await signedImaging(client).signedBytes(frameRequest(...ids), roomFor);
    expect(bytes).toBe(room);
    expect(Buffer.from(bytes).equals(wanted)).toBe(true);
  });

  test('what no SDK knows: a P10 object over DICOMweb, as a stream', async () => {
    const answer = await signedImaging(clientOf(server.endpoint)).signedRequest({
      action: 'GetDICOMInstance',
      method: 'GET',
      plane: 'dicom-',
      path: `/datastore/${ids[0]}/studies/${STUDY}/series/${SERIES}/instances/${SERIES}.1?imageSetId=${ids[1]}`,
      headers: { accept: 'application/dicom; transfer-syntax=*' },
    });
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    expect(answer.headers['content-type']).toContain('application/dicom');
    expect(Buffer.concat(chunks).subarray(128, 132).toString()).toBe('DICM');
  });

  const other = 'f'.repeat(32);
  test.each<[string, (ids: Ids) => Ids, sdk.MedicalImagingClientConfig, string]>([
    ['no such frame', ([d, i]) => [d, i, other], {}, 'ResourceNotFoundException'],
    ['no such image set', ([d, , f]) => [d, other, f], {}, 'ResourceNotFoundException'],
    ['no such data store', ([, i, f]) => [other, i, f], {}, 'ResourceNotFoundException'],
    ['an ill-formed id', ([d, i]) => [d, i, 'short'], {}, 'ValidationException'],
    ['an ill-formed label', ([d, , f]) => [d, 'UPPER*', f], {}, 'ValidationException'],
    ['a resource out of bounds', (of) => of, { credentials: keysOf('BOUND') }, 'AccessDeniedException'],
    ['an unknown key', (of) => of, { credentials: keysOf('NOBODY') }, 'UnrecognizedClientException'],
    [
      'a wrong secret',
      (of) => of,
      { credentials: { accessKeyId: 'FULL', secretAccessKey: 'x' } },
      'InvalidSignatureException',
    ],
    ['a clock that is off', (of) => of, { systemClockOffset: 900_000 }, 'InvalidSignatureException'],
  ])('%s is the same error', async (_, change, extra, name) => {
    const wanted = await shownError(bySdk(clientOf(server.endpoint, extra), change(ids)));
    expect(wanted.name).toBe(name);
    expect(await shownError(byUs(clientOf(server.endpoint, extra), change(ids)))).toEqual(wanted);
  });

  test('a clock that is off is corrected where there is another attempt', async () => {
    const client = clientOf(server.endpoint, { systemClockOffset: 900_000, maxAttempts: 2 });
    expect((await byUs(client, ids)).length).toBeGreaterThan(1000);
    expect(Math.abs(client.config.systemClockOffset)).toBeLessThan(60_000);
  });

  test('credentials that end are asked for again', async () => {
    let asked = 0;
    const credentials = async () => ({
      ...keysOf('FULL'),
      expiration: new Date(Date.now() + ++asked * 1000),
    });
    const client = clientOf(server.endpoint, { credentials });
    const signed = signedImaging(client);
    for (let i = 0; i < 3; i++) await signed.signedBytes(frameRequest(...ids));
    expect(asked).toBeGreaterThanOrEqual(3);
  });
});

describe('with faults', () => {
  const withFaults = async (
    fault: 'throttle' | 'error' | 'unavailable',
    times: number,
    use: (endpoint: string) => Promise<void>,
  ) => {
    const faulty = await startHealthImaging({
      fsync: false,
      faults: { faults: [{ fault, operation: 'GetImageFrame', times }] },
      audit: (line) => audit.push(JSON.parse(line)),
    });
    audit.length = 0;
    try {
      await use(faulty.endpoint);
    } finally {
      await faulty.close();
    }
  };

  test.each([
    ['throttle', 'ThrottlingException', 429],
    ['error', 'InternalServerException', 500],
    ['unavailable', 'ServiceUnavailableException', 503],
  ] as const)('%s is the same error', async (fault, name, status) => {
    await withFaults(fault, 2, async (endpoint) => {
      const wanted = await shownError(bySdk(clientOf(endpoint), ids));
      expect(wanted).toMatchObject({ name, status });
      expect(await shownError(byUs(clientOf(endpoint), ids))).toEqual(wanted);
    });
  });

  test.each(['throttle', 'error', 'unavailable'] as const)(
    '%s is tried again as often as by the SDK',
    async (fault) => {
      for (const [ask, retryMode] of [
        [bySdk, 'standard'],
        [byUs, 'standard'],
        [byUs, 'adaptive'],
      ] as const)
        await withFaults(fault, 2, async (endpoint) => {
          // After two faults the server answers that there is no such thing, which nobody tries again.
          const error = await shownError(ask(clientOf(endpoint, { maxAttempts: 8, retryMode }), ids));
          expect(error.name).toBe('ResourceNotFoundException');
          expect(audit.filter(({ eventName }) => eventName === 'GetImageFrame')).toHaveLength(3);
        });
    },
  );
});

describe('with a service that misbehaves', () => {
  let faulty: Server;
  let endpoint: string;
  let requests = 0;
  const paths: string[] = [];

  beforeAll(async () => {
    faulty = createServer((request, response) => {
      requests++;
      paths.push(request.url ?? '');
      response.writeHead(200, { 'content-length': 1000 });
      response.write(Buffer.alloc(500));
      // The first two answers break off.
      if (requests <= 2) setImmediate(() => response.destroy());
      else response.end(Buffer.alloc(500, 1));
    });
    await new Promise<void>((resolve) => faulty.listen(0, '127.0.0.1', resolve));
    endpoint = `http://127.0.0.1:${(faulty.address() as AddressInfo).port}`;
  });
  afterAll(() => {
    faulty.closeAllConnections();
    faulty.close();
  });

  test('an answer that breaks off is asked for again, and never given in part', async () => {
    const once = await shownError(byUs(clientOf(endpoint), ids));
    expect(once.name).toBe('TimeoutError');
    const bytes = await byUs(clientOf(endpoint, { maxAttempts: 3 }), ids);
    expect([bytes.length, bytes[0], bytes[999], requests]).toEqual([1000, 0, 1, 3]);
  });

  test('an endpoint with a path keeps it', async () => {
    await byUs(clientOf(`${endpoint}/behind/proxy`), ids);
    expect(paths.at(-1)).toBe(`/behind/proxy/datastore/${ids[0]}/imageSet/${ids[1]}/getImageFrame`);
  });

  test('the host gets its prefix unless the client says otherwise', async () => {
    const client = clientOf('http://no-such-host.invalid', { disableHostPrefix: false });
    const hostOf = async (answer: Promise<unknown>) =>
      answer.catch((error: { hostname?: string }) => error.hostname);
    expect(await hostOf(byUs(client, ids))).toBe('runtime-no-such-host.invalid');
    expect(await hostOf(byUs(client, ids))).toBe(await hostOf(bySdk(client, ids)));
  });

  test('a connection that is refused is the same error', async () => {
    const wanted = await shownError(bySdk(clientOf('http://127.0.0.1:9'), ids));
    const { name, code } = await shownError(byUs(clientOf('http://127.0.0.1:9'), ids));
    expect({ name, code }).toEqual({ name: wanted.name, code: wanted.code });
  });
});
