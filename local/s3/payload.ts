/** Request bodies: length known and bounded, aws-chunked undone, every announced digest verified before anything counts. */
import { AwsChunkedDecoder } from './aws-chunked.ts';
import {
  CHECKSUM_ALGORITHMS,
  CHECKSUMS,
  type ChecksumAlgorithm,
  type Checksums,
  type Digest,
  digestsOf,
} from './checksums.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { NewContent } from './store/content.ts';
import type { Store } from './store/store.ts';

const OBJECT_LIMIT_BYTES = 5 * 1024 ** 3;
/** XML documents: DeleteObjects with 1,000 long keys, CompleteMultipartUpload with 10,000 parts. */
const DOCUMENT_LIMIT_BYTES = 8 * 1024 ** 2;
/** Up to here SHA-256 is computed with every PUT, so that a copy that asks for it costs nothing; above, on demand. */
const EAGER_SHA256_BYTES = 16 * 1024 ** 2;

export interface ReceivedBody {
  readonly content: NewContent;
  readonly sizeBytes: number;
  /** Hex. */
  readonly md5: string;
  /** Base64, where it was computed. */
  readonly sha256?: string;
  /** The algorithms that the client asked for. */
  readonly checksums: Checksums;
}

/** Takes the body of a PutObject or UploadPart into the store's content. The caller commits or discards it. */
export async function receiveBody(request: S3Request, store: Store): Promise<ReceivedBody> {
  const framing = framingOf(request);
  const asked = askedChecksums(request);
  const digests = new Set<Digest>(['MD5', ...asked.algorithms]);
  if (framing.sizeBytes <= EAGER_SHA256_BYTES || asked.contentSha256) digests.add('SHA256');
  const trailers: Record<string, string> = {};
  const { digests: computed, ...content } = await store.content.receive(
    bodyOf(request, framing, trailers),
    framing.sizeBytes,
    [...digests],
  );
  try {
    verify(asked, computed, trailers);
  } catch (error) {
    await store.content.discard(content);
    throw error;
  }
  return {
    content,
    sizeBytes: framing.sizeBytes,
    md5: Buffer.from(computed.MD5!, 'base64').toString('hex'),
    ...(computed.SHA256 !== undefined && { sha256: computed.SHA256 }),
    checksums: Object.fromEntries(asked.algorithms.map((name) => [name, computed[name]])) as Checksums,
  };
}

/** A small body whole, as text. Throws MaxMessageLengthExceeded, BadDigest. */
export async function readDocument(request: S3Request): Promise<string> {
  const chunks: Buffer[] = [];
  const trailers: Record<string, string> = {};
  const asked = askedChecksums(request);
  let size = 0;
  for await (const chunk of bodyOf(request, framingOf(request, Number.POSITIVE_INFINITY), trailers)) {
    size += chunk.length;
    if (size > DOCUMENT_LIMIT_BYTES) throw new S3Error('MaxMessageLengthExceeded');
    chunks.push(chunk);
  }
  const bytes = Buffer.concat(chunks);
  verify(asked, digestsOf(bytes, ['MD5', 'SHA256', ...asked.algorithms]), trailers);
  return bytes.toString('utf8');
}

interface Framing {
  readonly awsChunked: boolean;
  /** Of the object, after decoding; infinite: whatever comes. */
  readonly sizeBytes: number;
}

const isAwsChunked = ({ headers }: S3Request): boolean =>
  /(^|,\s*)aws-chunked(\s*,|$)/.test(headers['content-encoding'] ?? '') ||
  (headers['x-amz-content-sha256'] ?? '').startsWith('STREAMING-');

/** A body that does not tell its length has `unknownBytes`, or is refused with MissingContentLength. */
function framingOf(request: S3Request, unknownBytes?: number): Framing {
  const awsChunked = isAwsChunked(request);
  const text = request.headers[awsChunked ? 'x-amz-decoded-content-length' : 'content-length'];
  if (text === undefined) {
    // A PUT without any body has neither length nor transfer encoding.
    if (!awsChunked && request.headers['transfer-encoding'] === undefined)
      return { awsChunked, sizeBytes: 0 };
    if (unknownBytes === undefined) throw new S3Error('MissingContentLength');
    return { awsChunked, sizeBytes: unknownBytes };
  }
  if (!/^\d{1,15}$/.test(text)) throw new S3Error('InvalidArgument', 'the content length is not a number');
  const sizeBytes = Number(text);
  if (sizeBytes > OBJECT_LIMIT_BYTES) {
    throw new S3Error('EntityTooLarge', undefined, { facts: { MaxSizeAllowed: String(OBJECT_LIMIT_BYTES) } });
  }
  return { awsChunked, sizeBytes };
}

