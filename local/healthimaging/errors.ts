/**
 * The service's exceptions. Status codes come from the API model; the few generic ones that AWS answers outside
 * the model (unknown operation, body too large, bad signature) are listed here with theirs.
 */
import { shapes } from './model-data.ts';

/** Generic answers of AWS services that no model declares (developer guide, "Common errors"). */
const GENERIC_STATUS: Readonly<Record<string, number>> = {
  UnknownOperationException: 404,
  RequestEntityTooLargeException: 413,
  ServiceUnavailableException: 503,
  IncompleteSignatureException: 403,
  InvalidSignatureException: 403,
  MissingAuthenticationTokenException: 403,
  UnrecognizedClientException: 403,
  ExpiredTokenException: 403,
};

export type ErrorName =
  | 'AccessDeniedException'
  | 'BadRequestException'
  | 'ConflictException'
  | 'InternalServerException'
  | 'NotAcceptableException'
  | 'ResourceNotFoundException'
  | 'ServiceQuotaExceededException'
  | 'ThrottlingException'
  | 'ValidationException'
  | 'UnknownOperationException'
  | 'RequestEntityTooLargeException'
  | 'ServiceUnavailableException'
  | 'IncompleteSignatureException'
  | 'InvalidSignatureException'
  | 'MissingAuthenticationTokenException'
  | 'UnrecognizedClientException'
  | 'ExpiredTokenException';

/** What a client sees as an exception: `name` is the service's exception, `statusCode` the HTTP status. */
export class ServiceError extends Error {
  override readonly name: ErrorName;
  readonly statusCode: number;

  constructor(name: ErrorName, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = name;
    this.statusCode = statusOf(name);
  }
}

function statusOf(name: ErrorName): number {
  return GENERIC_STATUS[name] ?? shapes[name]?.error?.httpStatusCode ?? 500;
}

export const validation = (message: string) => new ServiceError('ValidationException', message);
export const notFound = (message: string) => new ServiceError('ResourceNotFoundException', message);
export const conflict = (message: string) => new ServiceError('ConflictException', message);
export const quotaExceeded = (message: string) => new ServiceError('ServiceQuotaExceededException', message);
