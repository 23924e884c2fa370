/** Task: one call of a service, with a timeout; its result is what the service answers. */
import { Cancellation, Cancelled } from '../cancellation.ts';
import type { TaskState } from '../definition/model.ts';
import { type StateError, statesError, toStateError } from '../errors.ts';
import type { Json } from '../json.ts';
import { RESOURCES } from '../resources/resources.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { withinLimit } from '../runtime/visit.ts';

export async function runTask(state: TaskState, visit: Visit): Promise<Outcome> {
  const of = resourceParts(state.resource);
  const request = await visit.evaluate(state.arguments);
  const parameters = withinLimit(request, `The state/task '${of.resourceType}' has arguments`);
  const seconds = await visit.optionalNumber(state.timeoutSeconds);
  const heartbeat = await visit.optionalNumber(state.heartbeatSeconds);
  visit.addEvent('TaskScheduled', () => ({
    taskScheduledEventDetails: {
      ...of,
      region: visit.engine.region,
      parameters,
      ...(seconds !== undefined && { timeoutInSeconds: seconds }),
      ...(heartbeat !== undefined && { heartbeatInSeconds: heartbeat }),
    },
  }));
  visit.addEvent('TaskStarted', () => ({ taskStartedEventDetails: of }));
  // What the task does is seen outside: that it began must be on disk first.
  await visit.execution.settled();
  try {
    const result = await call(state, visit, request, seconds);
    const output = withinLimit(result, `The state/task '${of.resourceType}' returned a result`);
    visit.addEvent('TaskSucceeded', () => ({
      taskSucceededEventDetails: { ...of, output, outputDetails: { truncated: false } },
    }));
    return await visit.leave(state, state.next, { result }, result);
  } catch (thrown) {
    if (!(thrown instanceof Cancelled)) tellFailure(visit, of, toStateError(thrown));
    throw thrown;
  }
}

function tellFailure(visit: Visit, of: Record<string, string>, { error, explanation }: StateError): void {
  if (error === 'States.QueryEvaluationError') return;
  const type = error === 'States.Timeout' ? 'TaskTimedOut' : 'TaskFailed';
  const details = error === 'States.Timeout' ? 'taskTimedOutEventDetails' : 'taskFailedEventDetails';
  visit.addEvent(type, () => ({ [details]: { ...of, error, ...(explanation && { cause: explanation }) } }));
}

async function call(
  state: TaskState,
  visit: Visit,
  request: Json,
  seconds: number | undefined,
): Promise<Json> {
  const cancellation = new Cancellation(visit.cancellation);
  const controller = new AbortController();
  cancellation.onCancel((reason) => controller.abort(new Cancelled(reason)));
  let timedOut = false;
  const { timers } = visit.engine;
  const ring = (): void => {
    timedOut = true;
    cancellation.cancel({ kind: 'timedOut' });
  };
  const stopTimer = seconds === undefined ? () => {} : timers.alarm(timers.now() + seconds * 1000, ring);
  try {
    const work = RESOURCES[state.resource]({ request, visit, cancellation, signal: controller.signal });
    return await cancellation.race(work);
  } catch (thrown) {
    visit.cancellation.throwIfCancelled();
    if (timedOut) throw statesError('States.Timeout', '');
    throw thrown;
  } finally {
    stopTimer();
    cancellation.release();
  }
}

/** `arn:aws:states:::lambda:invoke` as the history names it: resourceType lambda, resource invoke. */
function resourceParts(arn: string): { resourceType: string; resource: string } {
  const [resourceType = '', ...rest] = arn.split(':').slice(5);
  return { resourceType, resource: rest.join(':') };
}
