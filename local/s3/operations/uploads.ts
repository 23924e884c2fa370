/** Multipart uploads: create, upload or copy parts, complete, abort, list parts. Completing copies no bytes. */
import { createHash, randomBytes } from 'node:crypto';
import {
  CHECKSUMS,
  type ChecksumAlgorithm,
  type Checksums,
  type ChecksumType,
  joinChecksums,
} from '../checksums.ts';
import { writeCondition } from '../conditions.ts';
import {
  askedAlgorithm,
  checksumElements,
  checksumHeaders,
  metadataOf,
  taggingHeader,
} from '../object-headers.ts';
import { type Deps, isoTime, type Operation, quoted } from '../operation.ts';
import { readDocument, receiveBody } from '../payload.ts';
import { parseRange } from '../range.ts';
import { S3Error } from '../s3-error.ts';
import type { S3Request } from '../s3-request.ts';
import type { ObjectRecord, PartRecord, UploadRecord } from '../store/records.ts';
import { childElements, childText, parseXml, renderXml, type XmlElement } from '../xml.ts';
import { copySourceOf, findSource, orDiscard } from './copy.ts';
import { pageSize } from './listings.ts';
import { created } from './objects.ts';

const PART_NUMBER_LIMIT = 10_000;
const PART_MINIMUM_BYTES = 5 * 1024 ** 2;

export const createMultipartUpload: Operation = async (request, deps) => {
  deps.store.bucket(request.bucket);
  const uploadId = randomBytes(24).toString('base64url');
  const checksumAlgorithm = askedAlgorithm(request);
  const checksumType = checksumAlgorithm && typeFor(request, checksumAlgorithm);
  const tags = taggingHeader(request);
  await deps.store.createUpload(uploadId, {
    bucket: request.bucket,
    key: request.key,
    initiated: deps.now(),
    headers: metadataOf(request),
    ...(tags && { tags }),
    ...(checksumAlgorithm && { checksumAlgorithm }),
    ...(checksumType && { checksumType }),
  });
  return {
    headers: {
      ...(checksumAlgorithm && { 'x-amz-checksum-algorithm': checksumAlgorithm }),
      ...(checksumType && { 'x-amz-checksum-type': checksumType }),
    },
    xml: renderXml('InitiateMultipartUploadResult', {
      Bucket: request.bucket,
      Key: request.key,
      UploadId: uploadId,
    }),
  };
};

/** SHA checksums of parts do not join to that of the whole, CRC64NVME is always of the whole. */
function typeFor(request: S3Request, algorithm: ChecksumAlgorithm): ChecksumType {
  const asked = request.headers['x-amz-checksum-type']?.toUpperCase();
  const type = asked ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE');
  const fits = type === 'FULL_OBJECT' ? CHECKSUMS[algorithm].joins : algorithm !== 'CRC64NVME';
  if ((type !== 'FULL_OBJECT' && type !== 'COMPOSITE') || !fits) {
    throw new S3Error('InvalidRequest', `The ${type} checksum type cannot be used with ${algorithm}.`);
  }
  return type;
}

function uploadIdOf({ query }: S3Request): string {
  const uploadId = query.get('uploadId') ?? '';
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(uploadId)) throw new S3Error('NoSuchUpload');
  return uploadId;
}

function partAt(request: S3Request) {
  const text = request.query.get('partNumber') ?? '';
  const partNumber = Number(text);
  if (!/^\d{1,5}$/.test(text) || partNumber < 1 || partNumber > PART_NUMBER_LIMIT) {
    throw new S3Error(
      'InvalidArgument',
      `Part number must be an integer between 1 and ${PART_NUMBER_LIMIT}, inclusive`,
    );
  }
  return { bucket: request.bucket, key: request.key, uploadId: uploadIdOf(request), partNumber };
}

