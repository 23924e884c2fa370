/** The items of a Map that are not read from S3: what Items gives, or the state's input. */
import type { DistributedMapState, InlineMapState } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import { type Json, typeName } from '../json.ts';
import type { Visit } from '../runtime/visit.ts';

/** Throws States.QueryEvaluationError when it is no array. */
export async function itemsOf(
  state: InlineMapState | DistributedMapState,
  visit: Visit,
): Promise<readonly Json[]> {
  const items = state.items ? await visit.evaluate(state.items) : visit.input;
  if (Array.isArray(items)) return items as readonly Json[];
  throw statesError(
    'States.QueryEvaluationError',
    `The field 'Items' expected an array, but was ${typeName(items)}`,
  );
}
