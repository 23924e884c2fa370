/** The console's JSON API as one table. What may identify a patient is only ever in a body. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ActivityLog } from './activity.ts';
import type { ExecutionPage, ExecutionQuery, ImageSetQuery, ObjectsQuery, Overview } from './api.ts';
import { type Backend, isExecutionId } from './backend.ts';
import { readDataStore } from './data-store.ts';
import { cancelExecution, downloadOf, readExecution, readHistory, retryExecution } from './execution.ts';
import { SECURITY_HEADERS } from './guard.ts';
import { HttpProblem, readJsonBody, send, sendJson, textMember } from './http.ts';
import {
  getFrame,
  getImageSet,
  getInstance,
  getMetadata,
  listVersions,
  searchImageSets,
} from './image-sets.ts';
import { readObjects } from './objects.ts';
import { readSeries, resolveSeries } from './resolutions.ts';
import { beginParts, completeParts, listParts, receivePart } from './upload-parts.ts';
import { beginUpload, endUpload, keyOf, pathOf, readUpload, receiveFile, refreshUpload } from './uploads.ts';

export interface Services {
  readonly backend: Backend;
  readonly activity: ActivityLog;
  readonly overview: () => Promise<Overview>;
  readonly searchExecutions: (query: ExecutionQuery) => Promise<ExecutionPage>;
}

export interface Call {
  readonly services: Services;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The path's labels, decoded, in order. */
  readonly labels: readonly string[];
  readonly query: URLSearchParams;
}

interface Route {
  readonly method: string;
  readonly segments: readonly string[];
  readonly run: (call: Call) => Promise<unknown>;
}

/** `answer`: what it resolves to is sent as JSON. */
const answer = (method: string, path: string, run: (call: Call) => Promise<unknown>): Route => ({
  method,
  segments: path.split('/'),
  run: async (call) => sendJson(call.response, (await run(call)) ?? {}),
});
/** It sends by itself. */
const raw = (method: string, path: string, run: (call: Call) => Promise<void>): Route => ({
  method,
  segments: path.split('/'),
  run,
});

const ROUTES: readonly Route[] = [
  answer('GET', 'overview', ({ services }) => services.overview()),
  answer('POST', 'executions/search', async ({ services, request }) => {
    const names = ['text', 'outcome', 'code', 'patientId', 'accessionNumber', 'next'] as const;
    const query = await texts<ExecutionQuery>(request, [...names, 'since', 'until']);
    return services.searchExecutions(query);
  }),
  answer('GET', 'executions/:id', (call) => readExecution(call.services.backend, executionId(call))),
  answer('POST', 'executions/:id/objects', async (call) => {
    const body = await readJsonBody(call.request);
    const query: ObjectsQuery = {
      ...pick(body, ['outcome', 'text']),
      ...(typeof body.code === 'string' ? { code: body.code } : {}),
      ...whole(body, 'from'),
      ...whole(body, 'limit'),
    };
    return readObjects(call.services.backend, executionId(call), query);
  }),
  answer('POST', 'executions/:id/retry', async (call) => {
    const code = textMember(await readJsonBody(call.request), 'code');
    return retryExecution(call.services.backend, executionId(call), code);
  }),
  answer('POST', 'executions/:id/cancel', (call) =>
    cancelExecution(call.services.backend, executionId(call)),
  ),
  answer('GET', 'executions/:id/history', (call) =>
    readHistory(call.services.backend, executionId(call), call.query.get('next') ?? undefined),
  ),
  raw('GET', 'executions/:id/report.json', (call) => download(call, 'report')),
  raw('GET', 'executions/:id/objects.ndjson', (call) => download(call, 'objects')),
  answer('POST', 'image-sets/search', async ({ services, request }) => {
    const names = ['patientId', 'accessionNumber', 'studyInstanceUID', 'seriesInstanceUID'] as const;
    const query = await texts<ImageSetQuery>(request, [...names, 'sopInstanceUID', 'next']);
    return searchImageSets(services.backend, query);
  }),
  answer('GET', 'image-sets/:id', ({ services, labels }) => getImageSet(services.backend, labels[0] ?? '')),
  answer('GET', 'image-sets/:id/versions', ({ services, labels }) =>
    listVersions(services.backend, labels[0] ?? ''),
  ),
  raw('GET', 'image-sets/:id/metadata', async ({ services, labels, query, response }) => {
    const version = query.get('version') ?? undefined;
    const bytes = await getMetadata(services.backend, labels[0] ?? '', version);
    send(response, 200, bytes, { 'content-type': 'application/json' });
  }),
  raw('GET', 'image-sets/:id/frames/:id', async ({ services, labels, response }) => {
    const { bytes, contentType } = await getFrame(services.backend, labels[0] ?? '', labels[1] ?? '');
    send(response, 200, bytes, { 'content-type': contentType });
  }),
  raw('GET', 'image-sets/:id/instances/:uid/:uid/:uid', async ({ services, labels, response }) => {
    const [imageSetId = '', ...uids] = labels;
    const bytes = await getInstance(services.backend, imageSetId, uids);
    send(response, 200, bytes, {
      'content-type': 'application/dicom',
      'content-disposition': `attachment; filename="${uids[2]}.dcm"`,
    });
  }),
  answer('POST', 'series/view', async ({ services, request }) =>
    readSeries(services.backend, await readJsonBody(request)),
  ),
  answer('POST', 'series/resolve', async ({ services, request }) =>
    resolveSeries(services.backend, await readJsonBody(request)),
  ),
  answer('GET', 'data-store', ({ services }) => readDataStore(services.backend, services.activity)),
  answer('POST', 'uploads', ({ services }) => beginUpload(services.backend)),
  answer('GET', 'uploads/:id', ({ services, labels }) => readUpload(services.backend, labels[0] ?? '')),
  answer('POST', 'uploads/:id/hold', ({ services, labels }) =>
    refreshUpload(services.backend, labels[0] ?? ''),
  ),
  answer('POST', 'uploads/:id/end', ({ services, labels }) => endUpload(services.backend, labels[0] ?? '')),
  answer('PUT', 'uploads/:id/file', ({ services, labels, request }) =>
    receiveFile(services.backend, labels[0] ?? '', request),
  ),
  answer('POST', 'uploads/:id/parts/begin', async (call) => {
    const body = await readJsonBody(call.request);
    return beginParts(call.services.backend, keyOf(call.labels[0] ?? '', requireText(body, 'path')));
  }),
  answer('POST', 'uploads/:id/parts/list', async (call) => {
    const parts = await listParts(call.services.backend, partsOf(call, await readJsonBody(call.request)));
    return { parts };
  }),
  answer('PUT', 'uploads/:id/part', ({ services, labels, request }) => {
    const partsId = String(request.headers['x-isocenter-parts'] ?? '');
    return receivePart(services.backend, { key: keyOf(labels[0] ?? '', pathOf(request)), partsId }, request);
  }),
  answer('POST', 'uploads/:id/parts/complete', async (call) => {
    const body = await readJsonBody(call.request);
    const { sizeBytes = 0 } = whole(body, 'sizeBytes');
    return completeParts(call.services.backend, partsOf(call, body), sizeBytes);
  }),
];

