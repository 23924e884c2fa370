/**
 * AWS Signature Version 4 over one request (IAM guide, "Create a signed AWS API request"), for every service but S3.
 * Pure but for the last signing key, which is kept: it changes once a day.
 */
import { createHmac, hash } from 'node:crypto';

export interface RequestToSign {
  readonly method: string;
  /** As in the request line, percent-encoded, without the query. */
  readonly path: string;
  /** As in the request line, without `?`; may be empty. */
  readonly query: string;
  /** Names in lower case, `host` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
}

export interface SigningScope {
  readonly region: string;
  readonly service: string;
}

export interface SigningCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
/** Proxies and clients change these on the way. */
const UNSIGNED = new Set(['user-agent', 'connection', 'expect', 'x-amzn-trace-id']);

/** The request's headers and those that sign it. `at`: milliseconds since 1970. */
export function signedHeaders(
  request: RequestToSign,
  scope: SigningScope,
  credentials: SigningCredentials,
  at: number,
): Record<string, string> {
  const amzDate = new Date(at).toISOString().replace(/[-:]|\.\d+/g, '');
  const { accessKeyId, sessionToken } = credentials;
  const headers: Record<string, string> = {
    ...request.headers,
    'x-amz-date': amzDate,
    'x-amz-content-sha256': hash('sha256', request.body),
  };
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken;
  const names = Object.keys(headers)
    .filter((name) => !UNSIGNED.has(name))
    .sort();
  const day = amzDate.slice(0, 8);
  const place = `${day}/${scope.region}/${scope.service}/aws4_request`;
  const digest = hash('sha256', canonicalRequest(request, headers, names));
  const signature = createHmac('sha256', signingKey(credentials, day, scope))
    .update(`${ALGORITHM}\n${amzDate}\n${place}\n${digest}`)
    .digest('hex');
  headers.authorization = `${ALGORITHM} Credential=${accessKeyId}/${place}, SignedHeaders=${names.join(';')}, Signature=${signature}`;
  return headers;
}

function canonicalRequest(
  { method, path, query }: RequestToSign,
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  let lines = '';
  for (const name of names) lines += `${name}:${headers[name]!.trim().replace(/\s+/g, ' ')}\n`;
  // The path is encoded already, and once more here.
  return `${method}\n${path.split('/').map(encode).join('/')}\n${canonicalQuery(query)}\n${lines}\n${names.join(';')}\n${headers['x-amz-content-sha256']}`;
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return [...new URLSearchParams(query.replaceAll('+', '%2B'))]
    .map(([key, value]) => [encode(key), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
}

/** RFC 3986: also what encodeURIComponent leaves. */
function encode(text: string): string {
  if (/^[\w.~-]*$/.test(text)) return text;
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

let last: { readonly of: string; readonly key: Buffer } | undefined;

function signingKey(
  { secretAccessKey }: SigningCredentials,
  day: string,
  { region, service }: SigningScope,
): Buffer {
  const of = `${secretAccessKey}/${day}/${region}/${service}`;
  if (last?.of === of) return last.key;
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const key = hmac(hmac(hmac(hmac(`AWS4${secretAccessKey}`, day), region), service), 'aws4_request');
  last = { of, key };
  return key;
}
