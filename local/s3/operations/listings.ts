/** ListObjectsV2, ListObjects and ListMultipartUploads. */
import { type Deps, isoTime, type Operation, quoted } from '../operation.ts';
import { S3Error } from '../s3-error.ts';
import type { S3Request } from '../s3-request.ts';
import { type Listed, listRows } from '../store/listing.ts';
import { type ObjectRecord, rows, type UploadRecord } from '../store/records.ts';
import { renderXml, type XmlTree } from '../xml.ts';

const PAGE_LIMIT = 1000;

export const listObjectsV2: Operation = async (request, deps) => {
  const token = request.query.get('continuation-token');
  const startAfter = request.query.get('start-after');
  const from =
    token !== undefined ? readToken(token) : startAfter ? { key: startAfter, wholePrefix: false } : undefined;
  const page = await listPage(request, deps, from);
  const { encode } = page;
  return {
    xml: renderXml('ListBucketResult', {
      ...page.head,
      KeyCount: page.entries.length,
      ContinuationToken: token,
      StartAfter: startAfter === undefined ? undefined : encode(startAfter),
      IsTruncated: page.isTruncated,
      NextContinuationToken: page.isTruncated ? writeToken(page.entries.at(-1)!) : undefined,
      ...page.body,
    }),
  };
};

export const listObjects: Operation = async (request, deps) => {
  const marker = request.query.get('marker') ?? '';
  const delimiter = request.query.get('delimiter') ?? '';
  // A NextMarker that is a common prefix stands for all that it rolls up.
  const wholePrefix = delimiter !== '' && marker.endsWith(delimiter);
  const page = await listPage(request, deps, marker === '' ? undefined : { key: marker, wholePrefix });
  const last = page.entries.at(-1);
  const next = page.isTruncated && delimiter !== '' && last ? nameOf(last) : undefined;
  return {
    xml: renderXml('ListBucketResult', {
      ...page.head,
      Marker: page.encode(marker),
      IsTruncated: page.isTruncated,
      NextMarker: next === undefined ? undefined : page.encode(next),
      ...page.body,
    }),
  };
};

type After = { readonly key: string; readonly wholePrefix: boolean } | undefined;

interface Page {
  readonly head: XmlTree;
  readonly body: XmlTree;
  readonly entries: readonly Listed[];
  readonly isTruncated: boolean;
  encode(text: string): string;
}

async function listPage(request: S3Request, { store, accountId }: Deps, after: After): Promise<Page> {
  store.bucket(request.bucket);
  const encode = encoderOf(request);
  const prefix = request.query.get('prefix') ?? '';
  const delimiter = request.query.get('delimiter') ?? '';
  const limit = pageSize(request, 'max-keys');
  const { entries, isTruncated } = await listRows(store.db, {
    rowPrefix: rows.objects(request.bucket),
    prefix,
    delimiter,
    ...(after && { after }),
    limit,
  });
  const owner = request.query.get('fetch-owner') === 'true' ? { ID: accountId } : undefined;
  return {
    entries,
    isTruncated,
    encode,
    head: {
      Name: request.bucket,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      MaxKeys: limit,
      EncodingType: request.query.get('encoding-type'),
    },
    body: {
      Contents: entries.flatMap((entry) => ('key' in entry ? [contentsOf(entry, encode, owner)] : [])),
      CommonPrefixes: prefixesOf(entries, encode),
    },
  };
}

function contentsOf(
  { key, value }: { key: string; value: unknown },
  encode: (text: string) => string,
  owner: XmlTree | undefined,
): XmlTree {
  const record = value as ObjectRecord;
  return {
    Key: encode(key),
    LastModified: isoTime(record.modified),
    ETag: quoted(record.etag),
    ChecksumAlgorithm: Object.keys(record.checksums ?? {}),
    ChecksumType: record.checksums ? (record.checksumType ?? 'FULL_OBJECT') : undefined,
    Size: record.size,
    StorageClass: 'STANDARD',
    Owner: owner,
  };
}

