/** One HTTP request over pooled connections that stay open; nothing is retried here. */
import { Agent, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as SecureAgent } from 'node:https';
import type { Socket } from 'node:net';

export interface HttpRequest {
  readonly protocol: string;
  /** An IPv6 address in brackets. */
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  readonly signal?: AbortSignal | undefined;
}

/** Connections to one host; further requests wait. */
const SOCKETS = 64;
const CONNECT_TIMEOUT_MS = 5000;
/** A connection on which nothing moves for so long is given up. */
const SILENCE_MS = 60_000;

const options = { keepAlive: true, maxSockets: SOCKETS, scheduling: 'lifo', timeout: SILENCE_MS } as const;
const agents = { 'http:': new Agent(options), 'https:': new SecureAgent(options) };

/** Errors of the connection carry Node's `code`; a time-out is named TimeoutError, as the SDK names it. */
export function exchange(request: HttpRequest): Promise<IncomingMessage> {
  const { hostname, port, method, path, headers, body, signal } = request;
  const isSecure = request.protocol === 'https:';
  return new Promise((resolve, reject) => {
    const sent = (isSecure ? requestHttps : requestHttp)(
      {
        agent: agents[isSecure ? 'https:' : 'http:'],
        host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
        port,
        method,
        path,
        headers,
        ...(signal ? { signal } : {}),
      },
      resolve,
    );
    sent.on('error', (error) => reject(timeoutNamed(error)));
    sent.on('timeout', () => sent.destroy(timeout('the connection is silent')));
    sent.on('socket', (socket) => {
      if (socket.connecting) giveUpLate(socket);
    });
    sent.end(body);
  });
}

function giveUpLate(socket: Socket): void {
  const late = () => socket.destroy(timeout(`no connection within ${CONNECT_TIMEOUT_MS} ms`));
  const timer = setTimeout(late, CONNECT_TIMEOUT_MS).unref();
  const stop = () => clearTimeout(timer);
  socket.once('connect', stop).once('close', stop);
}

const timeout = (message: string) => Object.assign(new Error(message), { name: 'TimeoutError' });

const LOST = ['ECONNRESET', 'EPIPE', 'ETIMEDOUT'];

function timeoutNamed(error: Error & { code?: string }): Error {
  return LOST.includes(error.code ?? '') ? Object.assign(error, { name: 'TimeoutError' }) : error;
}

/**
 * The whole body, each byte copied once, into `roomFor` where the answer tells its size. Rejects where the connection
 * ends before the body does.
 */
export function wholeBody(
  answer: IncomingMessage,
  roomFor: (sizeBytes: number) => Uint8Array = (sizeBytes) => Buffer.allocUnsafeSlow(sizeBytes),
): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const length = answer.headers['content-length'];
    const room = length === undefined ? undefined : roomFor(Number(length));
    const chunks: Uint8Array[] = [];
    let at = 0;
    answer.on('data', (chunk: Uint8Array) => {
      if (room) room.set(chunk, at);
      else chunks.push(chunk);
      at += chunk.length;
    });
    answer.once('end', () => resolve(room ?? Buffer.concat(chunks)));
    answer.once('error', (error) => reject(timeoutNamed(error)));
    answer.once('close', () => {
      if (!answer.readableEnded) reject(timeout('the connection ended before the body did'));
    });
  });
}
