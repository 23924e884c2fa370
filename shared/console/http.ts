/** Requests in and answers out, whatever carries them: bounded bodies, JSON, ranges, problems with a status. */

export interface ConsoleRequest {
  readonly method: string;
  /** `/api/…`, percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By name in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: AsyncIterable<Uint8Array>;
  /** Who asks: recorded with every decision. */
  readonly actor: string;
}

export interface ConsoleAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<string>;
}

/** Becomes an answer with this status; the message holds no patient values. */
export class HttpProblem extends Error {
  override readonly name = 'HttpProblem';
  readonly status: number;
  constructor(status: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** PS3.5 9.1. */
export const UID = /^[0-9.]{1,64}$/;

const MAX_JSON_BYTES = 64 * 1024;

/** The body as a JSON object. Throws HttpProblem 400, 413. */
export async function readJsonBody({ body }: ConsoleRequest): Promise<Readonly<Record<string, unknown>>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > MAX_JSON_BYTES) throw new HttpProblem(413, `the body is over ${MAX_JSON_BYTES} bytes`);
    chunks.push(chunk);
  }
  const text = Buffer.concat(chunks).toString('utf8');
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Record<string, unknown>;
  } catch {
    // told below: what was sent may hold a patient's name and is not repeated
  }
  throw new HttpProblem(400, 'the body is not a JSON object');
}

/** A text member, or undefined where it is absent or empty. Throws HttpProblem 400 for anything else. */
export function textMember(body: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.length > 1024)
    throw new HttpProblem(400, `${name}: expected a text of at most 1024 characters`);
  return value.trim() === '' ? undefined : value.trim();
}

export const jsonAnswer = (value: unknown, status = 200): ConsoleAnswer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(value),
});

/** The whole, or the part that the request's `Range` names (RFC 9110 14.2; one range of bytes). Throws HttpProblem 416. */
export function bytesAnswer(
  { headers: { range } }: Pick<ConsoleRequest, 'headers'>,
  bytes: Uint8Array,
  contentType: string,
): ConsoleAnswer {
  const headers = { 'content-type': contentType, 'accept-ranges': 'bytes' };
  const [, first, last] = /^bytes=(\d{1,15})-(\d{0,15})$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers, body: bytes };
  const start = Number(first);
  const end = last ? Math.min(Number(last) + 1, bytes.length) : bytes.length;
  if (start === 0 && end === bytes.length) return { status: 200, headers, body: bytes };
  if (start >= end) throw new HttpProblem(416, `range: expected one within ${bytes.length} bytes`);
  return {
    status: 206,
    headers: { ...headers, 'content-range': `bytes ${start}-${end - 1}/${bytes.length}` },
    body: bytes.subarray(start, end),
  };
}

/** Problems are told with their reason; what went wrong inside is told by its name only. */
export const answerOf = (error: unknown): ConsoleAnswer =>
  error instanceof HttpProblem
    ? jsonAnswer({ message: error.message }, error.status)
    : jsonAnswer({ message: `something went wrong inside: ${(error as Error).name}` }, 500);
