/**
 * The endpoint where functions find the services that have no server of their own here: EventBridge (PutEvents), Lambda
 * (Invoke). It is every other service's endpoint too, so that no call of a function ever leaves this machine: those are
 * refused.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EventBuses, PutEventsEntry } from './event-bus.ts';
import type { FunctionHost } from './function-host.ts';
import { answerInvocation, invokedFunction } from './invocations.ts';

/** PutEvents takes at most so many entries (API Reference, PutEvents). */
const MAX_ENTRIES = 10;
/** Bytes of a request body that are read. PutEvents allows 1 MB, Invoke 6 MB. */
const MAX_BODY_BYTES = 7 * 1024 * 1024;

/** What answers; there once the world has started. */
export interface Services {
  readonly buses: EventBuses;
  readonly host: FunctionHost;
  readonly log: (line: string) => void;
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error('the request body is too large');
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

type Answer = readonly [status: number, body: unknown, headers?: Readonly<Record<string, string>>];

function send(response: ServerResponse, [status, body, headers = {}]: Answer): void {
  response
    .writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers })
    .end(JSON.stringify(body));
}

async function answer({ buses, host, log }: Services, request: IncomingMessage): Promise<Answer> {
  const invoked = invokedFunction(request.method, request.url);
  if (invoked !== undefined) {
    const type = String(request.headers['x-amz-invocation-type'] ?? 'RequestResponse');
    const { status, body, headers } = await answerInvocation(
      host,
      invoked,
      type,
      await readJson(request),
      log,
    );
    return [status, body, headers];
  }
  const target = String(request.headers['x-amz-target'] ?? '');
  if (target !== 'AWSEvents.PutEvents')
    return [
      400,
      { __type: 'UnknownOperationException', message: `${target || request.url} is not run locally` },
    ];
  const { Entries } = (await readJson(request)) as { Entries?: PutEventsEntry[] };
  if (!Array.isArray(Entries) || Entries.length === 0 || Entries.length > MAX_ENTRIES)
    return [400, { __type: 'ValidationException', message: `Entries: expected 1 to ${MAX_ENTRIES} entries` }];
  return [200, await buses.putEvents(Entries)];
}

export async function startServicesEndpoint(
  services: () => Services,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    answer(services(), request)
      .then((answered) => send(response, answered))
      .catch((error: unknown) =>
        send(response, [400, { __type: 'SerializationException', message: String(error) }]),
      );
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
