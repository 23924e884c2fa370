/** The S3 error codes that this store answers with, as one table (Amazon S3 API reference, "Error responses"). */

export const S3_ERRORS = {
  AccessDenied: { status: 403, says: 'Access Denied' },
  AccessForbidden: { status: 403, says: 'CORSResponse: This CORS request is not allowed.' },
  AuthorizationHeaderMalformed: {
    status: 400,
    says: 'The authorization header that you provided is not valid.',
  },
  AuthorizationQueryParametersError: {
    status: 400,
    says: 'The query string authentication parameters are not valid.',
  },
  BadDigest: {
    status: 400,
    says: 'The checksum or Content-MD5 you specified did not match what we received.',
  },
  BadRequest: { status: 400, says: 'The request could not be understood.' },
  BucketAlreadyOwnedByYou: {
    status: 409,
    says: 'Your previous request to create the named bucket succeeded.',
  },
  BucketNotEmpty: { status: 409, says: 'The bucket you tried to delete is not empty.' },
  ConditionalRequestConflict: {
    status: 409,
    says: 'The conditional request cannot succeed due to a conflicting operation against this resource.',
  },
  EntityTooLarge: { status: 400, says: 'Your proposed upload exceeds the maximum allowed object size.' },
  EntityTooSmall: { status: 400, says: 'Your proposed upload is smaller than the minimum allowed size.' },
  IncompleteBody: {
    status: 400,
    says: 'You did not provide the number of bytes that the request announced.',
  },
  InternalError: { status: 500, says: 'We encountered an internal error. Please try again.' },
  InvalidArgument: { status: 400, says: 'Invalid Argument' },
  InvalidBucketName: { status: 400, says: 'The specified bucket is not valid.' },
  InvalidDigest: { status: 400, says: 'The Content-MD5 you specified is not valid.' },
  InvalidPart: {
    status: 400,
    says: 'One or more of the specified parts could not be found, or its ETag differs.',
  },
  InvalidPartOrder: { status: 400, says: 'The list of parts was not in ascending order.' },
  InvalidRange: { status: 416, says: 'The requested range is not satisfiable.' },
  InvalidRequest: { status: 400, says: 'The request is not valid.' },
  InvalidTag: { status: 400, says: 'The tag provided was not a valid tag.' },
  InvalidURI: { status: 400, says: 'Could not parse the specified URI.' },
  KeyTooLongError: { status: 400, says: 'Your key is too long.' },
  MalformedXML: { status: 400, says: 'The XML you provided was not well-formed or did not validate.' },
  MaxMessageLengthExceeded: { status: 400, says: 'Your request was too big.' },
  MetadataTooLarge: { status: 400, says: 'Your metadata headers exceed the maximum allowed metadata size.' },
  MethodNotAllowed: { status: 405, says: 'The specified method is not allowed against this resource.' },
  MissingContentLength: { status: 411, says: 'You must provide the Content-Length HTTP header.' },
  NoSuchBucket: { status: 404, says: 'The specified bucket does not exist.' },
  NoSuchCORSConfiguration: { status: 404, says: 'The CORS configuration does not exist' },
  NoSuchKey: { status: 404, says: 'The specified key does not exist.' },
  NoSuchUpload: { status: 404, says: 'The specified multipart upload does not exist.' },
  NoSuchVersion: { status: 404, says: 'The specified version does not exist: this store keeps no versions.' },
  NotImplemented: { status: 501, says: 'This store does not implement that functionality.' },
  NotModified: { status: 304, says: 'Not Modified' },
  PreconditionFailed: { status: 412, says: 'At least one of the pre-conditions you specified did not hold' },
  RequestHeaderSectionTooLarge: {
    status: 400,
    says: 'Your request headers exceed the maximum allowed size.',
  },
  RequestTimeout: { status: 400, says: 'Your socket connection was not read from or written to in time.' },
  ServiceUnavailable: { status: 503, says: 'The store is closing or opening. Please try again.' },
  SlowDown: { status: 503, says: 'Please reduce your request rate.' },
  StorageFull: { status: 507, says: 'The disk of this store is full: nothing was stored.' },
  XAmzContentSHA256Mismatch: {
    status: 400,
    says: "The provided 'x-amz-content-sha256' header does not match what was computed.",
  },
} as const satisfies Record<string, { status: number; says: string }>;

export type S3ErrorCode = keyof typeof S3_ERRORS;

/** An answer that is an error. `facts` become elements of the XML beside Code and Message (`Key`, `BucketName` …). */
export class S3Error extends Error {
  override readonly name = 'S3Error';
  readonly code: S3ErrorCode;
  readonly facts: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    code: S3ErrorCode,
    message?: string,
    options: { facts?: Record<string, string>; headers?: Record<string, string>; cause?: unknown } = {},
  ) {
    super(message ?? S3_ERRORS[code].says, { cause: options.cause });
    this.code = code;
    this.facts = options.facts ?? {};
    this.headers = options.headers ?? {};
  }

  get status(): number {
    return S3_ERRORS[this.code].status;
  }
}

/** Any thrown thing as an S3 error: a full disk is told apart, everything else unknown is InternalError. */
export function toS3Error(error: unknown): S3Error {
  if (error instanceof S3Error) return error;
  const code = (error as { code?: string } | undefined)?.code;
  if (code === 'ENOSPC' || code === 'EDQUOT') return new S3Error('StorageFull', undefined, { cause: error });
  if (code === 'EMFILE' || code === 'ENFILE') return new S3Error('SlowDown', undefined, { cause: error });
  if (code === 'LEVEL_DATABASE_NOT_OPEN')
    return new S3Error('ServiceUnavailable', undefined, { cause: error });
  const text =
    error instanceof Error ? `${error.message} ${(error.cause as Error | undefined)?.message ?? ''}` : '';
  if (/no space left|disk quota/i.test(text)) return new S3Error('StorageFull', undefined, { cause: error });
  return new S3Error('InternalError', undefined, { cause: error });
}
