/** The ObjectStore port over Amazon S3 or what is compatible with it; the SDK's errors become the port's. */
import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { ObjectEntry, ObjectLocation, ObjectStore } from '../ports/object-store.ts';
import { bodyBytes } from './body-bytes.ts';
import { mapped, mapS3Error, statusOf } from './s3-errors.ts';
import { copyParts, cutIntoParts, FIRST_PART_BYTES, inTurns, uploadParts } from './s3-parts.ts';

/** S3's limit for CopyObject (API reference); above, parts are copied. */
const SINGLE_COPY_LIMIT_BYTES = 5 * 1024 ** 3;
const COPY_PART_BYTES = 1024 ** 3;
const REMOVE_PAGE = 1000;
const REMOVE_PAGES_AT_ONCE = 4;

/** Overrides of the limits, so that tests reach what needs gigabytes. */
export interface S3ObjectStoreOptions {
  readonly singleCopyLimitBytes?: number;
  readonly copyPartBytes?: number;
}

export function s3ObjectStore(client: S3Client, options: S3ObjectStoreOptions = {}): ObjectStore {
  const { singleCopyLimitBytes = SINGLE_COPY_LIMIT_BYTES, copyPartBytes = COPY_PART_BYTES } = options;
  return {
    list: (bucket, prefix, startAfter) => list(client, bucket, prefix, startAfter),
    head: (location) => head(client, location),
    read: (location, range) => read(client, location, range),
    async stream(location, { ifMatch } = {}) {
      const answer = await get(client, location, { ifMatch });
      return answer.Body as unknown as AsyncIterable<Uint8Array>;
    },
    write: (location, body, conditions) => write(client, location, body, conditions),
    writeStream: (location, chunks, conditions) => writeStream(client, location, chunks, conditions),
    async copy(from, to) {
      if (from.sizeBytes <= singleCopyLimitBytes) return copyWhole(client, from, to);
      const etag = await copyParts(client, { ...from, copySource: sourceOf(from) }, to, copyPartBytes);
      return { etag, sha256: await streamedSha256(client, { ...to, etag }) };
    },
    remove: (bucket, objects) => remove(client, bucket, objects),
  };
}

async function* list(
  client: S3Client,
  bucket: string,
  prefix: string,
  startAfter: string | undefined,
): AsyncIterable<ObjectEntry> {
  let token: string | undefined;
  do {
    const page = await mapped(
      client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // XML cannot carry every character that a key may have.
          EncodingType: 'url',
          ContinuationToken: token,
          StartAfter: token === undefined ? startAfter : undefined,
        }),
      ),
    );
    for (const { Key, Size, ETag, LastModified } of page.Contents ?? []) {
      yield {
        key: decodeURIComponent((Key ?? '').replaceAll('+', ' ')),
        sizeBytes: Size ?? 0,
        etag: ETag ?? '',
        lastModified: isoTime(LastModified),
      };
    }
    token = page.IsTruncated ? page.NextContinuationToken : undefined;
  } while (token !== undefined);
}

const isoTime = (time: Date | undefined): string => (time ?? new Date(0)).toISOString();

async function head(client: S3Client, { bucket, key }: ObjectLocation): Promise<ObjectEntry | undefined> {
  try {
    const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
    return {
      key,
      sizeBytes: answer.ContentLength ?? 0,
      etag: answer.ETag ?? '',
      lastModified: isoTime(answer.LastModified),
    };
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw mapS3Error(error);
  }
}

type ReadOptions = { readonly start?: number; readonly end?: number; readonly ifMatch?: string };

async function read(client: S3Client, location: ObjectLocation, options: ReadOptions = {}) {
  const { start = 0, end, ifMatch } = options;
  if (end !== undefined && end <= start) return readNothing(client, location, ifMatch);
  const range =
    start === 0 && end === undefined ? undefined : `bytes=${start}-${end === undefined ? '' : end - 1}`;
  try {
    const answer = await get(client, location, { range, ifMatch });
    const bytes = await bodyBytes(answer.Body);
    const totalBytes = Number(answer.ContentRange?.split('/')[1] ?? answer.ContentLength ?? bytes.length);
    return { bytes, etag: answer.ETag ?? '', totalBytes };
  } catch (error) {
    // 416: the range begins behind the end. The port gives no bytes then.
    if (statusOf(error) === 416) return readNothing(client, location, ifMatch);
    throw error;
  }
}

async function readNothing(client: S3Client, { bucket, key }: ObjectLocation, ifMatch: string | undefined) {
  const answer = await mapped(
    client.send(new HeadObjectCommand({ Bucket: bucket, Key: key, IfMatch: ifMatch })),
  );
  return { bytes: new Uint8Array(0), etag: answer.ETag ?? '', totalBytes: answer.ContentLength ?? 0 };
}

