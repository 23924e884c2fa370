/**
 * The console as it is deployed: the packaged functions behind an HTTP API, asked as its pages ask. What they ask of
 * services is held against their roles, and what they leave in logs is looked at.
 */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { demoFiles } from '../../local/demo/demo.ts';
import type {
  DecisionState,
  ExecutionDetails,
  ExecutionPage,
  ImageSetPage,
  ObjectsPage,
  Overview,
  SeriesState,
  Session,
  UploadState,
} from '../../shared/console/api.ts';
import type { Place } from '../../shared/console/backend.ts';
import { refusedCalls, rolesOf } from '../template/roles.ts';
import { CLIENT_ID, type DeployedConsole, startDeployedConsole } from './deployed-console.ts';
import { describePages } from './deployed-pages.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const root = join(import.meta.dirname, '../..');
let deployed: DeployedConsole;
let token: string;

beforeAll(async () => {
  deployed = await startDeployedConsole();
  token = deployed.provider.idToken();
});
afterAll(() => deployed?.close());

const url = (path: string) => `${deployed.front.url}/${path}`;
const bearer = (value = token) => ({ authorization: `Bearer ${value}` });

async function get<T>(path: string): Promise<T> {
  const answer = await fetch(url(`api/${path}`), { headers: bearer() });
  expect(answer.status, path).toBe(200);
  return (await answer.json()) as T;
}

