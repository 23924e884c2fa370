/** Objects in parts: streams of unknown length in bounded memory, and copies over 5 GB. */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  type S3Client,
  UploadPartCommand,
  UploadPartCopyCommand,
} from '@aws-sdk/client-s3';
import type { ObjectLocation } from '../ports/object-store.ts';
import { mapped, mapS3Error } from './s3-errors.ts';

/** 10,000 parts is S3's limit: parts double every 1,000 (8, 16, 32 … MiB), so that 5 TiB fit. */
export const FIRST_PART_BYTES = 8 * 1024 ** 2;
const PARTS_PER_SIZE = 1000;
const COPY_PARTS_AT_ONCE = 4;

type UploadOptions = { readonly ifNoneMatch?: '*'; readonly contentType?: string };

/** Cuts a stream into parts, one held at a time. Always at least one, perhaps empty. */
export async function* cutIntoParts(chunks: AsyncIterable<Uint8Array | string>): AsyncGenerator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let count = 0;
  for await (const chunk of chunks) {
    let bytes = typeof chunk === 'string' ? Buffer.from(chunk, 'utf8') : chunk;
    for (;;) {
      const wanted = FIRST_PART_BYTES * 2 ** Math.floor(count / PARTS_PER_SIZE) - waitingBytes;
      if (bytes.length < wanted) break;
      yield Buffer.concat([...waiting, bytes.subarray(0, wanted)]);
      bytes = bytes.subarray(wanted);
      waiting = [];
      waitingBytes = 0;
      count++;
    }
    // Copied: whoever makes the chunks may use the buffer again.
    if (bytes.length > 0) waiting.push(Uint8Array.from(bytes));
    waitingBytes += bytes.length;
  }
  if (waitingBytes > 0 || count === 0) yield Buffer.concat(waiting);
}

/** Uploads parts as they come; returns the ETag and size. Throws PreconditionFailed. */
export async function uploadParts(
  client: S3Client,
  to: ObjectLocation,
  parts: AsyncIterable<Uint8Array>,
  options: UploadOptions,
): Promise<{ etag: string; sizeBytes: number }> {
  let sizeBytes = 0;
  const checksum = { ChecksumAlgorithm: 'CRC32' } as const;
  const etag = await inUpload(client, to, options, async (at) => {
    const done: CompletedPart[] = [];
    for await (const bytes of parts) {
      const PartNumber = done.length + 1;
      const answer = await client.send(
        new UploadPartCommand({ ...at, ...checksum, PartNumber, Body: bytes }),
      );
      done.push({ PartNumber, ETag: answer.ETag, ChecksumCRC32: answer.ChecksumCRC32 });
      sizeBytes += bytes.length;
    }
    return done;
  });
  return { etag, sizeBytes };
}

/** Copies an object by parts of `partBytes` on the server's side. Throws NoSuchObject, PreconditionFailed. */
export function copyParts(
  client: S3Client,
  from: { readonly copySource: string; readonly etag: string; readonly sizeBytes: number },
  to: ObjectLocation,
  partBytes: number,
): Promise<string> {
  const starts = Array.from({ length: Math.ceil(from.sizeBytes / partBytes) }, (_, n) => n * partBytes);
  return inUpload(client, to, {}, (at) =>
    inTurns(COPY_PARTS_AT_ONCE, starts, async (start, n) => {
      const last = Math.min(from.sizeBytes, start + partBytes) - 1;
      const { CopyPartResult: result } = await client.send(
        new UploadPartCopyCommand({
          ...at,
          PartNumber: n + 1,
          CopySource: from.copySource,
          CopySourceIfMatch: from.etag,
          CopySourceRange: `bytes=${start}-${last}`,
        }),
      );
      return { PartNumber: n + 1, ETag: result?.ETag, ChecksumCRC32: result?.ChecksumCRC32 };
    }),
  );
}

type UploadAt = { readonly Bucket: string; readonly Key: string; readonly UploadId: string | undefined };

/** A multipart upload around `work`: completed when it returns the parts, aborted when it throws. Returns the ETag. */
async function inUpload(
  client: S3Client,
  { bucket, key }: ObjectLocation,
  { ifNoneMatch, contentType }: UploadOptions,
  work: (at: UploadAt) => Promise<CompletedPart[]>,
): Promise<string> {
  const { UploadId } = await mapped(
    client.send(
      new CreateMultipartUploadCommand({
        Bucket: bucket,
        Key: key,
        ChecksumAlgorithm: 'CRC32',
        ContentType: contentType,
      }),
    ),
  );
  const at = { Bucket: bucket, Key: key, UploadId };
  try {
    const Parts = await work(at);
    const done = await client.send(
      new CompleteMultipartUploadCommand({ ...at, MultipartUpload: { Parts }, IfNoneMatch: ifNoneMatch }),
    );
    return done.ETag ?? '';
  } catch (error) {
    await client.send(new AbortMultipartUploadCommand(at)).catch(() => undefined);
    throw mapS3Error(error);
  }
}

/** Maps in order with at most `limit` running; the first failure stops what has not begun. */
export async function inTurns<T, R>(
  limit: number,
  items: readonly T[],
  work: (item: T, n: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = [];
  let next = 0;
  const runner = async () => {
    try {
      for (let n = next++; n < items.length; n = next++) results[n] = await work(items[n]!, n);
    } catch (error) {
      next = items.length;
      throw error;
    }
  };
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, runner));
  return results;
}
