/**
 * The HealthImaging-compatible server: `startHealthImaging` opens the store, resumes what a killed process left,
 * and answers the API over HTTP on loopback. Any Host is accepted (clients prepend `runtime-`): paths decide.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUOTAS, type Quotas } from '../../shared/healthimaging/quotas.ts';
import { type Clock, systemClock } from '../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { createAccess } from './access.ts';
import { createBackground } from './background.ts';
import { ServiceError } from './errors.ts';
import { readBody, send, toErrorReply } from './http.ts';
import { createImporter } from './import/importer.ts';
import { parseInput } from './input.ts';
import { createLocks } from './locks.ts';
import { OPERATIONS } from './operations.ts';
import { type Reply, toReply } from './output.ts';
import { resumeLifeCycles } from './resume.ts';
import { routeOf } from './routes.ts';
import type { Behaviour, Delays, Service } from './service.ts';
import { openStore } from './store/store.ts';
import { collectGarbage } from './writes/finish-delete.ts';

export interface HealthImagingOptions {
  /** Where everything is kept; without it a temporary folder, removed on close. */
  readonly dataDir?: string;
  /** 0 (the default) takes a free port. */
  readonly port?: number;
  readonly host?: string;
  readonly behaviour?: Behaviour;
  /** Where import jobs read and write; default `AWS_ENDPOINT_URL_S3`, else Amazon S3. */
  readonly s3Endpoint?: string;
  readonly region?: string;
  readonly accountId?: string;
  readonly onEvent?: (event: EventBridgeEvent) => void;
  readonly delays?: Delays;
  readonly quotas?: Partial<Quotas>;
  /** Whether every file reaches the disk before it counts (a power cut); a killed process never loses any. */
  readonly fsync?: boolean;
  readonly clock?: Clock;
  /** One line about something that went wrong inside; never holds patient values. */
  readonly log?: (line: string) => void;
}

export interface HealthImaging {
  /** `http://127.0.0.1:PORT`; clients need `disableHostPrefix: true`. */
  readonly endpoint: string;
  close(): Promise<void>;
}

/** Starts the server. Throws when the port is taken or the data folder is in use. */
export async function startHealthImaging(options: HealthImagingOptions = {}): Promise<HealthImaging> {
  const temporary = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'isocenter-healthimaging-')));
  const { service, importer } = await openService(dataDir, options);
  await collectGarbage(service.store);
  const log = options.log ?? ((line) => console.error(line));
  const server = createServer((request, response) => {
    handle(service, request, response, log).catch((error) => log(`healthimaging: ${nameOf(error)}`));
  });
  await listen(server, options.port ?? 0, options.host ?? '127.0.0.1');
  const { port } = server.address() as AddressInfo;
  await resumeLifeCycles(service);

  return {
    endpoint: `http://${options.host ?? '127.0.0.1'}:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await Promise.all([service.background.close(), importer.close()]);
      await service.store.close();
      if (temporary) await rm(dataDir, { recursive: true, force: true });
    },
  };
}

async function openService(dataDir: string, options: HealthImagingOptions) {
  const behaviour = options.behaviour ?? 'current';
  const clock = options.clock ?? systemClock;
  const log = options.log ?? ((line: string) => console.error(line));
  const region = options.region ?? process.env.AWS_REGION ?? 'us-east-1';
  const store = await openStore(dataDir, { fsync: options.fsync ?? true });
  const importer = createImporter({
    s3Endpoint: options.s3Endpoint ?? process.env.AWS_ENDPOINT_URL_S3,
    region,
  });
  const service: Service = {
    store,
    clock,
    behaviour,
    region,
    accountId: options.accountId ?? '000000000000',
    delays: options.delays ?? {},
    quotas: { ...QUOTAS[behaviour], ...options.quotas },
    access: createAccess(store, clock),
    background: createBackground((name, error) => log(`healthimaging: ${name}: ${nameOf(error)}`)),
    locks: createLocks(),
    emit: options.onEvent ?? (() => {}),
    startJob: (job) => importer.start(service, job),
  };
  return { service, importer };
}

async function handle(
  service: Service,
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  const requestId = randomUUID();
  try {
    send(response, await answer(service, request), requestId);
  } catch (error) {
    if (!(error instanceof ServiceError)) log(`healthimaging: request ${requestId}: ${nameOf(error)}`);
    // What is left of an oversized body is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    send(response, toErrorReply(error), requestId);
  }
}

async function answer(service: Service, request: IncomingMessage): Promise<Reply> {
  const [rawPath = '/', rawQuery = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const { operation, labels } = routeOf(request.method ?? 'GET', rawPath);
  const run = OPERATIONS[operation];
  if (!run) throw new ServiceError('UnknownOperationException', `${operation} is not implemented`);
  const body = await readBody(request);
  const input = parseInput(operation, { labels, query: new URLSearchParams(rawQuery), body });
  return toReply(operation, (await run(service, input as never)) as Record<string, unknown>);
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}

/** Errors as log lines: name and place, never the message, which could repeat a value. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name} ${error.stack?.split('\n')[1]?.trim() ?? ''}`;
}
