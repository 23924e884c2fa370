/**
 * AWS Signature Version 4 (IAM guide, "Create a signed AWS API request"): parsed always, verified when the server
 * has credentials. The Host is taken as it was received, since clients prepend `runtime-` to it.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { ServiceError } from '../errors.ts';

export interface SignedRequest {
  readonly method: string;
  /** As in the request line, percent-encoded. */
  readonly rawPath: string;
  readonly rawQuery: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface Signature {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
}

const ALGORITHM = 'AWS4-HMAC-SHA256';
const SIGNING_NAME = 'medical-imaging';
/** AWS accepts requests signed up to five minutes ago, or ahead. */
const MAX_SKEW_MS = 5 * 60_000;

/** What the Authorization header says, or undefined where there is none. Throws IncompleteSignatureException. */
export function parseSignature(headers: IncomingHttpHeaders): Signature | undefined {
  const header = headers.authorization;
  if (!header?.startsWith(ALGORITHM)) return undefined;
  const parts = new Map(
    header
      .slice(ALGORITHM.length)
      .split(',')
      .map((part) => {
        const [name = '', ...value] = part.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const [accessKeyId, date, region, service, terminator] = (parts.get('Credential') ?? '').split('/');
  const signature = parts.get('Signature');
  const signedHeaders = parts.get('SignedHeaders')?.split(';');
  if (
    !accessKeyId ||
    !date ||
    !region ||
    !service ||
    terminator !== 'aws4_request' ||
    !signature ||
    !signedHeaders
  ) {
    throw new ServiceError('IncompleteSignatureException', 'The Authorization header is incomplete');
  }
  return { accessKeyId, date, region, service, signedHeaders, signature };
}

/** Throws InvalidSignatureException: wrong scope, skew, body or signature. */
export function verifySignature(
  request: SignedRequest,
  signature: Signature,
  secret: string,
  now: number,
): void {
  const amzDate = headerOf(request.headers, 'x-amz-date');
  const time = parseAmzDate(amzDate);
  if (signature.service !== SIGNING_NAME || !amzDate.startsWith(signature.date)) {
    throw refused('Credential should be scoped to a valid date and service');
  }
  if (time === undefined || Math.abs(now - time) > MAX_SKEW_MS)
    throw refused('Signature expired or not yet current');
  for (const name of ['host', 'x-amz-date']) {
    if (!signature.signedHeaders.includes(name)) throw refused(`The header ${name} must be signed`);
  }
  const bodyHash = createHash('sha256').update(request.body).digest('hex');
  const told = headerOf(request.headers, 'x-amz-content-sha256') || bodyHash;
  if (told !== 'UNSIGNED-PAYLOAD' && told !== bodyHash)
    throw refused('x-amz-content-sha256 does not match the body');
  const wanted = sign(canonicalRequest(request, signature, told), amzDate, signature, secret);
  const given = Buffer.from(signature.signature, 'hex');
  if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
    throw refused('The request signature we calculated does not match the signature you provided');
  }
}

const refused = (message: string) => new ServiceError('InvalidSignatureException', message);

function headerOf(headers: IncomingHttpHeaders, name: string): string {
  const value = headers[name];
  return Array.isArray(value) ? value.join(',') : (value ?? '');
}

function parseAmzDate(value: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(value);
  if (!match) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function canonicalRequest(request: SignedRequest, signature: Signature, bodyHash: string): string {
  const headers = signature.signedHeaders.map(
    (name) => `${name}:${headerOf(request.headers, name).trim().replace(/ +/g, ' ')}\n`,
  );
  return [
    request.method,
    // Every service but S3 encodes the already encoded path once more.
    request.rawPath.split('/').map(encode).join('/'),
    canonicalQuery(request.rawQuery),
    headers.join(''),
    signature.signedHeaders.join(';'),
    bodyHash,
  ].join('\n');
}

function canonicalQuery(rawQuery: string): string {
  return [...new URLSearchParams(rawQuery.replaceAll('+', '%2B'))]
    .map(([key, value]) => [encode(key), encode(value)] as const)
    .sort(([a, x], [b, y]) => (a === b ? (x < y ? -1 : 1) : a < b ? -1 : 1))
    .map((pair) => pair.join('='))
    .join('&');
}

/** RFC 3986: also what encodeURIComponent leaves. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sign(
  canonical: string,
  amzDate: string,
  { date, region, service }: Signature,
  secret: string,
): Buffer {
  const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest();
  const scope = `${date}/${region}/${service}/aws4_request`;
  const digest = createHash('sha256').update(canonical).digest('hex');
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, date), region), service), 'aws4_request');
  return hmac(key, [ALGORITHM, amzDate, scope, digest].join('\n'));
}
