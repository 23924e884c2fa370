/**
 * The S3-compatible store of the local world: the operations of routes.ts over HTTP on loopback, durable in `dataDir`.
 *
 * Durability: a PUT is acknowledged when its bytes are written to a file of their own and the index's batch is in
 * LevelDB's log. Both survive the death of the process (kill -9). Neither is forced to the disk: an fsync costs about a
 * millisecond here, more than all the rest of a 0.5 MB PUT, and a power cut in a local world is a reason to start over.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import { errorAnswer, renderError, send } from './answer.ts';
import { answerPreflight, type CorsRule, checkCorsRules, corsHeaders } from './cors.ts';
import { createEventMaker, newRequestId } from './events.ts';
import type { Deps } from './operation.ts';
import { checkBucketName } from './operations/buckets.ts';
import { findOperation } from './routes.ts';
import { S3Error, toS3Error } from './s3-error.ts';
import { bucketOf, parseRequest, type S3Request } from './s3-request.ts';
import { Store } from './store/store.ts';

export interface S3Options {
  readonly dataDir: string;
  /** 0 or absent: any free one. */
  readonly port?: number;
  readonly host?: string;
  readonly region?: string;
  readonly accountId?: string;
  /** Called after each change in a bucket whose EventBridge events are on. */
  readonly onEvent?: (event: EventBridgeEvent) => void;
  /** Internal errors, a line each, without keys. */
  readonly log?: (line: string) => void;
}

export interface S3Server {
  readonly url: string;
  readonly port: number;
  close(): Promise<void>;
  /**
   * Makes the bucket, events off if nothing is said; sets them on or off where it exists. So with its CORS rules, which
   * an empty list removes. Safe to repeat.
   */
  createBucket(name: string, options?: { eventBridge?: boolean; cors?: readonly CorsRule[] }): Promise<void>;
}

const HEADERS_LIMIT_BYTES = 32 * 1024;
/** Without a byte from or to the client for so long, the connection is closed. */
const IDLE_MILLISECONDS = 120_000;
const KEEP_ALIVE_MILLISECONDS = 75_000;
const CONNECTIONS_LIMIT = 2048;
/** An error answer goes out at once; of the body that still comes so much is read over, then the connection ends. */
const UNREAD_LIMIT_BYTES = 64 * 1024 ** 2;
const CLOSE_GRACE_MILLISECONDS = 2000;