function get(
  client: S3Client,
  { bucket, key }: ObjectLocation,
  { range, ifMatch }: { range?: string | undefined; ifMatch?: string | undefined },
) {
  return mapped(
    client.send(new GetObjectCommand({ Bucket: bucket, Key: key, Range: range, IfMatch: ifMatch })),
  );
}

type WriteOptions = {
  readonly ifNoneMatch?: '*';
  readonly ifMatch?: string;
  readonly contentType?: string;
};

async function write(
  client: S3Client,
  { bucket, key }: ObjectLocation,
  body: Uint8Array | string,
  { ifNoneMatch, ifMatch, contentType }: WriteOptions = {},
): Promise<{ etag: string }> {
  const answer = await mapped(
    client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: body,
        ContentLength: Buffer.byteLength(body),
        IfNoneMatch: ifNoneMatch,
        IfMatch: ifMatch,
        ContentType: contentType,
      }),
    ),
  );
  return { etag: answer.ETag ?? '' };
}

/** What fits one part is a plain write: one request, and an ETag that is the MD5. */
async function writeStream(
  client: S3Client,
  to: ObjectLocation,
  chunks: AsyncIterable<Uint8Array | string>,
  options: { ifNoneMatch?: '*'; contentType?: string } = {},
): Promise<{ etag: string; sizeBytes: number }> {
  const parts = cutIntoParts(chunks);
  const first = (await parts.next()).value as Uint8Array;
  if (first.length < FIRST_PART_BYTES) {
    return { ...(await write(client, to, first, options)), sizeBytes: first.length };
  }
  const all = (async function* () {
    yield first;
    yield* parts;
  })();
  return uploadParts(client, to, all, options);
}

const sourceOf = ({ bucket, key }: ObjectLocation): string =>
  `${bucket}/${key.split('/').map(encodeURIComponent).join('/')}`;

async function copyWhole(
  client: S3Client,
  from: ObjectLocation & { readonly etag: string },
  to: ObjectLocation,
): Promise<{ etag: string; sha256: string }> {
  const { CopyObjectResult: result } = await mapped(
    client.send(
      new CopyObjectCommand({
        Bucket: to.bucket,
        Key: to.key,
        CopySource: sourceOf(from),
        CopySourceIfMatch: from.etag,
        ChecksumAlgorithm: 'SHA256',
      }),
    ),
  );
  const etag = result?.ETag ?? '';
  const checksum = result?.ChecksumSHA256 ?? '';
  // A composite one (of parts) is no digest of the bytes.
  const isOfWhole = /^[A-Za-z0-9+/]{43}=$/.test(checksum);
  const sha256 = isOfWhole
    ? Buffer.from(checksum, 'base64').toString('hex')
    : await streamedSha256(client, { ...to, etag });
  return { etag, sha256 };
}

async function streamedSha256(client: S3Client, of: ObjectLocation & { etag: string }): Promise<string> {
  const hash = createHash('sha256');
  const { Body } = await get(client, of, { ifMatch: of.etag });
  for await (const chunk of Body as unknown as AsyncIterable<Uint8Array>) hash.update(chunk);
  return hash.digest('hex');
}

type Removal = { readonly key: string; readonly etag?: string };
type Removed = Awaited<ReturnType<ObjectStore['remove']>>;

async function remove(client: S3Client, bucket: string, objects: readonly Removal[]): Promise<Removed> {
  const pages: Removal[][] = [];
  for (let at = 0; at < objects.length; at += REMOVE_PAGE) pages.push(objects.slice(at, at + REMOVE_PAGE));
  const results = await inTurns(REMOVE_PAGES_AT_ONCE, pages, (page) => removePage(client, bucket, page));
  return {
    removed: results.flatMap((result) => result.removed),
    changed: results.flatMap((result) => result.changed),
    failed: results.flatMap((result) => result.failed),
  };
}

/** DeleteObjects with an ETag a key. (A missing key that has one is answered with an error: for us it is removed.) */
async function removePage(client: S3Client, bucket: string, page: readonly Removal[]): Promise<Removed> {
  const Objects = page.map(({ key, etag }) => ({ Key: key, ETag: etag }));
  const { Errors = [] } = await mapped(
    client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Quiet: true, Objects } })),
  );
  const codes = new Map(Errors.map(({ Key, Code }) => [Key ?? '', Code ?? 'Unknown']));
  const result: Removed = { removed: [], changed: [], failed: [] };
  for (const { key } of page) {
    const code = codes.get(key);
    if (code === undefined || code === 'NoSuchKey') result.removed.push(key);
    else if (code !== 'PreconditionFailed' && code !== 'ConditionalRequestConflict') {
      result.failed.push({ key, code });
    } else if (await head(client, { bucket, key })) result.changed.push(key);
    else result.removed.push(key);
  }
  return result;
}
