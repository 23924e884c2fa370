/** The console's port: health for other processes, the pages, their JSON API, and live events. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Backend } from '../../shared/console/backend.ts';
import { carryOutDecision, unfinishedDecisions } from '../../shared/console/decisions.ts';
import { makeHeldReader } from '../../shared/console/held.ts';
import {
  answerOf,
  type ConsoleAnswer,
  type ConsoleRequest,
  HttpProblem,
  jsonAnswer,
} from '../../shared/console/http.ts';
import { makeOverview } from '../../shared/console/overview.ts';
import { makeRefusalReader } from '../../shared/console/refusals.ts';
import { runRoute, type Services } from '../../shared/console/routes.ts';
import { makeExecutionSearch } from '../../shared/console/search-executions.ts';
import { securityHeaders } from '../../shared/console/security-headers.ts';
import { readStaticFiles, type StaticFile } from '../../shared/console/static-files.ts';
import { packageRoot } from '../world/package-root.ts';
import type { WorldFile } from '../world/world-file.ts';
import { type ActivityLog, makeActivityLog } from './activity.ts';
import { openBackend } from './backend.ts';
import { refusal } from './guard.ts';
import { type Live, makeLive } from './live.ts';
import { receiveBody } from './upload-bodies.ts';

export interface ConsoleOptions {
  readonly port: number;
  /** Undefined until everything answers. */
  readonly world: () => WorldFile | undefined;
  readonly activity?: ActivityLog;
  /** One line about something that went wrong inside; never holds patient values. */
  readonly log?: (line: string) => void;
}

interface Opened extends Services {
  readonly live: Live;
  close(): void;
}

interface Parts {
  readonly world: () => WorldFile | undefined;
  readonly files: () => Map<string, StaticFile>;
  /** Opened at the first request that needs it. Throws HttpProblem 503 while the world starts. */
  readonly services: () => Opened;
  readonly log: (line: string) => void;
}

/** Listens on 127.0.0.1. */
export async function startConsoleServer(
  options: ConsoleOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { world, log = () => {}, activity = makeActivityLog() } = options;
  let opened: Opened | undefined;
  let files: Map<string, StaticFile> | undefined;
  const parts: Parts = {
    world,
    log,
    files: () => {
      files ??= readStaticFiles(join(packageRoot(), 'dist', 'console'));
      return files;
    },
    services: () => {
      opened ??= openServices(world(), activity, log);
      return opened;
    },
  };
  const server = createServer((request, response) => {
    answer(parts, request, response).catch((error: unknown) => refuse(parts, response, error));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      opened?.live.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      opened?.close();
    },
  };
}

function openServices(
  world: WorldFile | undefined,
  activity: ActivityLog,
  log: (line: string) => void,
): Opened {
  if (world === undefined) throw new HttpProblem(503, 'the world is starting');
  const { backend, close } = openBackend(world, activity, log);
  const overview = makeOverview(backend);
  goOn(backend).catch((error: Error) => log(`console: ${error.name}`));
  return {
    backend,
    overview,
    searchExecutions: makeExecutionSearch(backend),
    held: makeHeldReader(backend),
    refusals: makeRefusalReader(backend),
    live: makeLive(overview, log),
    close,
  };
}

/** What somebody decided before this process began, and an earlier one did not end. */
async function goOn(backend: Backend): Promise<void> {
  for await (const decisionId of unfinishedDecisions(backend)) await carryOutDecision(backend, decisionId);
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { method = 'GET' } = request;
  const refused = refusal(method, request.headers, url.pathname);
  if (refused !== undefined) throw new HttpProblem(403, refused);
  if (url.pathname === '/health') await send(response, healthOf(parts));
  else if (url.pathname === '/api/live' && method === 'GET') parts.services().live.listen(request, response);
  else if (!url.pathname.startsWith('/api/')) await send(response, fileAnswer(parts, method, url.pathname));
  else if (await receiveBody(parts.services().backend, request, url.pathname))
    await send(response, jsonAnswer({}));
  else await send(response, await runRoute(parts.services(), asked(request, url)));
}

const asked = (request: IncomingMessage, url: URL): ConsoleRequest => ({
  method: request.method ?? 'GET',
  path: url.pathname,
  query: url.searchParams,
  headers: Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, value?.toString()]),
  ),
  body: request,
  actor: userInfo().username,
});

function healthOf({ world }: Parts): ConsoleAnswer {
  const isReady = world() !== undefined;
  return jsonAnswer({ status: isReady ? 'ready' : 'starting', pid: process.pid }, isReady ? 200 : 503);
}

function fileAnswer(parts: Parts, method: string, path: string): ConsoleAnswer {
  if (method !== 'GET' && method !== 'HEAD') throw new HttpProblem(405, `${method} is not for this path`);
  const file = parts.files().get(path);
  if (file === undefined) throw new HttpProblem(404, 'not found');
  return {
    status: 200,
    headers: { 'content-type': file.contentType, 'cache-control': 'no-cache' },
    body: method === 'HEAD' ? '' : file.body,
  };
}

async function send(response: ServerResponse, { status, headers, body }: ConsoleAnswer): Promise<void> {
  response.writeHead(status, { ...securityHeaders(), ...headers });
  if (typeof body === 'string' || body instanceof Uint8Array) response.end(body);
  else await pipeline(Readable.from(body), response);
}

/** What went wrong inside is told by its name only. */
function refuse(parts: Parts, response: ServerResponse, error: unknown): void {
  if (!(error instanceof HttpProblem)) parts.log(`console: ${(error as Error).name}`);
  if (response.headersSent) response.destroy();
  else void send(response, answerOf(error));
}
