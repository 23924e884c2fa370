/** Succeed: ends its scope well. */
import type { SucceedState } from '../definition/model.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';

export const runSucceed = (state: SucceedState, visit: Visit): Promise<Outcome> =>
  visit.leave(state, undefined, {}, visit.input);
