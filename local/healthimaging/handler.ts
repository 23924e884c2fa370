/** One request from its first byte to its last: route, identity, rate, input, faults, operation, audit, metrics. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { auditRecord, type Call } from './access/audit.ts';
import { falsified, isFalseMetadata } from './access/false-metadata.ts';
import type { Fault, Faults } from './access/faults.ts';
import type { Authenticator } from './access/identities.ts';
import type { Metrics } from './access/metrics.ts';
import { parseSignature } from './access/signature.ts';
import type { Throttler } from './access/throttle.ts';
import { sleep } from './background.ts';
import { type Endpoint, endpointOf } from './endpoints.ts';
import { conflict, notFound, ServiceError } from './errors.ts';
import { readBody, send, toErrorReply } from './http.ts';
import { isStream, type Reply } from './output.ts';
import type { Service } from './service.ts';

export interface HandlerParts {
  readonly service: Service;
  readonly authenticator: Authenticator;
  readonly throttler: Throttler;
  readonly faults: Faults;
  readonly metrics: Metrics;
  readonly audit?: ((line: string) => void) | undefined;
  readonly log: (line: string) => void;
}

/** What is known of a call so far; the audit record is made of it whatever comes. */
type Known = { -readonly [K in keyof Call]?: Call[K] };

export async function handle(
  parts: HandlerParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const started = performance.now();
  const known: Known = { requestId: randomUUID() };
  let reply: Reply;
  try {
    reply = (await operatorReply(parts, request)) ?? (await answer(parts, request, known));
  } catch (error) {
    if (!(error instanceof ServiceError)) parts.log(`request ${known.requestId}: ${placeOf(error)}`);
    // What is left of an oversized body is not read.
    if (!request.complete) response.setHeader('connection', 'close');
    reply = toErrorReply(error);
    const { name, message } =
      error instanceof ServiceError ? error : { name: 'InternalServerException', message: '' };
    known.error = { name, message };
  }
  await send(response, reply, known.requestId).catch((error) => {
    // Who asked may have gone; what failed of ours is said.
    if (!isGone(error)) parts.log(`request ${known.requestId}: ${placeOf(error)}`);
    response.destroy();
  });
  if (known.operation === undefined) return;
  parts.metrics.count(known.operation, reply.statusCode, (performance.now() - started) / 1000);
  record(parts, request, known, known.operation);
}

/**
 * `/health` and `/metrics`: for whoever runs the server, not part of the service. Neither is signed: health says nothing
 * but that the server is up; metrics, which name data stores, answer this machine only once credentials are asked for.
 */
async function operatorReply(
  { metrics, service, authenticator }: HandlerParts,
  request: IncomingMessage,
): Promise<Reply | undefined> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  const path = request.url?.split('?')[0];
  if (path === '/health') {
    return { statusCode: 200, headers: { 'content-type': 'application/json' }, body: '{"status":"ok"}' };
  }
  if (path !== '/metrics') return undefined;
  if (authenticator.isOn && !isLoopbackAddress(request.socket.remoteAddress)) {
    throw new ServiceError('AccessDeniedException', 'Metrics are for this machine');
  }
  const headers = { 'content-type': 'text/plain; version=0.0.4' };
  return { statusCode: 200, headers, body: await metrics.render(service) };
}

export const isLoopbackAddress = (address: string | undefined): boolean =>
  /^(::1|(::ffff:)?127\.\d+\.\d+\.\d+)$/.test(address ?? '');

async function answer(parts: HandlerParts, request: IncomingMessage, known: Known): Promise<Reply> {
  const { service, authenticator, throttler } = parts;
  const [rawPath = '/', rawQuery = ''] = (request.url ?? '/').split(/\?(.*)/s, 2);
  const method = request.method ?? 'GET';
  const endpoint = endpointOf(method, rawPath);
  known.operation = endpoint.operation;
  const body = await readBody(request, endpoint.maxBodyBytes);
  const identity = authenticator.authenticate({ method, rawPath, rawQuery, headers: request.headers, body });
  throttler.admit(endpoint.operation);
  const input = endpoint.parse({ query: new URLSearchParams(rawQuery), headers: request.headers, body });
  known.input = input;
  await authenticator.authorise(identity, endpoint.operation, input);
  const faults = await strike(parts, endpoint, request);
  const { reply, output } = await endpoint.run(service, input, { faults });
  if (output) known.output = output;
  return faults.reduce(falsely, reply);
}

/** Lets the faults of this call happen; those that strike later are returned. */
async function strike(
  { faults, service }: HandlerParts,
  endpoint: Endpoint,
  request: IncomingMessage,
): Promise<Fault[]> {
  const header = request.headers['x-isocenter-fault'];
  const struck = faults.of(endpoint.operation, Array.isArray(header) ? header.join(',') : header);
  for (const { name, milliseconds } of struck) {
    if (name === 'slow') await sleep(milliseconds, service.stopping);
    if (name === 'throttle') throw new ServiceError('ThrottlingException', 'Rate exceeded');
    if (name === 'error') throw new ServiceError('InternalServerException', 'Internal server error');
    if (name === 'unavailable') throw new ServiceError('ServiceUnavailableException', 'Service unavailable');
    if (name === 'missingFrame') throw notFound('There is no such image frame');
    if (name === 'conflict') throw conflict('The metadata of the image set is not consistent yet');
  }
  return struck;
}

const isGone = (error: unknown) =>
  (error as { code?: string }).code === 'ERR_STREAM_PREMATURE_CLOSE' ||
  (error as { code?: string }).code === 'ECONNRESET';

/** What the service would have answered, as the fault gives it. */
function falsely(reply: Reply, { name }: Fault): Reply {
  if (name === 'corruptFrame') return corrupted(reply);
  if (!isFalseMetadata(name) || isStream(reply.body) || typeof reply.body === 'string') return reply;
  return { ...reply, body: falsified(reply.body, name) };
}

function corrupted(reply: Reply): Reply {
  if (isStream(reply.body)) return { ...reply, body: { ...reply.body, chunks: spoilt(reply.body.chunks) } };
  const body = Uint8Array.from(typeof reply.body === 'string' ? Buffer.from(reply.body) : reply.body);
  const middle = body.length >> 1;
  body[middle] = (body[middle] ?? 0) ^ 0xff;
  return { ...reply, body };
}

async function* spoilt(chunks: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let isFirst = true;
  for await (const chunk of chunks) {
    const bytes = isFirst ? Uint8Array.from(chunk) : chunk;
    if (isFirst) bytes[bytes.length >> 1]! ^= 0xff;
    isFirst = false;
    yield bytes;
  }
}

function record(parts: HandlerParts, request: IncomingMessage, known: Known, operation: string): void {
  if (!parts.audit) return;
  const call: Call = {
    input: {},
    requestId: '',
    ...known,
    ...accessKeyOf(request),
    operation,
    headers: request.headers,
    sourceIPAddress: request.socket.remoteAddress ?? '',
    at: parts.service.clock.now(),
  };
  parts.audit(JSON.stringify(auditRecord(call, parts.service)));
}

function accessKeyOf(request: IncomingMessage): { accessKeyId?: string } {
  try {
    const signature = parseSignature(request.headers);
    return signature ? { accessKeyId: signature.accessKeyId } : {};
  } catch {
    return {};
  }
}

/** Errors as log lines: name and place, never the message, which could repeat a value. */
export function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  return `${error.name} ${
    error.stack
      ?.split('\n')
      .find((line) => line.trim().startsWith('at '))
      ?.trim() ?? ''
  }`;
}
