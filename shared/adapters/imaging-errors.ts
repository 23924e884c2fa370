/** Answers of HealthImaging that are errors, as the SDK's own classes; and which errors are worth another attempt. */
import type { IncomingMessage } from 'node:http';
import {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  MedicalImagingServiceException,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} from '@aws-sdk/client-medical-imaging';
import { wholeBody } from './keep-alive.ts';

const CLASSES = {
  AccessDeniedException,
  ConflictException,
  InternalServerException,
  ResourceNotFoundException,
  ServiceQuotaExceededException,
  ThrottlingException,
  ValidationException,
} as const;
const isModelled = (name: string): name is keyof typeof CLASSES => Object.hasOwn(CLASSES, name);

/** Reads the body of the answer. */
export async function imagingError(answer: IncomingMessage): Promise<MedicalImagingServiceException> {
  const httpStatusCode = answer.statusCode ?? 0;
  const told = parsed(await wholeBody(answer));
  const name = errorName(headerOf(answer, 'x-amzn-errortype') ?? told.code ?? told.__type) ?? 'Unknown';
  const requestId = headerOf(answer, 'x-amzn-requestid') ?? headerOf(answer, 'x-amz-request-id');
  const options = {
    message: told.message ?? told.Message ?? 'UnknownError',
    $metadata: { httpStatusCode, ...(requestId === undefined ? {} : { requestId }) },
  };
  if (isModelled(name)) return new CLASSES[name](options);
  const $fault = httpStatusCode >= 500 ? 'server' : 'client';
  return new MedicalImagingServiceException({ name, $fault, ...options });
}

function headerOf(answer: IncomingMessage, name: string): string | undefined {
  const value = answer.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/** AWS JSON: `namespace#Name:http://documentation`, of which only the name counts. */
const errorName = (text: string | undefined) => text?.split(',')[0]?.split(':')[0]?.split('#').at(-1);

type Told = Partial<Record<'message' | 'Message' | 'code' | '__type', string>>;

function parsed(bytes: Uint8Array): Told {
  try {
    const json = JSON.parse(Buffer.from(bytes).toString('utf8')) as Told | null;
    return typeof json === 'object' && json !== null ? json : {};
  } catch {
    return {};
  }
}

/** As the SDK keeps it. */
export type ErrorMetadata = MedicalImagingServiceException['$metadata'] & { clockSkewCorrected?: boolean };

/** As the SDK tells them apart. */
export type ErrorKind = 'THROTTLING' | 'TRANSIENT' | 'SERVER_ERROR' | 'CLIENT_ERROR';

const THROTTLING = ['ThrottlingException', 'TooManyRequestsException', 'Throttling', 'RequestThrottled'];
const LOST = ['ECONNRESET', 'ECONNREFUSED', 'EPIPE', 'ETIMEDOUT'];
const UNREACHABLE = ['EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EAI_AGAIN'];

export function kindOf(error: unknown): ErrorKind {
  const {
    name = '',
    code = '',
    $metadata,
  } = error as Partial<MedicalImagingServiceException> & {
    readonly code?: string;
    readonly $metadata?: ErrorMetadata;
  };
  const status = $metadata?.httpStatusCode ?? 0;
  if (status === 429 || THROTTLING.includes(name)) return 'THROTTLING';
  if ($metadata?.clockSkewCorrected) return 'TRANSIENT';
  if (name === 'TimeoutError' || LOST.includes(code) || UNREACHABLE.includes(code)) return 'TRANSIENT';
  if ([500, 502, 503, 504].includes(status)) return 'TRANSIENT';
  return status > 500 ? 'SERVER_ERROR' : 'CLIENT_ERROR';
}