/** Runs the route of a path below `/api/`. Throws HttpProblem 404, 405 and what the route throws. */
export async function runRoute(
  services: Services,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const segments = url.pathname.split('/').slice(2).map(decodeSegment);
  const found = ROUTES.filter((route) => matches(route, segments));
  if (found.length === 0) throw new HttpProblem(404, 'not found');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = found.find((one) => one.method === method);
  if (route === undefined) throw new HttpProblem(405, `${request.method} is not for this path`);
  const labels = segments.filter((_, index) => route.segments[index]?.startsWith(':'));
  await route.run({ services, request, response, labels, query: url.searchParams });
}

function matches({ segments: wanted }: Route, given: readonly string[]): boolean {
  if (wanted.length !== given.length) return false;
  return wanted.every((part, index) => part.startsWith(':') || part === given[index]);
}

function decodeSegment(raw: string): string {
  try {
    return decodeURIComponent(raw);
  } catch {
    throw new HttpProblem(400, 'the path is not valid percent-encoding');
  }
}

function executionId({ labels }: Call): string {
  const [id = ''] = labels;
  if (!isExecutionId(id)) throw new HttpProblem(400, 'not an execution id');
  return id;
}

/** As it is: a path may begin or end with a space. */
function requireText(body: Readonly<Record<string, unknown>>, name: string): string {
  const text = body[name];
  if (typeof text !== 'string' || text === '' || text.length > 2_048)
    throw new HttpProblem(400, `${name}: expected a text of at most 2048 characters`);
  return text;
}

const partsOf = ({ labels }: Call, body: Readonly<Record<string, unknown>>) => ({
  key: keyOf(labels[0] ?? '', requireText(body, 'path')),
  partsId: requireText(body, 'partsId'),
});

function whole(body: Readonly<Record<string, unknown>>, name: string): Record<string, number> {
  const value = body[name];
  if (value === undefined) return {};
  if (Number.isSafeInteger(value) && Number(value) >= 0) return { [name]: Number(value) };
  throw new HttpProblem(400, `${name}: expected a whole number from 0 on`);
}

function pick(body: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = textMember(body, name);
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

async function texts<T>(request: IncomingMessage, names: readonly (keyof T & string)[]): Promise<T> {
  return pick(await readJsonBody(request), names) as T;
}

async function download(call: Call, what: 'report' | 'objects'): Promise<void> {
  const id = executionId(call);
  const lines = downloadOf(call.services.backend, id, what);
  const first = await lines.next();
  call.response.writeHead(200, {
    ...SECURITY_HEADERS,
    'content-type': what === 'report' ? 'application/json' : 'application/x-ndjson',
    'content-disposition': `attachment; filename="${id}.${what === 'report' ? 'report.json' : 'objects.ndjson'}"`,
  });
  if (!first.done) call.response.write(first.value);
  for await (const line of lines)
    if (!call.response.write(line))
      await new Promise<void>((resolve) => {
        call.response.once('drain', resolve);
        call.response.once('close', resolve);
      });
  call.response.end();
}
