/** Pass: hands its input on, or what Output makes of it. */
import type { PassState } from '../definition/model.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';

export const runPass = (state: PassState, visit: Visit): Promise<Outcome> =>
  visit.leave(state, state.next, {}, visit.input);
