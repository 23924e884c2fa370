/** Fail: ends its scope with an error of the definition's own. */
import type { FailState } from '../definition/model.ts';
import { StateError, statesError } from '../errors.ts';
import type { Template } from '../evaluate/template.ts';
import { typeName } from '../json.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';

export async function runFail(state: FailState, visit: Visit): Promise<Outcome> {
  const error = await text(state.error, visit);
  const cause = await text(state.cause, visit);
  throw new StateError(error, cause);
}

async function text(template: Template | undefined, visit: Visit): Promise<string> {
  if (!template) return '';
  const value = await visit.evaluate(template);
  if (typeof value === 'string') return value;
  throw statesError(
    'States.QueryEvaluationError',
    `The field '${template.field}' expected a string, but was ${typeName(value)}`,
  );
}
