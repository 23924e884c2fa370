/** Wait: until some seconds from now or a time; the end is fixed when the state is entered, and survives a restart. */
import type { WaitState } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';

export async function runWait(state: WaitState, visit: Visit): Promise<Outcome> {
  const { frame, engine } = visit;
  if (frame.record.pausedUntil === undefined) {
    frame.record.pausedUntil = await endOfWait(state, visit);
    frame.save();
  }
  await engine.timers.until(frame.record.pausedUntil, visit.cancellation);
  return visit.leave(state, state.next, {}, visit.input);
}

async function endOfWait(state: WaitState, visit: Visit): Promise<number> {
  if (state.seconds) return visit.engine.timers.now() + (await visit.number(state.seconds)) * 1000;
  const value = state.timestamp ? await visit.evaluate(state.timestamp) : undefined;
  // RFC 3339 with a capital T and Z or an offset, as the language wants it.
  const legal =
    typeof value === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value);
  const at = legal ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) {
    throw statesError('States.QueryEvaluationError', "The field 'Timestamp' expected an RFC 3339 timestamp");
  }
  return at;
}
