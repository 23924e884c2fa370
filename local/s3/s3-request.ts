/** An HTTP request as S3 reads it: bucket, key, sub-resource, headers. The URL is decoded by hand: `..` is data here. */
import type { IncomingMessage } from 'node:http';
import { S3Error } from './s3-error.ts';

export interface S3Request {
  readonly method: string;
  /** Empty at the service's own level. */
  readonly bucket: string;
  /** Empty at the bucket's level. */
  readonly key: string;
  readonly query: ReadonlyMap<string, string>;
  /** Lower-case names; those that a presigned URL carries in its query are among them. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly http: IncomingMessage;
}

const KEY_LIMIT_BYTES = 1024;
const PRESIGN_LIMIT_SECONDS = 604_800;
/** Checksums in a presigned URL are of the empty body that was signed, not of what is sent: not among these. */
const QUERY_HEADERS =
  /^x-amz-(meta-.+|tagging|copy-source.*|metadata-directive|acl|storage-class|checksum-mode)$/;

/** Throws InvalidURI, KeyTooLongError, AccessDenied (an expired URL) and their kin. */
export function parseRequest(http: IncomingMessage, now: number): S3Request {
  const url = http.url ?? '';
  if (!url.startsWith('/')) throw new S3Error('InvalidURI');
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  const query = parseQuery(mark < 0 ? '' : url.slice(mark + 1));
  checkAuthorization(http.headers.authorization, query, now);
  return {
    method: http.method ?? '',
    ...parsePath(path, http.headers.host),
    query,
    headers: headersOf(http, query),
    http,
  };
}

/** The bucket that a request asks, whatever else is wrong with it; undefined where it names none. */
export function bucketOf({ url = '', headers }: IncomingMessage): string | undefined {
  try {
    const { bucket } = parsePath(url.split('?')[0] ?? '', headers.host);
    return bucket === '' ? undefined : bucket;
  } catch {
    return undefined;
  }
}

function parsePath(path: string, host: string | undefined): { bucket: string; key: string } {
  const virtual = /^([a-z0-9][a-z0-9.-]*?)(?:\.s3)?\.localhost(?::\d+)?$/.exec(host ?? '')?.[1];
  const rest = path.slice(1);
  if (virtual !== undefined && virtual !== 's3') return { bucket: virtual, key: parseKey(rest) };
  const slash = rest.indexOf('/');
  if (slash === 0) throw new S3Error('InvalidBucketName');
  if (slash < 0) return { bucket: percentDecode(rest), key: '' };
  return { bucket: percentDecode(rest.slice(0, slash)), key: parseKey(rest.slice(slash + 1)) };
}

/** Throws KeyTooLongError, InvalidURI. */
export function parseKey(encoded: string): string {
  const key = percentDecode(encoded);
  if (Buffer.byteLength(key, 'utf8') > KEY_LIMIT_BYTES) {
    throw new S3Error('KeyTooLongError', undefined, { facts: { MaxSizeAllowed: String(KEY_LIMIT_BYTES) } });
  }
  return key;
}

/** Strict: bad percent-encoding and what is not UTF-8 throw InvalidURI. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw new S3Error('InvalidURI', 'The URI holds bad percent-encoding or is not UTF-8.', { cause: error });
  }
}

function parseQuery(text: string): Map<string, string> {
  const query = new Map<string, string>();
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    const name = percentDecode((equals < 0 ? pair : pair.slice(0, equals)).replaceAll('+', ' '));
    if (!query.has(name)) {
      query.set(name, equals < 0 ? '' : percentDecode(pair.slice(equals + 1).replaceAll('+', ' ')));
    }
  }
  return query;
}

function headersOf(http: IncomingMessage, query: Map<string, string>): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of query) {
    const header = name.toLowerCase();
    if (!QUERY_HEADERS.test(header)) continue;
    if (!/^[\w!#$%&'*+.^`|~-]+$/.test(header) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw new S3Error(
        'InvalidArgument',
        'A query parameter that stands for a header holds what no header can.',
      );
    }
    headers[header] = value;
  }
  for (const [name, value] of Object.entries(http.headers)) {
    headers[name] = Array.isArray(value) ? value.join(',') : value;
  }
  return headers;
}

/** Signatures are parsed and their time limits kept; they are not verified (any credentials do, on loopback). */
function checkAuthorization(header: string | undefined, query: Map<string, string>, now: number): void {
  if (header !== undefined && !/^(AWS4-HMAC-SHA256 .*Credential=.+Signature=|AWS .+:.+)/.test(header)) {
    throw new S3Error('AuthorizationHeaderMalformed');
  }
  if (query.has('X-Amz-Algorithm') || query.has('X-Amz-Signature')) checkPresigned(query, now);
  else if (query.has('Expires') && query.has('Signature') && !(Number(query.get('Expires')) * 1000 > now)) {
    throw new S3Error('AccessDenied', 'Request has expired');
  }
}

function checkPresigned(query: Map<string, string>, now: number): void {
  const date = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(query.get('X-Amz-Date') ?? '');
  const expires = Number(query.get('X-Amz-Expires') ?? Number.NaN);
  const complete =
    query.has('X-Amz-Signature') && query.has('X-Amz-Credential') && query.has('X-Amz-SignedHeaders');
  if (!date || !complete || !(expires >= 1 && expires <= PRESIGN_LIMIT_SECONDS)) {
    throw new S3Error('AuthorizationQueryParametersError');
  }
  const [, year, month, day, hour, minute, second] = date.map(Number) as [number, ...number[]];
  const signed = Date.UTC(year!, month! - 1, day!, hour!, minute!, second!);
  if (signed + expires * 1000 < now) throw new S3Error('AccessDenied', 'Request has expired');
}
