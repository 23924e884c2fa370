/**
 * The console behind an HTTP API of API Gateway: events of payload format 2.0 in, answers of a function out (developer
 * guide, "AWS Lambda proxy integrations for HTTP APIs"). The API's authorizer looked at the token; what came without one
 * gets pages and what signing in needs, whatever route let it through.
 */
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import * as v from 'valibot';
import { answerOf, type ConsoleAnswer, type ConsoleRequest, HttpProblem } from './http.ts';
import { runRoute, type Services } from './routes.ts';
import { securityHeaders } from './security-headers.ts';
import type { StaticFile } from './static-files.ts';

export interface HttpApiParts {
  readonly services: Services;
  /** By URL path. */
  readonly files: ReadonlyMap<string, StaticFile>;
  /** Other origins that the pages may ask. */
  readonly connectTo: () => Promise<readonly string[]>;
  /** One line about what went wrong inside: names, no values. */
  readonly log: (line: string) => void;
}

export interface HttpApiAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly isBase64Encoded: boolean;
}

/** A function answers with 6 MB at most, and Base64 makes four bytes of three. */
export const MAX_ANSWER_BYTES = 4 * 1024 * 1024;
/** Longer texts go as Base64: written as JSON, a text may double. */
const MAX_TEXT_BYTES = 1024 * 1024;
/** What is smaller is not worth packing. */
const MIN_PACKED_BYTES = 2 * 1024;
const PACKED_TYPES = /^(text\/|application\/(json|wasm)|image\/svg)/;
const SIGNED_IN_ONLY = /^\/api(\/|$)/;
const BEFORE_SIGNING_IN = '/api/session';

const text = v.optional(v.string());
const EVENT = v.object({
  version: v.literal('2.0'),
  rawPath: v.string(),
  rawQueryString: v.optional(v.string(), ''),
  headers: v.optional(v.record(v.string(), v.string()), {}),
  body: text,
  isBase64Encoded: v.optional(v.boolean(), false),
  requestContext: v.object({
    http: v.object({ method: v.string() }),
    authorizer: v.optional(
      v.object({
        jwt: v.optional(v.object({ claims: v.object({ sub: text, email: text, email_verified: text }) })),
      }),
    ),
  }),
});
type Event = v.InferOutput<typeof EVENT>;

/** Never rejects: what went wrong is an answer too, in the console's own words. */
export async function answerHttpApi(parts: HttpApiParts, event: unknown): Promise<HttpApiAnswer> {
  const parsed = v.safeParse(EVENT, event);
  if (!parsed.success) return toAnswer(answerOf(new HttpProblem(400, 'not a request of an HTTP API')), {});
  const { output } = parsed;
  const packs = /\bgzip\b/.test(headersOf(output)['accept-encoding'] ?? '');
  try {
    return await toAnswer(await answer(parts, output), { packs });
  } catch (error) {
    if (!(error instanceof HttpProblem)) parts.log(`console: ${(error as Error).name}`);
    return toAnswer(answerOf(error), {});
  }
}

async function answer(parts: HttpApiParts, event: Event): Promise<ConsoleAnswer> {
  const request = requestOf(event);
  const { method, path } = request;
  if (!SIGNED_IN_ONLY.test(path)) return pageAnswer(parts, method, path);
  if (path !== BEFORE_SIGNING_IN && request.actor === '') throw new HttpProblem(401, 'sign in first');
  return runRoute(parts.services, request);
}

async function pageAnswer(parts: HttpApiParts, method: string, path: string): Promise<ConsoleAnswer> {
  if (method !== 'GET' && method !== 'HEAD') throw new HttpProblem(405, `${method} is not for this path`);
  const file = parts.files.get(path);
  if (file === undefined) throw new HttpProblem(404, 'not found');
  return {
    status: 200,
    headers: {
      ...(path === '/' ? securityHeaders(await originsOf(parts)) : {}),
      'content-type': file.contentType,
      'cache-control': 'no-cache',
    },
    body: method === 'HEAD' ? '' : file.body,
  };
}

/** The page opens without them: it says by itself that signing in is not possible now, and why. */
const originsOf = async (parts: HttpApiParts): Promise<readonly string[]> =>
  parts.connectTo().catch((error: Error) => {
    parts.log(`console: ${error.name}`);
    return [];
  });

const headersOf = ({ headers }: Event): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));

function requestOf(event: Event): ConsoleRequest {
  const { body = '', isBase64Encoded, rawPath, rawQueryString, requestContext } = event;
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  return {
    method: requestContext.http.method,
    path: rawPath,
    query: new URLSearchParams(rawQueryString),
    headers: headersOf(event),
    body: chunksOf(bytes),
    actor: actorOf(event),
  };
}

async function* chunksOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}

/** The person's address where the issuer vouches for it, or what the issuer calls the person; empty for nobody. */
function actorOf({ requestContext: { authorizer } }: Event): string {
  const { sub = '', email = '', email_verified: isVerified = 'true' } = authorizer?.jwt?.claims ?? {};
  return email !== '' && isVerified !== 'false' ? email : sub;
}

async function toAnswer(
  { status, headers, body }: ConsoleAnswer,
  { packs = false }: { readonly packs?: boolean },
): Promise<HttpApiAnswer> {
  const bytes = await bytesOf(body);
  const all = { ...securityHeaders(), 'strict-transport-security': 'max-age=31536000', ...headers };
  const type = headers['content-type'] ?? '';
  if (packs && status === 200 && bytes.length >= MIN_PACKED_BYTES && PACKED_TYPES.test(type)) {
    const packed = await packedOf(bytes);
    const packedHeaders = { ...all, 'content-encoding': 'gzip', vary: 'accept-encoding' };
    return bounded(status, packedHeaders, packed, false);
  }
  return bounded(status, all, bytes, /^(text\/|application\/(json|x-ndjson))/.test(type));
}

function bounded(
  statusCode: number,
  headers: Readonly<Record<string, string>>,
  bytes: Uint8Array,
  isText: boolean,
): HttpApiAnswer | Promise<HttpApiAnswer> {
  if (bytes.length > MAX_ANSWER_BYTES)
    return toAnswer(answerOf(new HttpProblem(413, `over ${MAX_ANSWER_BYTES} bytes: ask for ranges`)), {});
  const isBase64Encoded = !isText || bytes.length > MAX_TEXT_BYTES;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const body = buffer.toString(isBase64Encoded ? 'base64' : 'utf8');
  return { statusCode, headers, body, isBase64Encoded };
}

/** Files are the same objects each time: packed once. */
const packedFiles = new WeakMap<Uint8Array, Promise<Uint8Array>>();

function packedOf(bytes: Uint8Array): Promise<Uint8Array> {
  const known = packedFiles.get(bytes) ?? promisify(gzip)(bytes);
  packedFiles.set(bytes, known);
  return known;
}

/** Stops reading where the answer is too large anyway. */
async function bytesOf(body: ConsoleAnswer['body']): Promise<Uint8Array> {
  if (body instanceof Uint8Array) return body;
  if (typeof body === 'string') return Buffer.from(body);
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    chunks.push(bytes);
    size += bytes.length;
    if (size > MAX_ANSWER_BYTES) break;
  }
  return Buffer.concat(chunks);
}
