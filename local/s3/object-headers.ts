/** What travels in headers: metadata and tags in, metadata and checksums out. */
import { CHECKSUM_ALGORITHMS, CHECKSUMS, type ChecksumAlgorithm, isChecksumAlgorithm } from './checksums.ts';
import { S3Error } from './s3-error.ts';
import { percentDecode, type S3Request } from './s3-request.ts';
import type { ObjectRecord, Tag } from './store/records.ts';

const KEPT_HEADERS = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
] as const;
const METADATA_LIMIT_BYTES = 2048;
const DEFAULT_CONTENT_TYPE = 'binary/octet-stream';

/** The headers to keep with an object. Throws MetadataTooLarge. */
export function metadataOf({ headers }: S3Request): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT_HEADERS) {
    const value = name === 'content-encoding' ? withoutAwsChunked(headers[name]) : headers[name];
    if (value !== undefined && value !== '') kept[name] = value;
  }
  kept['content-type'] ??= DEFAULT_CONTENT_TYPE;
  let size = 0;
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith('x-amz-meta-') || value === undefined) continue;
    size += name.length - 'x-amz-meta-'.length + Buffer.byteLength(value, 'latin1');
    kept[name] = value;
  }
  if (size > METADATA_LIMIT_BYTES) {
    throw new S3Error('MetadataTooLarge', undefined, {
      facts: { MaxSizeAllowed: String(METADATA_LIMIT_BYTES) },
    });
  }
  return kept;
}

function withoutAwsChunked(encoding: string | undefined): string | undefined {
  return encoding
    ?.split(',')
    .map((item) => item.trim())
    .filter((item) => item !== 'aws-chunked')
    .join(',');
}

/** The headers of GetObject and HeadObject but for length and range; checksums only for whole objects that ask. */
export function headersOf(record: ObjectRecord, request: S3Request, whole: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    ...record.headers,
    etag: `"${record.etag}"`,
    'last-modified': new Date(record.modified).toUTCString(),
    'accept-ranges': 'bytes',
  };
  if (record.tags?.length) headers['x-amz-tagging-count'] = String(record.tags.length);
  if (whole && request.headers['x-amz-checksum-mode']?.toUpperCase() === 'ENABLED') {
    Object.assign(headers, checksumHeaders(record));
  }
  return headers;
}

export function checksumHeaders(
  record: Pick<ObjectRecord, 'checksums' | 'checksumType'>,
): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name of CHECKSUM_ALGORITHMS) {
    const value = record.checksums?.[name];
    if (value !== undefined) headers[CHECKSUMS[name].header] = value;
  }
  if (Object.keys(headers).length > 0) headers['x-amz-checksum-type'] = record.checksumType ?? 'FULL_OBJECT';
  return headers;
}

/** `{ ChecksumSHA256: … }` for XML answers. */
export function checksumElements(
  record: Pick<ObjectRecord, 'checksums' | 'checksumType'>,
): Record<string, string> {
  const elements: Record<string, string> = {};
  for (const name of CHECKSUM_ALGORITHMS) {
    const value = record.checksums?.[name];
    if (value !== undefined) elements[CHECKSUMS[name].element] = value;
  }
  if (Object.keys(elements).length > 0) elements.ChecksumType = record.checksumType ?? 'FULL_OBJECT';
  return elements;
}

/** The `x-amz-checksum-algorithm` header. Throws InvalidRequest on an unknown one. */
export function askedAlgorithm({ headers }: S3Request): ChecksumAlgorithm | undefined {
  const name = headers['x-amz-checksum-algorithm']?.toUpperCase();
  if (name === undefined) return undefined;
  if (!isChecksumAlgorithm(name)) {
    throw new S3Error('InvalidRequest', 'Checksum algorithm provided is unsupported.');
  }
  return name;
}

/** The `x-amz-tagging` header: `a=1&b=2`. */
export function taggingHeader({ headers }: S3Request): Tag[] | undefined {
  const text = headers['x-amz-tagging'];
  if (text === undefined || text === '') return undefined;
  const decode = (part: string) => percentDecode(part.replaceAll('+', ' '));
  return checkTags(
    text.split('&').map((pair): Tag => {
      const equals = pair.indexOf('=');
      return equals < 0
        ? [decode(pair), '']
        : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))];
    }),
  );
}

/** At most 10 tags, keys of 1 to 128 characters, values up to 256, no key twice. Throws InvalidTag. */
export function checkTags(tags: Tag[]): Tag[] {
  if (tags.length > 10) throw new S3Error('BadRequest', 'Object tags cannot be greater than 10');
  const keys = new Set(tags.map(([key]) => key));
  const fits = tags.every(([key, value]) => key.length >= 1 && key.length <= 128 && value.length <= 256);
  if (!fits) throw new S3Error('InvalidTag');
  if (keys.size !== tags.length)
    throw new S3Error('InvalidTag', 'Cannot provide multiple Tags with the same key');
  return tags;
}