export const uploadPart: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const at = partAt(request);
  const { checksumAlgorithm } = store.upload(at.bucket, at.key, at.uploadId);
  const body = await receiveBody(request, store);
  let { checksums } = body;
  if (checksumAlgorithm && checksums[checksumAlgorithm] === undefined) {
    const computing = () => checksumsOf(deps, body.content.segments, checksumAlgorithm);
    checksums = { ...checksums, ...(await orDiscard(deps, body.content, computing)) };
  }
  const part = {
    segments: body.content.segments,
    size: body.sizeBytes,
    etag: body.md5,
    modified: deps.now(),
    checksums,
  };
  await store.putPart(at, part, body.content);
  const { 'x-amz-checksum-type': _type, ...headers } = checksumHeaders({ checksums });
  return { headers: { etag: quoted(part.etag), ...headers } };
};

const checksumsOf = (deps: Deps, segments: PartRecord['segments'], algorithm: ChecksumAlgorithm) =>
  deps.store.content.digest(segments, [algorithm]) as Promise<Checksums>;

export const uploadPartCopy: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const at = partAt(request);
  const { checksumAlgorithm } = store.upload(at.bucket, at.key, at.uploadId);
  const source = copySourceOf(request);
  const from = findSource(request, source, deps);
  const header = request.headers['x-amz-copy-source-range'];
  const range = parseRange(header, from.size);
  if (header !== undefined && (!range || !header.endsWith(`-${range.end - 1}`))) {
    throw new S3Error(
      'InvalidArgument',
      'The x-amz-copy-source-range value must be of the form bytes=first-last',
    );
  }
  const { start, end } = range ?? { start: 0, end: from.size };
  const open = await store.content.open(from.segments, start, end);
  const { digests, ...content } = await store.content.receive(open.chunks(), end - start, [
    'MD5',
    ...(checksumAlgorithm ? [checksumAlgorithm] : []),
  ]);
  const { MD5, ...checksums } = digests;
  const part = {
    segments: content.segments,
    size: end - start,
    etag: Buffer.from(MD5!, 'base64').toString('hex'),
    modified: deps.now(),
    checksums: checksums as Checksums,
  };
  await store.putPart(at, part, content);
  const { ChecksumType: _type, ...elements } = checksumElements(part);
  return {
    xml: renderXml('CopyPartResult', {
      LastModified: isoTime(part.modified),
      ETag: quoted(part.etag),
      ...elements,
    }),
  };
};

export const completeMultipartUpload: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const uploadId = uploadIdOf(request);
  store.upload(request.bucket, request.key, uploadId);
  const check = writeCondition(request, store.object(request.bucket, request.key));
  const document = parseXml(await readDocument(request), 'CompleteMultipartUpload');
  const listed = childElements(document, 'Part').map(readListedPart);
  if (listed.length === 0) throw new S3Error('MalformedXML', 'You must specify at least one part');
  const record = await store.completeUpload(
    { bucket: request.bucket, key: request.key, uploadId },
    (upload, parts) => assemble(request, upload, pickParts(listed, parts), deps.now()),
    check,
  );
  deps.announce(request, request.key, created('CompleteMultipartUpload', record));
  return {
    xml: renderXml('CompleteMultipartUploadResult', {
      Location: `http://${request.headers.host ?? 'localhost'}/${request.bucket}/${encodeURIComponent(request.key)}`,
      Bucket: request.bucket,
      Key: request.key,
      ETag: quoted(record.etag),
      ...checksumElements(record),
    }),
  };
};

interface ListedPart {
  readonly partNumber: number;
  readonly etag: string;
  readonly element: XmlElement;
}

function readListedPart(element: XmlElement): ListedPart {
  const partNumber = Number(childText(element, 'PartNumber'));
  const etag = childText(element, 'ETag')
    ?.trim()
    .replace(/^"(.*)"$/, '$1');
  if (!Number.isInteger(partNumber) || etag === undefined) throw new S3Error('MalformedXML');
  return { partNumber, etag, element };
}

/** Throws InvalidPartOrder, InvalidPart, EntityTooSmall, BadDigest. */
function pickParts(listed: readonly ListedPart[], parts: ReadonlyMap<number, PartRecord>): PartRecord[] {
  return listed.map(({ partNumber, etag, element }, n) => {
    if (n > 0 && partNumber <= listed[n - 1]!.partNumber) throw new S3Error('InvalidPartOrder');
    const part = parts.get(partNumber);
    if (!part || part.etag !== etag)
      throw new S3Error('InvalidPart', undefined, { facts: { PartNumber: String(partNumber) } });
    if (n < listed.length - 1 && part.size < PART_MINIMUM_BYTES) {
      throw new S3Error('EntityTooSmall', undefined, { facts: { PartNumber: String(partNumber) } });
    }
    for (const [name, value] of Object.entries(part.checksums)) {
      const said = childText(element, CHECKSUMS[name as ChecksumAlgorithm].element);
      if (said !== undefined && said !== value)
        throw new S3Error('InvalidPart', `the ${name} of part ${partNumber} differs`);
    }
    return part;
  });
}