const prefixesOf = (entries: readonly Listed[], encode: (text: string) => string): XmlTree[] =>
  entries.flatMap((entry) => ('commonPrefix' in entry ? [{ Prefix: encode(entry.commonPrefix) }] : []));

export const listMultipartUploads: Operation = async (request, { store }) => {
  store.bucket(request.bucket);
  const { query } = request;
  const encode = encoderOf(request);
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const limit = pageSize(request, 'max-uploads');
  const keyMarker = query.get('key-marker') ?? '';
  const idMarker = query.get('upload-id-marker') ?? '';
  const after =
    keyMarker === ''
      ? undefined
      : idMarker === ''
        ? { key: `${keyMarker}\0`, wholePrefix: true }
        : { key: `${keyMarker}\0${idMarker}`, wholePrefix: false };
  const { entries, isTruncated } = await listRows(store.db, {
    rowPrefix: rows.uploads(request.bucket),
    prefix,
    delimiter,
    ...(after && { after }),
    limit,
  });
  const last = entries.at(-1);
  const [nextKey, nextId] = last && isTruncated ? splitUpload(nameOf(last)) : [undefined, undefined];
  return {
    xml: renderXml('ListMultipartUploadsResult', {
      Bucket: request.bucket,
      KeyMarker: encode(keyMarker),
      UploadIdMarker: idMarker,
      NextKeyMarker: nextKey === undefined ? undefined : encode(nextKey),
      NextUploadIdMarker: nextId,
      Prefix: encode(prefix),
      Delimiter: delimiter === '' ? undefined : encode(delimiter),
      EncodingType: query.get('encoding-type'),
      MaxUploads: limit,
      IsTruncated: isTruncated,
      Upload: entries.flatMap((entry) => ('key' in entry ? [uploadOf(entry, encode)] : [])),
      CommonPrefixes: prefixesOf(entries, encode),
    }),
  };
};

function uploadOf(
  { key, value }: { key: string; value: unknown },
  encode: (text: string) => string,
): XmlTree {
  const record = value as UploadRecord;
  return {
    Key: encode(record.key),
    UploadId: splitUpload(key)[1],
    StorageClass: 'STANDARD',
    Initiated: isoTime(record.initiated),
    ChecksumAlgorithm: record.checksumAlgorithm,
    ChecksumType: record.checksumType,
  };
}

/** `key NUL uploadId` (upload ids have no NUL). */
function splitUpload(name: string): [key: string, uploadId: string] {
  const nul = name.lastIndexOf('\0');
  return nul < 0 ? [name, ''] : [name.slice(0, nul), name.slice(nul + 1)];
}

const nameOf = (entry: Listed): string => ('key' in entry ? entry.key : entry.commonPrefix);

/** How text of keys goes out: with encoding-type=url percent-encoded but for `/`, else as it is. */
function encoderOf({ query }: S3Request): (text: string) => string {
  const type = query.get('encoding-type');
  if (type === undefined || type === '') return (text) => text;
  if (type !== 'url') throw new S3Error('InvalidArgument', 'Invalid Encoding Method specified in Request');
  return (text) => encodeURIComponent(text).replaceAll('%2F', '/');
}

/** Throws InvalidArgument. */
export function pageSize({ query }: S3Request, name: string): number {
  const text = query.get(name);
  if (text === undefined || text === '') return PAGE_LIMIT;
  if (!/^\d{1,10}$/.test(text) || Number(text) > 2 ** 31 - 1) {
    throw new S3Error('InvalidArgument', `Argument ${name} must be an integer between 0 and 2147483647`);
  }
  return Math.min(PAGE_LIMIT, Number(text));
}

/** Opaque to clients: `k` or `p` (a common prefix, whole) and the name. */
function writeToken(last: Listed): string {
  return Buffer.from(`${'key' in last ? 'k' : 'p'}${nameOf(last)}`, 'utf8').toString('base64url');
}

function readToken(token: string): After {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (!/^[kp]./s.test(text))
    throw new S3Error('InvalidArgument', 'The continuation token provided is incorrect');
  return { key: text.slice(1), wholePrefix: text.startsWith('p') };
}