/** The decoded body: exactly `framing.sizeBytes` bytes, else IncompleteBody. */
async function* bodyOf(
  request: S3Request,
  framing: Framing,
  trailers: Record<string, string>,
): AsyncGenerator<Buffer> {
  const decoder = framing.awsChunked ? new AwsChunkedDecoder() : undefined;
  let size = 0;
  // Not destroyed on an error: the client shall read the answer.
  for await (const chunk of request.http.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    for (const data of decoder ? decoder.push(chunk) : [chunk]) {
      size += data.length;
      if (size > framing.sizeBytes) throw new S3Error('IncompleteBody', 'The body is longer than announced.');
      yield data;
    }
  }
  const isWhole = framing.sizeBytes === Number.POSITIVE_INFINITY || size === framing.sizeBytes;
  if (!isWhole || (decoder && !decoder.isDone)) throw new S3Error('IncompleteBody');
  if (decoder) Object.assign(trailers, decoder.trailers);
  Object.assign(trailers, request.http.trailers);
}

interface Asked {
  readonly algorithms: readonly ChecksumAlgorithm[];
  /** Base64 by algorithm, where a header has the value; others come as trailers. */
  readonly values: Checksums;
  readonly md5?: string;
  /** Hex: the signed payload hash. */
  readonly contentSha256?: string;
}

function askedChecksums({ headers }: S3Request): Asked {
  const trailers = (headers['x-amz-trailer'] ?? '').toLowerCase().split(/\s*,\s*/);
  const values: Checksums = {};
  const algorithms: ChecksumAlgorithm[] = [];
  for (const name of CHECKSUM_ALGORITHMS) {
    const value = headers[CHECKSUMS[name].header];
    if (value !== undefined) {
      if (Buffer.from(value, 'base64').length !== CHECKSUMS[name].bytes) {
        throw new S3Error('InvalidRequest', `Value for ${CHECKSUMS[name].header} header is invalid.`);
      }
      values[name] = value;
    }
    if (value !== undefined || trailers.includes(CHECKSUMS[name].header)) algorithms.push(name);
  }
  if (algorithms.length > 1)
    throw new S3Error('InvalidRequest', 'Expecting a single x-amz-checksum- header.');
  const md5 = headers['content-md5'];
  if (md5 !== undefined && Buffer.from(md5, 'base64').length !== 16) throw new S3Error('InvalidDigest');
  const hash = headers['x-amz-content-sha256'];
  return {
    algorithms,
    values,
    ...(md5 !== undefined && { md5 }),
    ...(hash !== undefined && /^[0-9a-f]{64}$/.test(hash) && { contentSha256: hash }),
  };
}

function verify(asked: Asked, computed: Record<string, string>, trailers: Record<string, string>): void {
  for (const name of asked.algorithms) {
    const expected = asked.values[name] ?? trailers[CHECKSUMS[name].header];
    if (expected === undefined) {
      throw new S3Error('InvalidRequest', `The announced trailer ${CHECKSUMS[name].header} did not come.`);
    }
    if (!sameBytes(expected, computed[name]!)) {
      throw new S3Error('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
    }
  }
  if (asked.md5 !== undefined && !sameBytes(asked.md5, computed.MD5!)) throw new S3Error('BadDigest');
  if (
    asked.contentSha256 !== undefined &&
    asked.contentSha256 !== Buffer.from(computed.SHA256!, 'base64').toString('hex')
  ) {
    throw new S3Error('XAmzContentSHA256Mismatch');
  }
}

const sameBytes = (a: string, b: string): boolean =>
  Buffer.from(a, 'base64').equals(Buffer.from(b, 'base64'));
