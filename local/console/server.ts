/** The console's port: health for other processes, the pages, their JSON API, and live events. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorldFile } from '../world/world-file.ts';
import { type ActivityLog, makeActivityLog } from './activity.ts';
import { openBackend } from './backend.ts';
import { refusal } from './guard.ts';
import { HttpProblem, send, sendJson } from './http.ts';
import { type Live, makeLive } from './live.ts';
import { makeOverview } from './overview.ts';
import { runRoute, type Services } from './routes.ts';
import { makeExecutionSearch } from './search-executions.ts';
import { readStaticFiles, type StaticFile } from './static-files.ts';

export interface ConsoleOptions {
  readonly port: number;
  /** Undefined until everything answers. */
  readonly world: () => WorldFile | undefined;
  readonly activity?: ActivityLog;
  /** One line about something that went wrong inside; never holds patient values. */
  readonly log?: (line: string) => void;
}

interface Parts {
  readonly world: () => WorldFile | undefined;
  readonly files: () => Map<string, StaticFile>;
  /** Opened at the first request that needs it. Throws HttpProblem 503 while the world starts. */
  readonly services: () => Services & { readonly live: Live };
  readonly log: (line: string) => void;
}

/** Listens on 127.0.0.1. */
export async function startConsoleServer(
  options: ConsoleOptions,
): Promise<{ url: string; close(): Promise<void> }> {
  const { world, log = () => {}, activity = makeActivityLog() } = options;
  let opened: (Services & { live: Live }) | undefined;
  let files: Map<string, StaticFile> | undefined;
  const parts: Parts = {
    world,
    log,
    files: () => {
      files ??= readStaticFiles();
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
      opened?.backend.close();
    },
  };
}

function openServices(
  world: WorldFile | undefined,
  activity: ActivityLog,
  log: (line: string) => void,
): Services & { live: Live } {
  if (world === undefined) throw new HttpProblem(503, 'the world is starting');
  const backend = openBackend(world);
  const overview = makeOverview(backend);
  return {
    backend,
    activity,
    overview,
    searchExecutions: makeExecutionSearch(backend),
    live: makeLive(overview, log),
  };
}

async function answer(parts: Parts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  const { method = 'GET' } = request;
  const refused = refusal(method, request.headers, url.pathname);
  if (refused !== undefined) throw new HttpProblem(403, refused);
  if (url.pathname === '/health') {
    const isReady = parts.world() !== undefined;
    sendJson(response, { status: isReady ? 'ready' : 'starting', pid: process.pid }, isReady ? 200 : 503);
  } else if (url.pathname === '/api/live' && method === 'GET')
    parts.services().live.listen(request, response);
  else if (url.pathname.startsWith('/api/')) await runRoute(parts.services(), request, response, url);
  else sendFile(parts, method, url.pathname, response);
}

function sendFile(parts: Parts, method: string, path: string, response: ServerResponse): void {
  if (method !== 'GET' && method !== 'HEAD') throw new HttpProblem(405, `${method} is not for this path`);
  const file = parts.files().get(path);
  if (file === undefined) throw new HttpProblem(404, 'not found');
  send(response, 200, method === 'HEAD' ? '' : file.body, {
    'content-type': file.contentType,
    'cache-control': 'no-cache',
  });
}

/** Problems are told with their reason; what went wrong inside is told by its name only. */
function refuse(parts: Parts, response: ServerResponse, error: unknown): void {
  const isKnown = error instanceof HttpProblem;
  if (!isKnown) parts.log(`console: ${(error as Error).name}`);
  if (response.headersSent) response.destroy();
  else if (isKnown) sendJson(response, { message: error.message }, error.status);
  else sendJson(response, { message: `something went wrong inside: ${(error as Error).name}` }, 500);
}
