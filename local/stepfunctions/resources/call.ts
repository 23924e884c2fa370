/** One call of a task's resource: its request, and how to stop it. */
import type { Cancellation } from '../cancellation.ts';
import { statesError } from '../errors.ts';
import { isObject, type Json, typeName } from '../json.ts';
import type { Visit } from '../runtime/visit.ts';

export interface TaskCall {
  /** The evaluated Arguments. */
  readonly request: Json;
  readonly visit: Visit;
  readonly cancellation: Cancellation;
  readonly signal: AbortSignal;
  /** Somebody said that the task is alive. */
  readonly heartbeat: () => void;
}

/** The arguments as an object. Throws States.Runtime, as the service does for a request that it cannot make. */
export function requestObject(request: Json): Readonly<Record<string, Json>> {
  if (isObject(request)) return request as Record<string, Json>;
  throw wrong('Arguments', 'an object', request);
}

export function stringIn(request: Readonly<Record<string, Json>>, name: string): string {
  const value = request[name];
  if (typeof value === 'string' && value !== '') return value;
  throw wrong(`Arguments/${name}`, 'a non-empty string', value);
}

export const wrong = (field: string, wanted: string, got: unknown) =>
  statesError('States.Runtime', `The field '${field}' expected ${wanted}, but was ${typeName(got)}`);
