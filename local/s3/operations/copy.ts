/** CopyObject: content is shared, never copied; the digest asked for comes from the index when it is known. */
import type { ChecksumAlgorithm, Checksums, Digest } from '../checksums.ts';
import { checkRead, noSuchKey, writeCondition } from '../conditions.ts';
import { askedAlgorithm, checksumElements, metadataOf, taggingHeader } from '../object-headers.ts';
import { type Deps, isoTime, type Operation, quoted } from '../operation.ts';
import { S3Error } from '../s3-error.ts';
import { parseKey, percentDecode, type S3Request } from '../s3-request.ts';
import type { NewContent } from '../store/content.ts';
import type { ObjectRecord, Tag } from '../store/records.ts';
import { renderXml } from '../xml.ts';
import { created } from './objects.ts';

const COPY_LIMIT_BYTES = 5 * 1024 ** 3;
const REPLACED_WHILE_COPYING_RETRIES = 10;

export interface CopySource {
  readonly bucket: string;
  readonly key: string;
}

/** The `x-amz-copy-source` header: `[/]bucket/key[?versionId=null]`, percent-encoded. */
export function copySourceOf({ headers }: S3Request): CopySource {
  const text = (headers['x-amz-copy-source'] ?? '').replace(/^\//, '');
  const mark = text.lastIndexOf('?versionId=');
  if (mark >= 0 && text.slice(mark) !== '?versionId=null') throw new S3Error('NoSuchVersion');
  const path = mark < 0 ? text : text.slice(0, mark);
  const slash = path.includes('/') ? path.indexOf('/') : path.search(/%2f/i);
  const keyAt = slash + (path[slash] === '/' ? 1 : 3);
  if (slash < 1 || keyAt >= path.length) {
    throw new S3Error(
      'InvalidArgument',
      'Copy Source must mention the source bucket and key: sourcebucket/sourcekey',
    );
  }
  return { bucket: percentDecode(path.slice(0, slash)), key: parseKey(path.slice(keyAt)) };
}

/** The source's record, its copy-source conditions checked. */
export function findSource(request: S3Request, source: CopySource, { store }: Deps): ObjectRecord {
  store.bucket(source.bucket);
  const record = store.object(source.bucket, source.key);
  if (!record) throw noSuchKey(source.key);
  checkRead(request.headers, record, 'x-amz-copy-source-');
  return record;
}

export const copyObject: Operation = async (request, deps) => {
  const { store } = deps;
  store.bucket(request.bucket);
  const source = copySourceOf(request);
  const check = writeCondition(request, store.object(request.bucket, request.key));
  const { from, content, digests } = await shareSource(request, source, deps);
  const record = await orDiscard(deps, content, () =>
    recordOf(request, from, content, digests, deps, source),
  );
  await store.putObject(request.bucket, request.key, record, content, check);
  deps.announce(request, request.key, created('CopyObject', record));
  return {
    xml: renderXml('CopyObjectResult', {
      ETag: quoted(record.etag),
      LastModified: isoTime(record.modified),
      ...checksumElements(record),
    }),
  };
};

/** What `work` gives; when it throws, the content that it was for is discarded. */
export async function orDiscard<T>(deps: Deps, content: NewContent, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await deps.store.content.discard(content);
    throw error;
  }
}

/** The source's content once more, with what must be known of it. Starts over when the source is replaced meanwhile. */
async function shareSource(
  request: S3Request,
  source: CopySource,
  deps: Deps,
): Promise<{ from: ObjectRecord; content: NewContent; digests: Record<string, string> }> {
  for (let attempt = 0; ; attempt++) {
    const from = findSource(request, source, deps);
    if (from.size > COPY_LIMIT_BYTES) {
      throw new S3Error(
        'InvalidRequest',
        `The specified copy source is larger than the maximum allowable size for a copy source: ${COPY_LIMIT_BYTES}`,
      );
    }
    let content: NewContent | undefined;
    try {
      content = await deps.store.content.share(from.segments);
      const missing = missingDigests(from, wantedAlgorithms(request, from));
      const digests = missing.length > 0 ? await deps.store.content.digest(content.segments, missing) : {};
      return { from, content, digests };
    } catch (error) {
      if (content) await deps.store.content.discard(content);
      const isReplaced = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!isReplaced || attempt === REPLACED_WHILE_COPYING_RETRIES) throw error;
    }
  }
}

