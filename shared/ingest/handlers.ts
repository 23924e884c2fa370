/** How every handler begins and ends: a parsed event in, a plain value or a quiet error out. */
import type * as v from 'valibot';
import { parseEvent } from './events.ts';
import { quietError } from './quiet-errors.ts';

export function handle<S extends v.GenericSchema, R>(
  shape: S,
  run: (event: v.InferOutput<S>) => Promise<R>,
): (event: unknown) => Promise<R> {
  return async (event) => {
    try {
      return await run(parseEvent(shape, event));
    } catch (error) {
      throw quietError(error);
    }
  };
}
