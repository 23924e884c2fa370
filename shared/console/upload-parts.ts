/**
 * Large files in parts, so that a break costs one part: what has arrived is the object store's own multipart upload, which
 * outlives this server. Each part comes with its SHA-256, which the store compares; before going on, the page compares
 * those of its file with those that are there.
 */
import {
  AbortMultipartUploadCommand,
  type CompletedPart,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
} from '@aws-sdk/client-s3';
import type { ArrivedPart } from './api.ts';
import type { Backend, PartsOf, Place } from './backend.ts';
import { HttpProblem } from './http.ts';
import { keyOf } from './uploads.ts';

/** S3 asks for 5 MiB at least, and takes 10,000 parts: files up to 80 GB. */
export const PART_BYTES = 8 * 1024 * 1024;

const SHA256 = /^[A-Za-z0-9+/]{43}=$/;
const PART_ID = /^[A-Za-z0-9._~-]{1,1024}$/;

const nameOf = ({ inboxBucket }: Backend, { key, partsId }: PartsOf) => ({
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
    const command = new ListPartsCommand({ ...nameOf(backend, of), PartNumberMarker: marker });
    const page = await backend.s3.send(command).catch(asGone);
    for (const { PartNumber = 0, Size = 0, ChecksumSHA256 = '', ETag = '' } of page.Parts ?? [])
      parts.push({ number: PartNumber, sizeBytes: Size, sha256: ChecksumSHA256, etag: ETag });
    marker = page.IsTruncated ? page.NextPartNumberMarker : undefined;
  } while (marker !== undefined);
  return parts;
}

/** Throws HttpProblem 404. */
export function asGone(cause: unknown): never {
  if ((cause as Error).name !== 'NoSuchUpload') throw cause;
  throw new HttpProblem(404, 'these parts are gone', { cause });
}

/** Where a part goes; the store refuses a body that is not what its digest says. Throws HttpProblem 400. */
export function placePart(
  backend: Backend,
  of: PartsOf,
  part: { readonly number: number; readonly sha256: string },
): Promise<Place> {
  requirePartsId(of.partsId);
  if (part.number < 1 || part.number > 10_000)
    throw new HttpProblem(400, 'number: expected one from 1 to 10000');
  if (!SHA256.test(part.sha256)) throw new HttpProblem(400, 'sha256: expected a digest in base64');
  return backend.places.part(of, part);
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
    new CompleteMultipartUploadCommand({ ...nameOf(backend, of), MultipartUpload: { Parts } }),
  );
}

/** Throws away the parts of files that were never whole: somebody gave this upload up. Safe to repeat. */
export async function abortParts({ s3, inboxBucket }: Backend, upload: string): Promise<{ aborted: number }> {
  const of = { Bucket: inboxBucket, Prefix: keyOf(upload, '') };
  let aborted = 0;
  let from: { KeyMarker?: string | undefined; UploadIdMarker?: string | undefined } | undefined = {};
  while (from !== undefined) {
    const page: ListMultipartUploadsCommandOutput = await s3.send(
      new ListMultipartUploadsCommand({ ...of, ...from }),
    );
    for (const { Key, UploadId } of page.Uploads ?? [])
      await s3
        .send(new AbortMultipartUploadCommand({ Bucket: inboxBucket, Key, UploadId }))
        .catch((error: Error) => {
          if (error.name !== 'NoSuchUpload') throw error;
        });
    aborted += page.Uploads?.length ?? 0;
    const { NextKeyMarker: KeyMarker, NextUploadIdMarker: UploadIdMarker } = page;
    from = page.IsTruncated ? { KeyMarker, UploadIdMarker } : undefined;
  }
  return { aborted };
}
