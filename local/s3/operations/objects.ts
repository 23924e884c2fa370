/** PutObject, GetObject, HeadObject, DeleteObject, DeleteObjects, GetObjectAttributes. */
import type { Answer } from '../answer.ts';
import { checkRead, deleteCondition, noSuchKey, writeCondition } from '../conditions.ts';
import {
  checksumElements,
  checksumHeaders,
  headersOf,
  metadataOf,
  taggingHeader,
} from '../object-headers.ts';
import { type Deps, type Operation, quoted } from '../operation.ts';
import { readDocument, receiveBody } from '../payload.ts';
import { type ByteRange, parseRange, partRange } from '../range.ts';
import { S3Error, toS3Error } from '../s3-error.ts';
import type { S3Request } from '../s3-request.ts';
import type { OpenContent } from '../store/content.ts';
import type { ObjectRecord } from '../store/records.ts';
import { childElements, childText, parseXml, renderXml, type XmlTree } from '../xml.ts';

const DELETE_LIMIT = 1000;
const REPLACED_WHILE_READING_RETRIES = 10;

export const putObject: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const check = writeCondition(request, store.object(request.bucket, request.key));
  const headers = metadataOf(request);
  const tags = taggingHeader(request);
  const body = await receiveBody(request, store);
  const record: ObjectRecord = {
    segments: body.content.segments,
    size: body.sizeBytes,
    etag: body.md5,
    modified: deps.now(),
    headers,
    ...(tags && { tags }),
    ...(Object.keys(body.checksums).length > 0 && { checksums: body.checksums }),
    ...(body.sha256 !== undefined && { sha256: body.sha256 }),
  };
  await store.putObject(request.bucket, request.key, record, body.content, check);
  deps.announce(request, request.key, created('PutObject', record));
  return { headers: { etag: quoted(record.etag), ...checksumHeaders(record) } };
};

export const created = (reason: string, { size, etag }: ObjectRecord) =>
  ({ type: 'Object Created', reason, size, etag }) as const;

/** The object that a read is about, its conditions checked. Throws NoSuchBucket, NoSuchKey, NoSuchVersion … */
export function findObject(request: S3Request, { store }: Deps): ObjectRecord {
  store.bucket(request.bucket);
  const version = request.query.get('versionId');
  if (version !== undefined && version !== 'null') throw new S3Error('NoSuchVersion');
  const record = store.object(request.bucket, request.key);
  if (!record) throw noSuchKey(request.key);
  return record;
}

export const headObject: Operation = async (request, deps) => {
  const record = findObject(request, deps);
  checkRead(request.headers, record);
  const range = wantedRange(request, record);
  return {
    ...rangeAnswer(request, record, range),
    lengthBytes: (range?.end ?? record.size) - (range?.start ?? 0),
  };
};

export const getObject: Operation = async (request, deps) => {
  for (let attempt = 0; ; attempt++) {
    const record = findObject(request, deps);
    checkRead(request.headers, record);
    const range = wantedRange(request, record);
    const { start, end } = range ?? { start: 0, end: record.size };
    const content = await openUnlessReplaced(deps, record, start, end);
    if (content) return { ...rangeAnswer(request, record, range), content, lengthBytes: end - start };
    if (attempt === REPLACED_WHILE_READING_RETRIES) throw new S3Error('InternalError', 'content is missing');
  }
};

