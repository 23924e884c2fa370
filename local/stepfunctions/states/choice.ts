/** Choice: the first Condition that is true says where to go, with its own Output and Assign. */
import type { ChoiceState } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import { typeName } from '../json.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';

export async function runChoice(state: ChoiceState, visit: Visit): Promise<Outcome> {
  for (const choice of state.choices) {
    const holds = await visit.evaluate(choice.condition);
    if (typeof holds !== 'boolean') {
      throw statesError(
        'States.QueryEvaluationError',
        `The field 'Condition' expected a boolean, but was ${typeName(holds)}`,
      );
    }
    if (holds) return visit.leave(choice, choice.next, {}, visit.input);
  }
  if (state.default === undefined) {
    throw statesError(
      'States.NoChoiceMatched',
      `No choice of '${state.name}' matched, and it has no Default.`,
    );
  }
  return visit.leave(state, state.default, {}, visit.input);
}