function assemble(
  request: S3Request,
  upload: UploadRecord,
  parts: readonly PartRecord[],
  now: number,
): ObjectRecord {
  const etags = createHash('md5');
  for (const part of parts) etags.update(Buffer.from(part.etag, 'hex'));
  const { checksumAlgorithm, checksumType } = upload;
  const record: ObjectRecord = {
    segments: parts.flatMap((part) => part.segments),
    size: parts.reduce((sum, part) => sum + part.size, 0),
    etag: `${etags.digest('hex')}-${parts.length}`,
    modified: now,
    headers: upload.headers,
    ...(upload.tags && { tags: upload.tags }),
    ...(checksumAlgorithm &&
      checksumType && {
        checksums: { [checksumAlgorithm]: joined(checksumAlgorithm, checksumType, parts) },
        checksumType,
        partChecksums: parts.map((part) => part.checksums),
      }),
  };
  checkWhole(request, record);
  return record;
}

const joined = (algorithm: ChecksumAlgorithm, type: ChecksumType, parts: readonly PartRecord[]) =>
  joinChecksums(
    algorithm,
    type,
    parts.map((part) => ({ checksum: part.checksums[algorithm]!, sizeBytes: part.size })),
  );

/** What the client says of the whole object: size and checksum. Throws BadDigest, InvalidRequest. */
function checkWhole({ headers }: S3Request, record: ObjectRecord): void {
  const size = headers['x-amz-mp-object-size'];
  if (size !== undefined && Number(size) !== record.size) {
    throw new S3Error('InvalidRequest', 'The x-amz-mp-object-size does not match the size of the parts.');
  }
  for (const [name, value] of Object.entries(record.checksums ?? {})) {
    const said = headers[CHECKSUMS[name as ChecksumAlgorithm].header];
    if (said !== undefined && said.replace(/-\d+$/, '') !== value.replace(/-\d+$/, ''))
      throw new S3Error('BadDigest');
  }
}

export const abortMultipartUpload: Operation = async (request, { store }) => {
  store.bucket(request.bucket);
  await store.abortUpload(request.bucket, request.key, uploadIdOf(request));
  return { status: 204 };
};

export const listParts: Operation = async (request, { store, accountId }) => {
  store.bucket(request.bucket);
  const uploadId = uploadIdOf(request);
  const upload = store.upload(request.bucket, request.key, uploadId);
  const limit = pageSize(request, 'max-parts');
  const marker = Number(request.query.get('part-number-marker') ?? 0);
  if (!Number.isInteger(marker) || marker < 0)
    throw new S3Error('InvalidArgument', 'part-number-marker is no number');
  const all = (await store.parts(uploadId)).filter(({ partNumber }) => partNumber > marker);
  const page = all.slice(0, limit);
  return {
    xml: renderXml('ListPartsResult', {
      Bucket: request.bucket,
      Key: request.key,
      UploadId: uploadId,
      Initiator: { ID: accountId },
      Owner: { ID: accountId },
      StorageClass: 'STANDARD',
      PartNumberMarker: marker,
      NextPartNumberMarker: page.at(-1)?.partNumber ?? marker,
      MaxParts: limit,
      IsTruncated: page.length < all.length,
      ChecksumAlgorithm: upload.checksumAlgorithm,
      ChecksumType: upload.checksumType,
      Part: page.map(({ partNumber, part }) => {
        const { ChecksumType: _type, ...elements } = checksumElements(part);
        return {
          PartNumber: partNumber,
          LastModified: isoTime(part.modified),
          ETag: quoted(part.etag),
          Size: part.size,
          ...elements,
        };
      }),
    }),
  };
};