/** Starts the store. Throws a one-line Error when the folder is in use, not writable, or the port is taken. */
export async function startS3(options: S3Options): Promise<S3Server> {
  const { host = '127.0.0.1', region = 'us-east-1', accountId = '000000000000' } = options;
  const log = options.log ?? (() => undefined);
  const store = await Store.open(options.dataDir);
  const makeEvent = createEventMaker({ region, accountId });
  const deps: Deps = {
    store,
    region,
    accountId,
    now: Date.now,
    announce(request, key, change) {
      const sourceIp = request.http.socket.remoteAddress ?? host;
      try {
        if (!options.onEvent || !store.bucket(request.bucket).eventBridge) return;
        options.onEvent(
          makeEvent({ bucket: request.bucket, key, requestId: newRequestId(), sourceIp, change }),
        );
      } catch (error) {
        log(`s3: an event was not taken: ${(error as Error).message}`);
      }
    },
  };
  const server = createServer(
    {
      maxHeaderSize: HEADERS_LIMIT_BYTES,
      requestTimeout: 0,
      headersTimeout: 30_000,
      keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
      noDelay: true,
    },
    (request, response) => void handle(request, response, deps, log),
  );
  server.maxConnections = CONNECTIONS_LIMIT;
  server.timeout = IDLE_MILLISECONDS;
  server.on('clientError', answerUnreadable);
  server.on('connect', (_request, socket: Socket) => answerUnreadable(new Error('CONNECT'), socket));
  try {
    await listen(server, options.port ?? 0, host);
  } catch (error) {
    await store.close();
    throw error;
  }
  const swept = store.content.sweep().catch((error: Error) => log(`s3: sweep: ${error.message}`));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${host}:${port}`,
    port,
    async createBucket(name, { eventBridge, cors } = {}) {
      checkBucketName(name);
      await store.putBucket(name, {
        ...(eventBridge !== undefined && { eventBridge }),
        ...(cors !== undefined && { cors: cors.length === 0 ? null : checkCorsRules(cors) }),
        now: Date.now(),
      });
    },
    async close() {
      await closeServer(server);
      await swept;
      await store.close();
    },
  };
}

async function handle(
  http: IncomingMessage,
  response: ServerResponse,
  deps: Deps,
  log: (line: string) => void,
): Promise<void> {
  const requestId = newRequestId();
  response.setHeader('x-amz-request-id', requestId);
  response.setHeader('server', 'isocenter-s3');
  let name = 'unreadable';
  try {
    const rules = corsRulesOf(http, deps.store);
    if (http.method === 'OPTIONS') return void (await send(response, answerPreflight(rules, http)));
    // Errors carry them too: a page could not read what was wrong otherwise.
    for (const [header, value] of Object.entries(corsHeaders(rules, http))) response.setHeader(header, value);
    const request: S3Request = parseRequest(http, deps.now());
    const operation = findOperation(request);
    const owner = http.headers['x-amz-expected-bucket-owner'];
    if (owner !== undefined && owner !== deps.accountId) throw new S3Error('AccessDenied');
    await deps.store.ready();
    name = operation.name;
    await send(response, await operation(request, deps));
  } catch (error) {
    const answer = toS3Error(error);
    // A client that hung up while it was sending is no error of ours, and nobody reads the answer.
    if (answer.code === 'InternalError' && !http.readableAborted) {
      log(`s3: ${name}: ${String((error as Error)?.stack ?? error).slice(0, 1000)}`);
    }
    if (response.headersSent) response.destroy();
    else await send(response, errorAnswer(answer, http, requestId));
  } finally {
    readOver(http);
  }
}

function corsRulesOf(http: IncomingMessage, store: Store): readonly CorsRule[] {
  const bucket = bucketOf(http);
  return bucket !== undefined && store.hasBucket(bucket) ? (store.bucket(bucket).cors ?? []) : [];
}

/** Lets the rest of a refused body come and go, so that the client reads the answer; an endless one is cut off. */
function readOver(http: IncomingMessage): void {
  const { 'content-length': length, 'transfer-encoding': encoding } = http.headers;
  if (http.readableEnded || http.destroyed || (length === undefined && encoding === undefined)) return;
  let unread = 0;
  http.on('data', (chunk: Buffer) => {
    unread += chunk.length;
    if (unread > UNREAD_LIMIT_BYTES) http.destroy();
  });
  http.on('error', () => undefined);
  http.resume();
}

/** What the HTTP parser refuses gets an answer in S3's shape all the same. */
function answerUnreadable(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const code = error.code === 'HPE_HEADER_OVERFLOW' ? 'RequestHeaderSectionTooLarge' : 'BadRequest';
  const answer = new S3Error(error.code === 'ERR_HTTP_REQUEST_TIMEOUT' ? 'RequestTimeout' : code);
  const body = renderError(answer, '/', newRequestId());
  socket.end(
    `HTTP/1.1 ${answer.status} ${answer.code}\r\nContent-Type: application/xml\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroy(),
  );
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'the port is taken' : error.message;
      reject(
        Object.assign(new Error(`cannot listen on ${host}:${port}: ${why}`, { cause: error }), {
          code: error.code,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

/** Lets running requests end for a moment, then cuts them off: what was not answered was not promised. */
async function closeServer(server: Server): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const timer = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MILLISECONDS);
  await closed;
  clearTimeout(timer);
}