/** Undefined when the files have just gone because the object was replaced: then there is a newer record to read. */
async function openUnlessReplaced(
  { store }: Deps,
  record: ObjectRecord,
  start: number,
  end: number,
): Promise<OpenContent | undefined> {
  try {
    return await store.content.open(record.segments, start, end);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

function wantedRange(request: S3Request, record: ObjectRecord): ByteRange | undefined {
  const part = request.query.get('partNumber');
  if (part !== undefined) return partRange(part, record);
  return parseRange(request.headers.range, record.size);
}

function rangeAnswer(request: S3Request, record: ObjectRecord, range: ByteRange | undefined): Answer {
  const headers = { ...headersOf(record, request, !range), ...overrides(request) };
  if (!range) return { headers };
  headers['content-range'] = `bytes ${range.start}-${range.end - 1}/${record.size}`;
  if (request.query.has('partNumber')) headers['x-amz-mp-parts-count'] = String(record.segments.length);
  return { status: 206, headers };
}

/** `response-content-type` and its kin. Throws InvalidArgument on what no header can hold. */
function overrides({ query }: S3Request): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of query) {
    const header = /^response-(content-(?:type|language|encoding|disposition)|cache-control|expires)$/.exec(
      name,
    )?.[1];
    if (header === undefined) continue;
    if (!/^[\t\x20-\x7e\x80-\xff]*$/.test(value))
      throw new S3Error('InvalidArgument', `${name} is no header value`);
    headers[header] = value;
  }
  return headers;
}

export const deleteObject: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const removed = await store.deleteObject(
    request.bucket,
    request.key,
    deleteCondition(request.headers['if-match'], request.key),
  );
  if (removed) deps.announce(request, request.key, { type: 'Object Deleted', reason: 'DeleteObject' });
  return { status: 204 };
};

export const deleteObjects: Operation = async (request, deps) => {
  deps.store.bucket(request.bucket);
  const document = parseXml(await readDocument(request), 'Delete');
  const wanted = childElements(document, 'Object').map((element) => ({
    key: childText(element, 'Key'),
    etag: childText(element, 'ETag'),
  }));
  if (wanted.length === 0 || wanted.length > DELETE_LIMIT) throw new S3Error('MalformedXML');
  const isQuiet = childText(document, 'Quiet') === 'true';
  const results = await Promise.all(wanted.map(({ key, etag }) => deleteOne(request, deps, key, etag)));
  const deleted = results.filter((result) => !('Code' in result));
  return {
    xml: renderXml('DeleteResult', {
      Deleted: isQuiet ? [] : deleted,
      Error: results.filter((result) => 'Code' in result),
    }),
  };
};

async function deleteOne(
  request: S3Request,
  deps: Deps,
  key: string | undefined,
  etag: string | undefined,
): Promise<XmlTree> {
  try {
    if (key === undefined || key === '') throw new S3Error('MalformedXML', 'an Object without Key');
    const removed = await deps.store.deleteObject(request.bucket, key, deleteCondition(etag, key));
    if (removed) deps.announce(request, key, { type: 'Object Deleted', reason: 'DeleteObject' });
    return { Key: key };
  } catch (error) {
    const { code, message } = toS3Error(error);
    return { Key: key ?? '', Code: code, Message: message };
  }
}

export const getObjectAttributes: Operation = async (request, deps) => {
  const record = findObject(request, deps);
  checkRead(request.headers, record);
  const wanted = new Set((request.headers['x-amz-object-attributes'] ?? '').split(/\s*,\s*/));
  const isMultipart = record.etag.includes('-');
  return {
    headers: { 'last-modified': new Date(record.modified).toUTCString() },
    xml: renderXml('GetObjectAttributesResponse', {
      ETag: wanted.has('ETag') ? record.etag : undefined,
      Checksum: wanted.has('Checksum') && record.checksums ? checksumElements(record) : undefined,
      ObjectParts: wanted.has('ObjectParts') && isMultipart ? partsOf(record) : undefined,
      StorageClass: wanted.has('StorageClass') ? 'STANDARD' : undefined,
      ObjectSize: wanted.has('ObjectSize') ? record.size : undefined,
    }),
  };
};

function partsOf(record: ObjectRecord): XmlTree {
  return {
    PartsCount: record.segments.length,
    IsTruncated: false,
    Part: record.segments.map(({ size }, n) => {
      const checksums = record.partChecksums?.[n];
      const { ChecksumType: _type, ...elements } = checksums ? checksumElements({ checksums }) : {};
      return { ...elements, PartNumber: n + 1, Size: size };
    }),
  };
}