/** The algorithm asked for, else those of the source. */
function wantedAlgorithms(request: S3Request, from: ObjectRecord): ChecksumAlgorithm[] {
  const asked = askedAlgorithm(request);
  return asked ? [asked] : (Object.keys(from.checksums ?? {}) as ChecksumAlgorithm[]);
}

function missingDigests(from: ObjectRecord, wanted: readonly ChecksumAlgorithm[]): Digest[] {
  const missing: Digest[] = wanted.filter((name) => knownChecksum(from, name) === undefined);
  // S3 gives a copy the ETag of a plain object, whatever the source was.
  if (from.etag.includes('-')) missing.push('MD5');
  return missing;
}

function knownChecksum(from: ObjectRecord, name: ChecksumAlgorithm): string | undefined {
  if (name === 'SHA256' && from.sha256 !== undefined) return from.sha256;
  return from.checksumType === 'COMPOSITE' ? undefined : from.checksums?.[name];
}

async function recordOf(
  request: S3Request,
  from: ObjectRecord,
  content: NewContent,
  digests: Record<string, string>,
  deps: Deps,
  source: CopySource,
): Promise<ObjectRecord> {
  const wanted = wantedAlgorithms(request, from);
  const checksums: Checksums = {};
  for (const name of wanted) checksums[name] = knownChecksum(from, name) ?? digests[name]!;
  const sha256 = from.sha256 ?? digests.SHA256;
  if (digests.SHA256 !== undefined) await rememberSha256(deps, source, from, digests.SHA256);
  const tags = tagsFor(request, from);
  return {
    segments: content.segments,
    size: from.size,
    etag: digests.MD5 === undefined ? from.etag : Buffer.from(digests.MD5, 'base64').toString('hex'),
    modified: deps.now(),
    headers: headersFor(request, from, source),
    ...(tags && { tags }),
    ...(wanted.length > 0 && { checksums }),
    ...(sha256 !== undefined && { sha256 }),
  };
}

/** So that the next copy of the same object need not read it again. */
async function rememberSha256(
  deps: Deps,
  source: CopySource,
  from: ObjectRecord,
  sha256: string,
): Promise<void> {
  await deps.store
    .updateObject(source.bucket, source.key, (current) => {
      if (current?.segments[0]?.id !== from.segments[0]?.id) throw new S3Error('NoSuchKey');
      return { ...current!, sha256 };
    })
    .catch((error) => {
      if (!(error instanceof S3Error)) throw error;
    });
}

function headersFor(request: S3Request, from: ObjectRecord, source: CopySource): Record<string, string> {
  const directive = request.headers['x-amz-metadata-directive']?.toUpperCase() ?? 'COPY';
  if (directive === 'REPLACE') return metadataOf(request);
  if (directive !== 'COPY') throw new S3Error('InvalidArgument', 'Unknown metadata directive.');
  if (source.bucket === request.bucket && source.key === request.key && !askedAlgorithm(request)) {
    throw new S3Error(
      'InvalidRequest',
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata.",
    );
  }
  return { ...from.headers };
}

function tagsFor(request: S3Request, from: ObjectRecord): readonly Tag[] | undefined {
  const directive = request.headers['x-amz-tagging-directive']?.toUpperCase() ?? 'COPY';
  if (directive === 'REPLACE') return taggingHeader(request);
  if (directive !== 'COPY') throw new S3Error('InvalidArgument', 'Unknown tagging directive.');
  return from.tags;
}
