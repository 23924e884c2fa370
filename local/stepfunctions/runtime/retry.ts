/** Which Retry or Catch sees an error, and how long to wait (Amazon States Language, "Errors"). Pure. */
import type { Catcher, Retrier } from '../definition/model.ts';
import { STATE_ERRORS, type StateError } from '../errors.ts';

/** Whether the names of an ErrorEquals match the error. */
export function matches(errorEquals: readonly string[], error: string): boolean {
  if (error === 'States.Runtime') return false;
  if (errorEquals.includes(error)) return true;
  if (error === 'States.HeartbeatTimeout' && errorEquals.includes('States.Timeout')) return true;
  const entry = Object.hasOwn(STATE_ERRORS, error) ? STATE_ERRORS[error as keyof typeof STATE_ERRORS] : {};
  if ('terminal' in entry) return false;
  if (errorEquals.includes('States.ALL')) return true;
  return errorEquals.includes('States.TaskFailed') && error !== 'States.Timeout';
}

/**
 * The pause before the next try in milliseconds, or undefined when there is none. Counts the try in `used`, which holds
 * a number for each retrier. `random` is between 0 and 1.
 */
export function nextTry(
  retriers: readonly Retrier[],
  used: number[],
  error: StateError,
  random: () => number,
): number | undefined {
  const index = retriers.findIndex((retrier) => matches(retrier.errorEquals, error.error));
  const retrier = retriers[index];
  if (!retrier) return undefined;
  const count = used[index] ?? 0;
  if (count >= retrier.maxAttempts) return undefined;
  for (let other = 0; other < retriers.length; other += 1) used[other] ??= 0;
  used[index] = count + 1;
  const seconds = Math.min(
    retrier.intervalSeconds * retrier.backoffRate ** count,
    retrier.maxDelaySeconds ?? Number.MAX_SAFE_INTEGER,
  );
  return Math.round((retrier.jitter === 'FULL' ? seconds * random() : seconds) * 1000);
}

export const findCatcher = (catchers: readonly Catcher[], error: StateError): Catcher | undefined =>
  catchers.find((catcher) => matches(catcher.errorEquals, error.error));
