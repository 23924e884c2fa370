/** Reads the members of a request, with the service's errors naming what was wrong (API model 2016-11-23). */
import { ServiceError } from '../errors.ts';
import { isObject, nestsWithin } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { checkName } from '../runtime/starting.ts';

export type Request = Readonly<Record<string, unknown>>;

const invalid = (member: string, wanted: string): ServiceError =>
  new ServiceError(
    'ValidationException',
    `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${wanted}`,
  );

export function parseRequest(body: string): Request {
  let value: unknown;
  try {
    value = body === '' ? {} : JSON.parse(body);
  } catch {
    throw new ServiceError('SerializationException', 'The body is not JSON');
  }
  if (!isObject(value)) throw new ServiceError('SerializationException', 'The body is not a JSON object');
  return value;
}

export function optionalString(request: Request, member: string, longest = 1024): string | undefined {
  const value = request[member];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string')
    throw new ServiceError('SerializationException', `${member} is not a string`);
  if (value.length > longest) throw invalid(member, `have length less than or equal to ${longest}`);
  return value;
}

export function requiredString(request: Request, member: string, longest = 1024): string {
  const value = optionalString(request, member, longest);
  if (value === undefined) throw invalid(member, 'not be null');
  if (value === '') throw invalid(member, 'have length greater than or equal to 1');
  return value;
}

/** An ARN of the wanted kind. Throws InvalidArn. */
export function arnOf(
  request: Request,
  member: string,
  kind: 'execution' | 'stateMachine' | 'mapRun',
): string {
  const arn = requiredString(request, member, 2000);
  if (new RegExp(`^arn:[a-z-]+:states:[a-z0-9-]+:\\d{12}:${kind}:[^:]+(:[^:]+)?$`).test(arn)) return arn;
  throw new ServiceError('InvalidArn', `Invalid Arn: '${member} is not the ARN of a ${kind}'`);
}

export function optionalWord<T extends string>(
  request: Request,
  member: string,
  words: readonly T[],
): T | undefined {
  const value = optionalString(request, member);
  if (value === undefined) return undefined;
  if (words.includes(value as T)) return value as T;
  throw invalid(member, `satisfy enum value set: [${words.join(', ')}]`);
}

export function optionalBoolean(request: Request, member: string, fallback: boolean): boolean {
  const value = request[member];
  if (value === undefined || value === null) return fallback;
  if (typeof value !== 'boolean')
    throw new ServiceError('SerializationException', `${member} is not a boolean`);
  return value;
}

/** maxResults: 0 and nothing mean the default of 100. */
export function pageSize(request: Request): number {
  const value = request.maxResults;
  if (value === undefined || value === null || value === 0) return 100;
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    throw new ServiceError('SerializationException', 'maxResults is not an integer');
  }
  if (value < 0) throw invalid('maxResults', 'have value greater than or equal to 0');
  if (value > LIMITS.pageSize.max)
    throw invalid('maxResults', `have value less than or equal to ${LIMITS.pageSize.max}`);
  return value;
}

/** Throws InvalidName, and ValidationException above 80 characters. */
export function executionName(request: Request): string | undefined {
  const name = optionalString(request, 'name', LIMITS.stateNameLength.max);
  if (name !== undefined) checkName(name);
  return name;
}

/** The input of an execution: JSON text of at most 256 KiB; `{}` when there is none. */
export function executionInput(request: Request): string {
  const value = request.input;
  if (value === undefined || value === null) return '{}';
  if (typeof value !== 'string') throw new ServiceError('SerializationException', 'input is not a string');
  const { max } = LIMITS.stateDataBytes;
  if (Buffer.byteLength(value) > max) throw invalid('input', `have length less than or equal to ${max}`);
  if (!isExecutionInput(value)) {
    throw new ServiceError(
      'InvalidExecutionInput',
      `Invalid State Machine Execution Input: it is not JSON, or nests more than ${MOST_LEVELS} levels deep`,
    );
  }
  return value;
}

/** Levels of nesting; deeper JSON would overflow the stack of what works on it. Our own bound. */
export const MOST_LEVELS = 1_000;

function isExecutionInput(text: string): boolean {
  try {
    return nestsWithin(JSON.parse(text), MOST_LEVELS);
  } catch {
    return false;
  }
}
