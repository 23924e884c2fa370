/** What an import job does on Amazon S3 or a compatible store: list a prefix, read ranges, write its output. */
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { bodyBytes } from '../../../shared/adapters/body-bytes.ts';
import type { ByteSource } from '../../../shared/dicom/byte-source.ts';

export interface InputObject {
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

export interface S3Location {
  readonly bucket: string;
  /** Without the leading slash; a prefix or a folder. */
  readonly prefix: string;
}

export interface Buckets {
  /** Every object below the prefix, in key order. `ownerAccountId` must own the bucket, where given. */
  list(location: S3Location, ownerAccountId?: string): AsyncIterable<InputObject>;
  source(bucket: string, object: InputObject, ownerAccountId?: string): ByteSource;
  write(bucket: string, key: string, body: string): Promise<void>;
  close(): void;
}

/** An object up to this size comes in one request; of a larger one, pieces of this size. */
const PIECE_BYTES = 4 * 1024 * 1024;
/** Pieces of one object held at a time: frames are asked for side by side. */
const PIECES_HELD = 3;

/** `s3://bucket/pre/fix` in parts. */
export function parseS3Uri(uri: string): S3Location {
  const [, bucket = '', prefix = ''] = /^s3:\/\/([^/]+)\/?(.*)$/s.exec(uri) ?? [];
  return { bucket, prefix };
}

export function openBuckets(options: { endpoint: string | undefined; region: string }): Buckets {
  const client = new S3Client({
    region: options.region,
    // What is read is proven by the frames' own checksums; hashing it once more on its way costs as much as reading it.
    responseChecksumValidation: 'WHEN_REQUIRED',
    ...(options.endpoint && {
      endpoint: options.endpoint,
      forcePathStyle: true,
      // A local store asks for no real identity; Amazon S3 gets the default chain.
      credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    }),
  });

  async function read(bucket: string, object: InputObject, start: number, end: number, owner?: string) {
    const reply = await client.send(
      new GetObjectCommand({
        Bucket: bucket,
        Key: object.key,
        IfMatch: object.etag,
        ...(start > 0 || end < object.sizeBytes ? { Range: `bytes=${start}-${end - 1}` } : {}),
        ...(owner && { ExpectedBucketOwner: owner }),
      }),
    );
    return bodyBytes(reply.Body);
  }

  return {
    async *list({ bucket, prefix }, owner) {
      let token: string | undefined;
      do {
        const page = await client.send(
          new ListObjectsV2Command({
            Bucket: bucket,
            Prefix: prefix,
            ...(token && { ContinuationToken: token }),
            ...(owner && { ExpectedBucketOwner: owner }),
          }),
        );
        for (const { Key: key, Size: sizeBytes = 0, ETag: etag = '' } of page.Contents ?? []) {
          if (key !== undefined) yield { key, sizeBytes, etag };
        }
        token = page.NextContinuationToken;
      } while (token);
    },
    source: (bucket, object, owner) =>
      pieceWise(object.sizeBytes, (start, end) => read(bucket, object, start, end, owner)),
    async write(bucket, key, body) {
      await client.send(
        new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          ContentLength: Buffer.byteLength(body),
        }),
      );
    },
    close: () => client.destroy(),
  };
}

/** A source that reads pieces ahead and keeps the last few. */
export function pieceWise(
  sizeBytes: number,
  read: (start: number, end: number) => Promise<Uint8Array>,
): ByteSource {
  const pieces: { start: number; end: number; bytes: Promise<Uint8Array> }[] = [];

  function pieceWith(start: number, end: number) {
    const held = pieces.find((piece) => piece.start <= start && piece.end >= end);
    if (held) return held;
    const pieceEnd = Math.min(sizeBytes, Math.max(end, start + PIECE_BYTES));
    const piece = { start, end: pieceEnd, bytes: read(start, pieceEnd) };
    // A piece that failed is asked for again next time.
    piece.bytes.catch(() => pieces.splice(pieces.indexOf(piece), 1));
    pieces.push(piece);
    if (pieces.length > PIECES_HELD) pieces.shift();
    return piece;
  }

  return {
    sizeBytes,
    async read(start, end) {
      const last = Math.min(end, sizeBytes);
      if (start >= last) return new Uint8Array();
      const piece = pieceWith(start, last);
      return (await piece.bytes).subarray(start - piece.start, last - piece.start);
    },
  };
}