async function post<T>(path: string, body: object = {}, status = 200): Promise<T> {
  const answer = await fetch(url(`api/${path}`), {
    method: 'POST',
    headers: { ...bearer(), 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  expect(answer.status, `${path}: ${text}`).toBe(status);
  return JSON.parse(text) as T;
}

describe('without a token', () => {
  it('come the pages as they were built, with a policy that names who else they may ask', async () => {
    const page = await fetch(url(''));
    expect(await page.text()).toBe(await readFile(join(root, 'dist/console/index.html'), 'utf8'));
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain(`connect-src 'self' ${deployed.provider.issuer} ${deployed.world.s3Url};`);
    expect(policy).toContain("default-src 'none'");
    expect(page.headers.get('strict-transport-security')).toMatch(/^max-age=/);
    for (const name of await readdir(join(root, 'dist/console'))) {
      if (name === 'index.html') continue;
      const answer = await fetch(url(name));
      const bytes = Buffer.from(await answer.arrayBuffer());
      expect(bytes.equals(await readFile(join(root, 'dist/console', name))), name).toBe(true);
    }
    expect((await fetch(url('..%2fpackage.json'))).status).toBe(404);
    expect((await fetch(url('index.mjs'))).status).toBe(404);
  });

  it('comes what signing in needs, and nothing else of the API', async () => {
    const session = (await (await fetch(url('api/session'))).json()) as Session;
    const { issuer } = deployed.provider;
    expect(session).toEqual({
      live: 'poll',
      signIn: {
        issuer,
        clientId: CLIENT_ID,
        authorizationEndpoint: `${issuer}/authorize`,
        tokenEndpoint: `${issuer}/token`,
        endSessionEndpoint: `${issuer}/logout`,
        scope: 'openid email',
      },
    });
    for (const path of ['overview', 'data-store', 'session/x', '']) {
      const { status } = await fetch(url(`api/${path}`));
      expect([401, 404], path).toContain(status);
    }
    expect((await fetch(url('api/uploads'), { method: 'POST' })).status).toBe(401);
    expect((await fetch(url('api/uploads/x/file'), { method: 'PUT' })).status).toBe(404);
  });

  it.each([
    ['another key', {}, true],
    ['another audience', { aud: 'somebody-else' }, false],
    ['another issuer', { iss: 'https://elsewhere.example.org' }, false],
    ['an end that is over', { exp: 1 }, false],
  ] as const)('is a token by %s', async (_name, claims, foreignKey) => {
    const wrong = deployed.provider.idToken(claims, { foreignKey });
    expect((await fetch(url('api/overview'), { headers: bearer(wrong) })).status).toBe(401);
  });

  it('the function gives nothing either, should a route let such a request through', async () => {
    await fetch(url('nothing'));
    const open = deployed.front.events.findLast(({ rawPath }) => rawPath === '/nothing');
    const answer = await fetch(
      `${deployed.world.servicesUrl}/2015-03-31/functions/isocenter-local-serveConsole/invocations`,
      { method: 'POST', body: JSON.stringify({ ...open, rawPath: '/api/overview' }) },
    );
    expect(await answer.json()).toMatchObject({ statusCode: 401 });
  });
});

/** Sends a file as the page does: to the place that the console names, from its own origin. */
async function put(place: Place, body: Uint8Array): Promise<void> {
  const preflight = await fetch(place.url, {
    method: 'OPTIONS',
    headers: {
      origin: deployed.front.url,
      'access-control-request-method': 'PUT',
      'access-control-request-headers': ['content-type', ...Object.keys(place.headers)].join(','),
    },
  });
  expect(preflight.status, await preflight.text()).toBe(200);
  const headers = { ...place.headers, 'content-type': 'application/octet-stream' };
  const answer = await fetch(place.url, {
    method: 'PUT',
    headers: { ...headers, origin: deployed.front.url },
    body,
  });
  expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([
    200,
    deployed.front.url,
  ]);
}

const files = [...demoFiles('current')].filter(({ path }) =>
  /ct-two-spellings|ct-two-patients|truncated|export\.zip/.test(path),
);

async function uploadAll(): Promise<string> {
  const { upload } = await post<{ upload: string }>('uploads');
  const [large, ...small] = files as [(typeof files)[0], ...typeof files];
  for (const { path, bytes } of small) await put(await post(`uploads/${upload}/place`, { path }), bytes);
  const { path, bytes } = large;
  const { partsId } = await post<{ partsId: string }>(`uploads/${upload}/parts/begin`, { path });
  const sha256 = createHash('sha256').update(bytes).digest('base64');
  await put(await post(`uploads/${upload}/parts/place`, { path, partsId, number: 1, sha256 }), bytes);
  await post(`uploads/${upload}/parts/complete`, { path, partsId, sizeBytes: bytes.length });
  await post(`uploads/${upload}/hold`);
  await post(`uploads/${upload}/end`);
  return upload;
}

const finished = (upload: string, count = 1) =>
  vi.waitFor(
    async () => {
      const state = await get<UploadState>(`uploads/${upload}`);
      expect(state.finished.length).toBeGreaterThanOrEqual(count);
      return state.finished;
    },
    { timeout: 90_000, interval: 250 },
  );

describe('a person who signed in', () => {
  let executionId: string;
  let upload: string;

  it('sends files to the inbox and sees what became of them', async () => {
    upload = await uploadAll();
    const [summary] = await finished(upload);
    executionId = summary?.executionId ?? '';
    expect(summary?.counts).toMatchObject({ received: files.length });
    const overview = await get<Overview>('overview');
    expect(overview.recent.map((one) => one.executionId)).toContain(executionId);
    const found = await post<ExecutionPage>('executions/search', { text: upload });
    expect(found.executions).toHaveLength(1);
    const details = await get<ExecutionDetails>(`executions/${executionId}`);
    expect(details.groups.map(({ outcome }) => outcome)).toContain('rejected');
    const { objects } = await post<ObjectsPage>(`executions/${executionId}/objects`, {
      outcome: 'rejected',
    });
    expect(objects.length).toBeGreaterThan(0);
    await get(`executions/${executionId}/history`);
    await vi.waitFor(
      async () => expect((await get<ExecutionDetails>(`executions/${executionId}`)).status).toBe('SUCCEEDED'),
      { timeout: 60_000, interval: 200 },
    );
    await post(`executions/${executionId}/cancel`, {}, 409);
    await get('data-store');
  });

  it('downloads reports and objects from addresses that end by themselves', async () => {
    for (const what of ['report', 'objects']) {
      const { url: address } = await post<{ url: string }>('downloads', { what, executionId });
      const answer = await fetch(address);
      expect(answer.headers.get('content-disposition')).toContain(`${executionId}.${what}`);
      expect(await answer.text()).toContain('"outcome"');
    }
    await post('downloads', { what: 'report', executionId: 'none' }, 404);
    const { imageSets } = await post<ImageSetPage>('image-sets/search');
    const [{ imageSetId, DICOMTags }] = imageSets as [(typeof imageSets)[0]];
    const metadata = await get<{
      Study: { Series: Record<string, { Instances: Record<string, { ImageFrames: { ID: string }[] }> }> };
    }>(`image-sets/${imageSetId}/metadata`);
    const [[series, { Instances }] = ['', { Instances: {} }]] = Object.entries(metadata.Study.Series);
    const [[instance, { ImageFrames }] = ['', { ImageFrames: [] }]] = Object.entries(Instances);
    const uids = [String(DICOMTags.DICOMStudyInstanceUID), series, instance];
    const { url: address } = await post<{ url: string }>('downloads', { what: 'instance', imageSetId, uids });
    const p10 = Buffer.from(await (await fetch(address)).arrayBuffer());
    expect(p10.toString('latin1', 128, 132)).toBe('DICM');
    expect(new URL(address).pathname).toContain('/console/downloads/');

    const path = url(`api/image-sets/${imageSetId}/frames/${ImageFrames[0]?.ID}`);
    const whole = Buffer.from(await (await fetch(path, { headers: bearer() })).arrayBuffer());
    const part = await fetch(path, { headers: { ...bearer(), range: 'bytes=10-19' } });
    expect([part.status, part.headers.get('content-range')]).toEqual([206, `bytes 10-19/${whole.length}`]);
    expect(Buffer.from(await part.arrayBuffer()).equals(whole.subarray(10, 20))).toBe(true);
    await get(`image-sets/${imageSetId}`);
    await get(`image-sets/${imageSetId}/versions`);
    expect((await fetch(url(`api/image-sets/${'0'.repeat(32)}`), { headers: bearer() })).status).toBe(404);
  });

  it('puts what was refused back', async () => {
    await post(`executions/${executionId}/retry`);
    await finished(upload, 2);
  });

  it('decides about a series; another function carries it out, with the name on record', async () => {
    const { imageSets } = await post<ImageSetPage>('image-sets/search');
    const series = String(imageSets[0]?.DICOMTags.DICOMSeriesInstanceUID);
    const reason = 'two examinations';
    await post('series/resolve', { series, action: 'keep-apart' }, 400);
    await post('series/resolve', { series, action: 'nothing', reason }, 400);
    const { decisionId } = await post<{ decisionId: string }>(
      'series/resolve',
      { series, action: 'keep-apart', reason },
      202,
    );
    await vi.waitFor(
      async () => expect((await get<DecisionState>(`decisions/${decisionId}`)).state).toBe('done'),
      { timeout: 60_000, interval: 200 },
    );
    const { history } = await post<SeriesState>('series/view', { series });
    expect(history.at(-1)).toMatchObject({ actor: 'operator@example.org', reason });
  });

  it('gets long lists packed, and errors in words', async () => {
    const answer = await fetch(
      `${deployed.world.servicesUrl}/2015-03-31/functions/isocenter-local-serveConsole/invocations`,
      {
        method: 'POST',
        body: JSON.stringify(deployed.front.events.findLast(({ rawPath }) => rawPath === '/api/overview')),
      },
    );
    const { headers, body, isBase64Encoded } = (await answer.json()) as {
      headers: Record<string, string>;
      body: string;
      isBase64Encoded: boolean;
    };
    const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
    const text = headers['content-encoding'] === 'gzip' ? gunzipSync(bytes).toString() : bytes.toString();
    expect(JSON.parse(text)).toHaveProperty('recent');
    const wrong = await fetch(url('api/executions/%zz'), { headers: bearer() });
    expect([wrong.status, await wrong.json()]).toEqual([
      400,
      { message: 'the path is not valid percent-encoding' },
    ]);
  });
});

describePages(() => deployed);

it('asks services only for what the roles of its functions allow', async () => {
  const isAllowed = await rolesOf(deployed.world, deployed.templatePath, deployed.parameters);
  expect(refusedCalls(deployed.world, deployed.calls, isAllowed)).toEqual([]);
  const names = new Set(deployed.calls.map(({ functionName }) => functionName));
  expect(names.has('isocenter-local-serveConsole') && names.has('isocenter-local-decideSeries')).toBe(true);
  const operations = new Set(deployed.calls.map(({ operation }) => operation));
  expect([...operations]).toEqual(
    expect.arrayContaining(['InvokeFunction', 'GetDICOMInstance', 'ListParts', 'ListImageSetVersions']),
  );
});

it('leaves no name of a patient or a file in its logs', async () => {
  const folder = join(deployed.dataDir, 'world', 'logs');
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), 'utf8');
    for (const word of ['PHANTOM', 'DEMO-', 'ct-two', 'operator@']) expect(text, file).not.toContain(word);
  }
});
