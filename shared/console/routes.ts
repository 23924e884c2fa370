/** The console's JSON API as one table. What may identify a patient is only ever in a body. */
import type {
  ExecutionPage,
  ExecutionQuery,
  HeldPage,
  ImageSetQuery,
  ObjectsQuery,
  Overview,
  RefusalPage,
  RefusalQuery,
} from './api.ts';
import { type Backend, type Download, isExecutionId } from './backend.ts';
import { readDataStore } from './data-store.ts';
import { readDecision } from './decisions.ts';
import { cancelExecution, downloadOf, readExecution, readHistory, retryExecution } from './execution.ts';
import { type HeldQuery, readHeldConflict, readHeldPatients } from './held.ts';
import { instanceOf } from './held-bodies.ts';
import {
  bytesAnswer,
  type ConsoleAnswer,
  type ConsoleRequest,
  HttpProblem,
  jsonAnswer,
  readJsonBody,
  textMember,
} from './http.ts';
import {
  getFrame,
  getImageSet,
  getInstance,
  getMetadata,
  listVersions,
  searchImageSets,
} from './image-sets.ts';
import { readObjects } from './objects.ts';
import { readRetryable } from './put-backs.ts';
import { requireReport } from './reports.ts';
import { askForDecision, readSeries, seriesOf } from './resolutions.ts';
import { abortParts, beginParts, completeParts, listParts, placePart } from './upload-parts.ts';
import { beginUpload, endUpload, keyOf, readUpload, refreshUpload } from './uploads.ts';

export interface Services {
  readonly backend: Backend;
  readonly overview: () => Promise<Overview>;
  readonly searchExecutions: (query: ExecutionQuery) => Promise<ExecutionPage>;
  readonly held: (query: HeldQuery) => Promise<HeldPage>;
  readonly refusals: (query: RefusalQuery) => Promise<RefusalPage>;
}

interface Call {
  readonly services: Services;
  readonly backend: Backend;
  readonly request: ConsoleRequest;
  /** The path's labels, decoded, in order. */
  readonly labels: readonly string[];
  /** The first of them. */
  readonly label: string;
}

interface Route {
  readonly method: string;
  readonly segments: readonly string[];
  readonly run: (call: Call) => Promise<ConsoleAnswer>;
}

/** It makes the answer by itself. */
const raw = (method: string, path: string, run: (call: Call) => Promise<ConsoleAnswer>): Route => ({
  method,
  segments: path.split('/'),
  run,
});
/** What it resolves to is answered as JSON. */
const answer = (method: string, path: string, run: (call: Call) => Promise<unknown>): Route =>
  raw(method, path, async (call) => jsonAnswer((await run(call)) ?? {}));

