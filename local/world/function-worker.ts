/**
 * One execution environment of a function, in a worker thread: loads the handler once, then runs one invocation at a
 * time, as Lambda does. Payloads cross as JSON text, so that nothing is shared with the caller.
 */
import { subscribe } from 'node:diagnostics_channel';
import type { ClientRequest } from 'node:http';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { ErrorDocument } from './function-error.ts';
import type { HttpCall } from './service-calls.ts';

export interface WorkerSetup {
  /** Absolute path of the module. */
  readonly modulePath: string;
  readonly exportName: string;
  readonly functionName: string;
  readonly functionArn: string;
  readonly memoryMB: number;
}
export interface InvocationMessage {
  readonly requestId: string;
  readonly payload: string;
  /** Milliseconds since 1970. */
  readonly deadline: number;
}
export type WorkerAnswer =
  | { readonly ready: true }
  | {
      readonly requestId: string;
      readonly result: string;
      readonly usedBytes: number;
      readonly calls: readonly HttpCall[];
    }
  | {
      readonly requestId?: string;
      readonly error: ErrorDocument;
      readonly usedBytes: number;
      readonly calls: readonly HttpCall[];
    };

type Handler = (event: unknown, context: unknown) => unknown;
const setup = workerData as WorkerSetup;
const port = parentPort;
if (!port) throw new Error('function-worker runs in a worker thread only');

function documentOf(error: unknown): ErrorDocument {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return {
    errorType: error.name,
    errorMessage: error.message,
    trace: (error.stack ?? '').split('\n'),
  };
}

/** Requests that left since the last answer. */
let calls: HttpCall[] = [];
subscribe('http.client.request.start', (message) => {
  const { request } = message as { request: ClientRequest };
  const text = (name: string) => request.getHeader(name)?.toString();
  const target = text('x-amz-target');
  const copySource = text('x-amz-copy-source');
  calls.push({
    host: text('host') ?? request.host,
    method: request.method,
    path: request.path,
    ...(target === undefined ? {} : { target }),
    ...(copySource === undefined ? {} : { copySource }),
  });
});

function takeCalls(): HttpCall[] {
  const taken = calls;
  calls = [];
  return taken;
}

function usedBytes(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

function contextOf({ requestId, deadline }: InvocationMessage) {
  return {
    awsRequestId: requestId,
    functionName: setup.functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: setup.functionArn,
    memoryLimitInMB: String(setup.memoryMB),
    logGroupName: `/aws/lambda/${setup.functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

async function load(): Promise<Handler> {
  const module = (await import(pathToFileURL(setup.modulePath).href)) as Record<string, unknown>;
  const handler = module[setup.exportName];
  if (typeof handler === 'function') return handler as Handler;
  const error = new Error(`${setup.exportName} is not a function of ${setup.modulePath}`);
  error.name = 'Runtime.HandlerNotFound';
  throw error;
}

async function answer(handler: Handler, message: InvocationMessage): Promise<WorkerAnswer> {
  try {
    const result = await handler(JSON.parse(message.payload), contextOf(message));
    return {
      requestId: message.requestId,
      result: JSON.stringify(result) ?? 'null',
      usedBytes: usedBytes(),
      calls: takeCalls(),
    };
  } catch (error) {
    return {
      requestId: message.requestId,
      error: documentOf(error),
      usedBytes: usedBytes(),
      calls: takeCalls(),
    };
  }
}

try {
  const handler = await load();
  port.on('message', async (message: InvocationMessage) => port.postMessage(await answer(handler, message)));
  port.postMessage({ ready: true } satisfies WorkerAnswer);
} catch (error) {
  port.postMessage({
    error: documentOf(error),
    usedBytes: usedBytes(),
    calls: takeCalls(),
  } satisfies WorkerAnswer);
}
