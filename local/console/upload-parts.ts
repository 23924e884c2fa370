/**
 * Large files in parts, so that a break costs one part: what has arrived is the object store's own multipart upload, which
 * outlives this server. Each part comes with its SHA-256, which the store compares; before going on, the page compares
 * those of its file with those that are there.
 */
import type { IncomingMessage } from 'node:http';
import {
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import type { ArrivedPart } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';

/** S3 asks for 5 MiB at least, and takes 10,000 parts: files up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;

const SHA256 = /^[A-Za-z0-9+/]{43}=$/;
const PART_ID = /^[A-Za-z0-9._~-]{1,1024}$/;

/** Which multipart upload: S3 names it, the page keeps the name. */
export interface PartsOf {
  readonly key: string;
  readonly partsId: string;
}

const place = ({ inboxBucket }: Backend, { key, partsId }: PartsOf) => ({
  Bucket: inboxBucket,
  Key: key,
  UploadId: requirePartsId(partsId),
});

function requirePartsId(partsId: string): string {
  if (!PART_ID.test(partsId)) throw new HttpProblem(400, 'partsId: expected the name that begin gave');
  return partsId;
}

export async function beginParts(
  { s3, inboxBucket }: Backend,
  key: string,
): Promise<{ partsId: string; partBytes: number }> {
  const { UploadId = '' } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket: inboxBucket, Key: key, ChecksumAlgorithm: 'SHA256' }),
  );
  return { partsId: UploadId, partBytes: PART_BYTES };
}

/** Throws HttpProblem 404 where there is no such upload any more: begin again. */
export async function listParts(backend: Backend, of: PartsOf): Promise<ArrivedPart[]> {
  const parts: ArrivedPart[] = [];
  let marker: string | undefined;
  do {
    const command = new ListPartsCommand({ ...place(backend, of), PartNumberMarker: marker });
    const page = await backend.s3.send(command).catch(asGone);
    for (const { PartNumber = 0, Size = 0, ChecksumSHA256 = '', ETag = '' } of page.Parts ?? [])
      parts.push({ number: PartNumber, sizeBytes: Size, sha256: ChecksumSHA256, etag: ETag });
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

function asGone(cause: unknown): never {
  if ((cause as Error).name !== 'NoSuchUpload') throw cause;
  throw new HttpProblem(404, 'these parts are gone', { cause });
}

/** One part; the store refuses a body that is not what its digest says. Throws HttpProblem 400, 404, 413. */
export async function receivePart(backend: Backend, of: PartsOf, request: IncomingMessage): Promise<void> {
  const PartNumber = Number(request.headers['x-isocenter-part']);
  if (!Number.isInteger(PartNumber) || PartNumber < 1 || PartNumber > 10_000)
    throw new HttpProblem(400, 'x-isocenter-part: expected a number from 1 to 10000');
  const sha256 = request.headers['x-isocenter-sha256'];
  if (typeof sha256 !== 'string' || !SHA256.test(sha256))
    throw new HttpProblem(400, 'x-isocenter-sha256: expected a digest in base64');
  const command = new UploadPartCommand({
    ...place(backend, of),
    PartNumber,
    Body: await readPart(request),
    ChecksumSHA256: sha256,
  });
  try {
    await backend.s3.send(command).catch(asGone);
  } catch (cause) {
    if ((cause as Error).name !== 'BadDigest') throw cause;
    throw new HttpProblem(400, `part ${PartNumber} arrived damaged`, { cause });
  }
}

async function readPart(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > PART_BYTES) throw new HttpProblem(413, `a part is at most ${PART_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Makes the object of its parts, when they are all there. Throws HttpProblem 404, 409. */
export async function completeParts(backend: Backend, of: PartsOf, sizeBytes: number): Promise<void> {
  const parts = await listParts(backend, of).catch(async (error: unknown) => {
    // An answer that was lost: the parts became the object before.
    const entry = await backend.deps.objects.head({ bucket: backend.inboxBucket, key: of.key });
    if (entry?.sizeBytes !== sizeBytes) throw error;
    return undefined;
  });
  if (parts === undefined) return;
  const got = parts.reduce((sum, part) => sum + part.sizeBytes, 0);
  const isInOrder = parts.every(({ number }, index) => number === index + 1);
  if (got !== sizeBytes || !isInOrder)
    throw new HttpProblem(409, `${got} of ${sizeBytes} bytes are there, in ${parts.length} parts`);
  const Parts: CompletedPart[] = parts.map(({ number, etag, sha256 }) => ({
    PartNumber: number,
    ETag: etag,
    ChecksumSHA256: sha256,
  }));
  await backend.s3.send(
    new CompleteMultipartUploadCommand({ ...place(backend, of), MultipartUpload: { Parts } }),
  );
}
