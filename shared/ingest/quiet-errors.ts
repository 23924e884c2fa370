/**
 * What leaves a handler as an error goes into execution histories and logs: so only our own words leave, with the names
 * that the state machines retry on (invariant 7). Foreign errors keep their name alone: their texts may hold keys.
 */
import {
  NotConsistentYet,
  RefusedByService,
  ServiceUnavailable,
  Throttled,
} from '../ports/imaging-service.ts';
import { UnexpectedEvent } from './events.ts';
import { LeaseLost, SeriesBusy } from './leases.ts';
import { LedgerBusy } from './ledger.ts';
import { ManifestNotThereYet } from './read-import-output.ts';

const OWN = [
  LeaseLost,
  LedgerBusy,
  ManifestNotThereYet,
  NotConsistentYet,
  RefusedByService,
  SeriesBusy,
  ServiceUnavailable,
  Throttled,
  UnexpectedEvent,
] as const;

/** The names above, for the test that holds them against the state machines. */
export const ERROR_NAMES: readonly string[] = OWN.map((type) => type.name);

const THROTTLES = /Throttl|SlowDown|TooManyRequests|RequestLimitExceeded|ServiceQuotaExceeded/;
const TRANSIENT =
  /Timeout|ECONN|EPIPE|ENOTFOUND|EAI_AGAIN|InternalError|InternalServer|ServiceUnavailable|503/;

/** The error as it may leave. */
export function quietError(error: unknown): Error {
  if (OWN.some((type) => error instanceof type)) return withoutCause(error as Error);
  const { name, code, $metadata } = (error ?? {}) as {
    name?: string;
    code?: string;
    $metadata?: { httpStatusCode?: number };
  };
  const words = `${name} ${code}`;
  if (THROTTLES.test(words) || $metadata?.httpStatusCode === 429) return new Throttled(words);
  if (TRANSIENT.test(words) || ($metadata?.httpStatusCode ?? 0) >= 500) return new ServiceUnavailable(words);
  const quiet = new Error(`${name ?? 'Error'} in the handler`);
  quiet.name = name ?? 'Error';
  quiet.stack = `${quiet.name}\n${framesOf(error)}`;
  return quiet;
}

/** Only where it happened: the lines of a stack that name a place. */
const framesOf = (error: unknown) =>
  (error instanceof Error ? (error.stack ?? '') : '')
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .join('\n');

function withoutCause(error: Error): Error {
  if (error.cause !== undefined) Reflect.deleteProperty(error, 'cause');
  return error;
}
