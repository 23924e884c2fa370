/**
 * The HealthImaging-compatible server: `startHealthImaging` opens the store, resumes what a killed process left,
 * and answers the API over HTTP on loopback. Any Host is accepted (clients prepend `runtime-`): paths decide.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUOTAS, type Quotas } from '../../shared/healthimaging/quotas.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { type Clock, systemClock } from '../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { createFaults, type FaultPlan, parseFaultPlan, readFaultPlan } from './access/faults.ts';
import { createAuthenticator, readIdentities } from './access/identities.ts';
import { createAccess } from './access/last-access.ts';
import { createMetrics } from './access/metrics.ts';
import { createThrottler, type Throttle } from './access/throttle.ts';
import { createBackground } from './background.ts';
import { type HandlerParts, handle, placeOf } from './handler.ts';
import { refuseConnection } from './http.ts';
import { createImporter } from './import/importer.ts';
import { createLocks } from './locks.ts';
import { clearEndedJobs, resumeLifeCycles } from './resume.ts';
import { seedFrom } from './seed.ts';
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
  /** A folder of P10 files that a data store named `seed` starts with; the start waits for their import. */
  readonly seed?: string;
  readonly onEvent?: (event: EventBridgeEvent) => void;
  readonly delays?: Delays;
  readonly quotas?: Partial<Quotas>;
  /** 2024 only: the most instances of a series in one image set (the service splits for throughput); default: all. */
  readonly splitInstances?: number;
  /** Request rates: `off` (the default), the published ones (`aws`), or your own by operation. */
  readonly throttle?: Throttle;
  /** Faults on demand: a plan, or the path of a JSON file with one. */
  readonly faults?: FaultPlan | string;
  /** Turns signature verification on; needed to bind beyond loopback. */
  readonly credentialsFile?: string;
  /** Takes one CloudTrail-shaped JSON line a call. */
  readonly audit?: (line: string) => void;
  /** Whether every file reaches the disk before it counts (a power cut); a killed process never loses any. */
  readonly fsync?: boolean;
  /** Time and delays; default: the system's. */
  readonly clock?: Clock;
  /** One line about something that went wrong inside; never holds patient values. */
  readonly log?: (line: string) => void;
}

export interface HealthImaging {
  /** `http://127.0.0.1:PORT`; clients need `disableHostPrefix: true`. */
  readonly endpoint: string;
  /** The data store that was filled from the seed folder. */
  readonly seedDatastoreId?: string;
  close(): Promise<void>;
}

/** 200 tag keys of 128 characters, all of them percent-encoded, fit. */
const MAX_HEADER_BYTES = 128 * 1024;
/** A client that does not finish its request is let go. */
const REQUEST_TIMEOUT_MS = 60_000;

/** Starts the server. Throws when the port is taken or the data folder is in use. */
export async function startHealthImaging(options: HealthImagingOptions = {}): Promise<HealthImaging> {
  const host = options.host ?? '127.0.0.1';
  if (!isLoopback(host) && !options.credentialsFile) {
    throw new Error(`host ${host}: beyond loopback the server needs a credentials file`);
  }
  const { splitInstances } = options;
  if (splitInstances !== undefined && !(Number.isInteger(splitInstances) && splitInstances > 0)) {
    throw new Error(`splitInstances: expected a whole number from 1, got ${splitInstances}`);
  }
  const temporary = options.dataDir === undefined;
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'isocenter-healthimaging-')));
  const { service, importer } = await openService(dataDir, options);
  let server: Server | undefined;
  const close = async () => {
    server?.closeAllConnections();
    await new Promise((resolve) => (server?.listening ? server.close(resolve) : resolve(undefined)));
    await Promise.all([service.background.close(), service.codecs.close()]);
    importer.close();
    await service.store.close();
    if (temporary) await rm(dataDir, { recursive: true, force: true });
  };
  try {
    server = createHttpServer(handlerParts(service, options));
    await clearEndedJobs(service, importer);
    await collectGarbage(service.store);
    await listen(server, options.port ?? 0, host);
    await resumeLifeCycles(service);
    const { port } = server.address() as AddressInfo;
    const endpoint = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
    if (options.seed === undefined) return { endpoint, close };
    return { endpoint, close, seedDatastoreId: await seedFrom(service, importer, options.seed) };
  } catch (error) {
    await close();
    throw error;
  }
}

function createHttpServer(parts: HandlerParts): Server {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    handle(parts, request, response).catch((error) => parts.log(placeOf(error)));
  };
  const server = createServer({ maxHeaderSize: MAX_HEADER_BYTES }, answer);
  // An expectation that nobody knows is no reason for an answer of another shape.
  server.on('checkExpectation', answer);
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.on('clientError', (error, socket) => refuseConnection(error, socket));
  return server;
}

async function openService(dataDir: string, options: HealthImagingOptions) {
  const behaviour = options.behaviour ?? 'current';
  const clock = options.clock ?? systemClock;
  const log = logOf(options);
  const region = options.region ?? process.env.AWS_REGION ?? 'us-east-1';
  const store = await openStore(dataDir, { fsync: options.fsync ?? true });
  const background = createBackground((name, error) => log(`${name}: ${placeOf(error)}`), clock);
  const codecs = createCodecPool();
  const s3Endpoint = options.s3Endpoint ?? process.env.AWS_ENDPOINT_URL_S3;
  const importer = createImporter({ s3Endpoint, region, codecs });
  const service: Service = {
    store,
    clock,
    behaviour,
    region,
    accountId: options.accountId ?? '000000000000',
    delays: options.delays ?? {},
    quotas: { ...QUOTAS[behaviour], ...options.quotas },
    splitInstances: options.splitInstances,
    access: createAccess(store, clock),
    background,
    stopping: background.stopping,
    locks: createLocks(),
    codecs,
    emit: options.onEvent ?? (() => {}),
    startJob: (job) => importer.start(service, job),
  };
  return { service, importer };
}

const logOf =
  (options: HealthImagingOptions) =>
  (line: string): void =>
    (options.log ?? console.error)(`healthimaging: ${line}`);

/** Nothing leaves the machine from here: 127.0.0.0/8, ::1 and their name. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function handlerParts(service: Service, options: HealthImagingOptions): HandlerParts {
  const identities = options.credentialsFile ? readIdentities(options.credentialsFile) : undefined;
  return {
    service,
    authenticator: createAuthenticator(identities, service, service.store, () => service.clock.now()),
    throttler: createThrottler(options.throttle ?? 'off', service.behaviour, service.clock),
    faults: createFaults(planOf(options.faults)),
    metrics: createMetrics(),
    audit: options.audit,
    log: logOf(options),
  };
}

function planOf(faults: HealthImagingOptions['faults']): FaultPlan {
  if (faults === undefined) return { faults: [] };
  return typeof faults === 'string' ? readFaultPlan(faults) : parseFaultPlan(faults, 'faults');
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
}
