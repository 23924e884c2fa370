/**
 * A Step Functions-compatible runtime and endpoint (AWS JSON 1.0, the protocol of `@aws-sdk/client-sfn`), durable below
 * a folder: executions survive the end of the process and go on at the next start.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../../shared/ports/clock.ts';
import { ServiceError } from './errors.ts';
import { type Counters, Meter, noCounters } from './journal/counters.ts';
import { Journal } from './journal/journal.ts';
import { KEYS } from './journal/records.ts';
import { LIMITS } from './limits.ts';
import { isOperation, OPERATIONS, type OperationName } from './operations/operations.ts';
import { parseRequest, type Request } from './operations/parse.ts';
import type { Change } from './runtime/changes.ts';
import { Engine } from './runtime/engine.ts';
import type { StateMachine } from './runtime/machines.ts';
import type { TaskServices } from './services.ts';
import { clockTimers, systemTimers } from './timers.ts';

export type { Counters } from './journal/counters.ts';
export type { Change } from './runtime/changes.ts';
export type { StateMachine } from './runtime/machines.ts';
export type { ListedObject, PutEventsEntry, TaskServices } from './services.ts';

export interface StepFunctionsOptions {
  /** The runtime keeps its data in `stepfunctions/` below. */
  readonly dataDir: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  readonly region: string;
  readonly accountId: string;
  readonly stateMachines: readonly StateMachine[];
  readonly services: TaskServices;
  readonly clock?: Clock;
  /** One line when the disk refuses to be written. Default: stderr. */
  readonly log?: (line: string) => void;
}

export interface StepFunctions {
  readonly url: string;
  readonly port: number;
  /** Stops without ending executions: the next start takes them up again. */
  close(): Promise<void>;
  counters(): Counters;
  /** Calls back at every change of an execution, a state or a Map Run. Returns the way to stop listening. */
  onChange(listener: (change: Change) => void): () => void;
  /** Any operation in process, with the API's members: `call('StartExecution', { stateMachineArn, input })`. */
  call<T = Record<string, unknown>>(operation: OperationName, request: Request): Promise<T>;
}

/** How often executions of long ago are looked for. */
const SWEEP_MS = 3_600_000;

/** Opens the data, loads the machines (DefinitionError), resumes what ran, and listens. */
export async function startStepFunctions(options: StepFunctionsOptions): Promise<StepFunctions> {
  const journal = await Journal.open(join(options.dataDir, 'stepfunctions'));
  try {
    return await startOn(journal, options);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

async function startOn(journal: Journal, options: StepFunctionsOptions): Promise<StepFunctions> {
  const meter = new Meter((await journal.get<Counters>(KEYS.counters)) ?? noCounters());
  journal.beforeFlush = () => {
    const changed = meter.takeChanged();
    if (changed) journal.put(KEYS.counters, changed);
  };
  const engine = new Engine({
    journal,
    meter,
    services: options.services,
    timers: options.clock ? clockTimers(options.clock) : systemTimers,
    region: options.region,
    accountId: options.accountId,
  });
  for (const machine of options.stateMachines) engine.machines.add(machine, engine.timers.now());
  const log = options.log ?? ((line: string) => void process.stderr.write(`${line}\n`));
  journal.onFailure = (error) => {
    engine.close();
    log(`${error.message} (${(error.cause as Error).message}): executions stand still until the next start`);
  };
  const host = options.host ?? '127.0.0.1';
  const server = createServer(
    (request, response) => void resumed.then(() => answer(engine, request, response)),
  );
  const listening = listen(server, options.port ?? 0, host);
  // Asked before what ran is known again, the endpoint would start it twice.
  const resumed = listening.then(() => engine.resume());
  await resumed;
  const sweep = (): void => void engine.sweep().catch(() => {});
  const sweeping = setInterval(sweep, SWEEP_MS).unref();
  sweep();
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    close: async () => {
      clearInterval(sweeping);
      engine.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      await journal.close();
    },
    counters: () => meter.read(),
    onChange: (listener) => engine.changes.listen(listener),
    call: async <T>(operation: OperationName, request: Request) =>
      (await OPERATIONS[operation](engine, request)) as T,
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

async function answer(engine: Engine, request: IncomingMessage, response: ServerResponse): Promise<void> {
  try {
    const operation = operationOf(request);
    const body = parseRequest(await readBody(request));
    send(response, 200, await OPERATIONS[operation](engine, body));
  } catch (error) {
    sendError(response, error);
  }
}

function operationOf(request: IncomingMessage): OperationName {
  const target = String(request.headers['x-amz-target'] ?? '');
  const [service, name = ''] = target.split('.');
  if (request.method !== 'POST' || service !== 'AWSStepFunctions' || !isOperation(name)) {
    throw new ServiceError('UnknownOperationException', `This endpoint does not have the operation ${name}`);
  }
  return name;
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LIMITS.requestBytes.max) {
      throw new ServiceError('ValidationException', `The request is over ${LIMITS.requestBytes.max} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function sendError(response: ServerResponse, error: unknown): void {
  if (error instanceof ServiceError) {
    send(response, 400, { __type: error.name, message: error.message }, error.name);
    return;
  }
  send(response, 500, { __type: 'InternalFailure', message: (error as Error).message }, 'InternalFailure');
}

function send(response: ServerResponse, status: number, body: object, errorType?: string): void {
  if (response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    'content-type': 'application/x-amz-json-1.0',
    'content-length': Buffer.byteLength(text),
    ...(errorType !== undefined && { 'x-amzn-errortype': errorType }),
    ...(status !== 200 && !response.req.complete && { connection: 'close' }),
  });
  response.end(text);
}