const ROUTES: readonly Route[] = [
  answer('GET', 'session', ({ backend }) => backend.session()),
  answer('GET', 'overview', ({ services }) => services.overview()),
  answer('POST', 'executions/search', async ({ services, request }) => {
    const names = ['text', 'outcome', 'code', 'patientId', 'accessionNumber', 'next'] as const;
    const query = await texts<ExecutionQuery>(request, [...names, 'since', 'until']);
    return services.searchExecutions(query);
  }),
  answer('POST', 'refusals', async ({ services, request }) =>
    services.refusals(await texts<RefusalQuery>(request, ['since', 'until', 'next'])),
  ),
  answer('GET', 'executions/:id', (call) => readExecution(call.backend, executionId(call))),
  answer('POST', 'executions/:id/objects', async (call) => {
    const body = await readJsonBody(call.request);
    const query: ObjectsQuery = {
      ...pick(body, ['outcome', 'text']),
      ...(typeof body.code === 'string' ? { code: body.code } : {}),
      ...whole(body, 'from'),
      ...whole(body, 'limit'),
    };
    return readObjects(call.backend, executionId(call), query);
  }),
  answer('POST', 'executions/:id/retry', async (call) => {
    const code = textMember(await readJsonBody(call.request), 'code');
    return retryExecution(call.backend, executionId(call), code);
  }),
  answer('GET', 'executions/:id/retryable', async (call) =>
    readRetryable(call.backend, await requireReport(call.backend, executionId(call))),
  ),
  answer('POST', 'executions/:id/cancel', (call) => cancelExecution(call.backend, executionId(call))),
  answer('GET', 'executions/:id/history', (call) =>
    readHistory(call.backend, executionId(call), call.request.query.get('next') ?? undefined),
  ),
  raw('GET', 'executions/:id/report.json', (call) => download(call, 'report')),
  raw('GET', 'executions/:id/objects.ndjson', (call) => download(call, 'objects')),
  answer('POST', 'image-sets/search', async ({ backend, request }) => {
    const names = ['patientId', 'accessionNumber', 'studyInstanceUID', 'seriesInstanceUID'] as const;
    return searchImageSets(
      backend,
      await texts<ImageSetQuery>(request, [...names, 'sopInstanceUID', 'next']),
    );
  }),
  answer('GET', 'image-sets/:id', ({ backend, label }) => getImageSet(backend, label)),
  answer('GET', 'image-sets/:id/versions', ({ backend, label }) => listVersions(backend, label)),
  raw('GET', 'image-sets/:id/metadata', async ({ backend, label, request }) => {
    const version = request.query.get('version') ?? undefined;
    return bytesAnswer(request, await getMetadata(backend, label, version), 'application/json');
  }),
  raw(
    'GET',
    'image-sets/:id/frames/:id',
    async ({ backend, labels: [imageSet = '', frame = ''], request }) => {
      const { bytes, contentType } = await getFrame(backend, imageSet, frame);
      return bytesAnswer(request, bytes, contentType);
    },
  ),
  raw('GET', 'image-sets/:id/instances/:uid/:uid/:uid', async ({ backend, labels, request }) => {
    const [imageSetId = '', ...uids] = labels;
    const answered = bytesAnswer(request, await getInstance(backend, imageSetId, uids), 'application/dicom');
    return { ...answered, headers: { ...answered.headers, ...attachment(`${uids[2]}.dcm`) } };
  }),
  answer('POST', 'downloads', async ({ backend, request }) => {
    return { url: await backend.places.download(downloadWanted(await readJsonBody(request))) };
  }),
  answer('GET', 'held', ({ services, request: { query } }) => {
    const id = query.get('execution') ?? undefined;
    const next = query.get('next') ?? undefined;
    if (id !== undefined && !isExecutionId(id)) throw new HttpProblem(400, 'not an execution id');
    return services.held({
      ...(id === undefined ? {} : { executionId: id }),
      ...(next === undefined ? {} : { next }),
    });
  }),
  answer('POST', 'held/patients', async ({ backend, request }) => {
    const body = await readJsonBody(request);
    return readHeldPatients(backend, seriesOf(body), body.withValues === true);
  }),
  answer('POST', 'held/conflict', async ({ backend, request }) => {
    const body = await readJsonBody(request);
    return readHeldConflict(backend, seriesOf(body), instanceOf(body), body.withValues === true);
  }),
  answer('POST', 'series/view', async ({ backend, request }) =>
    readSeries(backend, await readJsonBody(request)),
  ),
  raw('POST', 'series/resolve', async ({ backend, request }) =>
    jsonAnswer(await askForDecision(backend, await readJsonBody(request), request.actor), 202),
  ),
  answer('GET', 'decisions/:id', ({ backend, label }) => readDecision(backend, label)),
  answer('GET', 'data-store', ({ backend }) => readDataStore(backend)),
  answer('POST', 'uploads', ({ backend }) => beginUpload(backend)),
  answer('GET', 'uploads/:id', ({ backend, label }) => readUpload(backend, label)),
  answer('POST', 'uploads/:id/hold', ({ backend, label }) => refreshUpload(backend, label)),
  answer('POST', 'uploads/:id/end', ({ backend, label }) => endUpload(backend, label)),
  answer('POST', 'uploads/:id/place', async ({ backend, label, request }) =>
    backend.places.file(keyOf(label, requireText(await readJsonBody(request), 'path'))),
  ),
  answer('POST', 'uploads/:id/parts/begin', async ({ backend, label, request }) =>
    beginParts(backend, keyOf(label, requireText(await readJsonBody(request), 'path'))),
  ),
  answer('POST', 'uploads/:id/parts/list', async (call) => {
    const parts = await listParts(call.backend, partsOf(call, await readJsonBody(call.request)));
    return { parts };
  }),
  answer('POST', 'uploads/:id/parts/place', async (call) => {
    const body = await readJsonBody(call.request);
    const { number = 0 } = whole(body, 'number');
    return placePart(call.backend, partsOf(call, body), { number, sha256: requireText(body, 'sha256') });
  }),
  answer('POST', 'uploads/:id/parts/abort', ({ backend, label }) => abortParts(backend, label)),
  answer('POST', 'uploads/:id/parts/complete', async (call) => {
    const body = await readJsonBody(call.request);
    const { sizeBytes = 0 } = whole(body, 'sizeBytes');
    return completeParts(call.backend, partsOf(call, body), sizeBytes);
  }),
];

/** Runs the route of a path below `/api/`. Throws HttpProblem 404, 405 and what the route throws. */
export async function runRoute(services: Services, request: ConsoleRequest): Promise<ConsoleAnswer> {
  const segments = request.path.split('/').slice(2).map(decodeSegment);
  const found = ROUTES.filter((route) => matches(route, segments));
  if (found.length === 0) throw new HttpProblem(404, 'not found');
  const method = request.method === 'HEAD' ? 'GET' : request.method;
  const route = found.find((one) => one.method === method);
  if (route === undefined) throw new HttpProblem(405, `${request.method} is not for this path`);
  const labels = segments.filter((_, index) => route.segments[index]?.startsWith(':'));
  return route.run({ services, backend: services.backend, request, labels, label: labels[0] ?? '' });
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

const partsOf = ({ label }: Call, body: Readonly<Record<string, unknown>>) => ({
  key: keyOf(label, requireText(body, 'path')),
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

async function texts<T>(request: ConsoleRequest, names: readonly (keyof T & string)[]): Promise<T> {
  return pick(await readJsonBody(request), names) as T;
}

const attachment = (name: string) => ({ 'content-disposition': `attachment; filename="${name}"` });

async function download(call: Call, what: 'report' | 'objects'): Promise<ConsoleAnswer> {
  const id = executionId(call);
  const body = await downloadOf(call.backend, id, what);
  return what === 'report'
    ? {
        status: 200,
        headers: { 'content-type': 'application/json', ...attachment(`${id}.report.json`) },
        body,
      }
    : {
        status: 200,
        headers: { 'content-type': 'application/x-ndjson', ...attachment(`${id}.objects.ndjson`) },
        body,
      };
}

function downloadWanted(body: Readonly<Record<string, unknown>>): Download {
  const { what, executionId: id, imageSetId, uids } = body;
  if ((what === 'report' || what === 'objects') && typeof id === 'string' && isExecutionId(id))
    return { what, executionId: id };
  if (what === 'instance' && typeof imageSetId === 'string' && isThreeTexts(uids))
    return { what, imageSetId, uids };
  throw new HttpProblem(400, 'expected report or objects of an execution, or an instance of an image set');
}

const isThreeTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length === 3 && value.every((one) => typeof one === 'string');
