/** Task: one call of a service, with a timeout; its result is what the service answers. */
import { Cancellation, Cancelled } from '../cancellation.ts';
import { waitsForToken } from '../definition/fields.ts';
import type { TaskState } from '../definition/model.ts';
import { type StateError, type StateErrorName, statesError, toStateError } from '../errors.ts';
import type { Json } from '../json.ts';
import { RESOURCES } from '../resources/resources.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { withinLimit } from '../runtime/visit.ts';

export async function runTask(state: TaskState, visit: Visit): Promise<Outcome> {
  const of = resourceParts(state.resource);
  if (waitsForToken(state.resource)) issueToken(visit);
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
    const result = await call(state, visit, request, { seconds, heartbeat });
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

/** The token of this try; a resumed one keeps that which it had. */
function issueToken({ engine, execution, frame }: Visit): void {
  frame.record.taskToken ??= engine.tokens.issue(execution.arn);
  frame.save();
}

function tellFailure(visit: Visit, of: Record<string, string>, { error, explanation }: StateError): void {
  if (error === 'States.QueryEvaluationError') return;
  const isTimeout = error === 'States.Timeout' || error === 'States.HeartbeatTimeout';
  const type = isTimeout ? 'TaskTimedOut' : 'TaskFailed';
  const details = isTimeout ? 'taskTimedOutEventDetails' : 'taskFailedEventDetails';
  visit.addEvent(type, () => ({ [details]: { ...of, error, ...(explanation && { cause: explanation }) } }));
}

/** Seconds that the task may take, and that may pass between two heartbeats. */
interface Deadlines {
  readonly seconds: number | undefined;
  readonly heartbeat: number | undefined;
}

async function call(state: TaskState, visit: Visit, request: Json, deadlines: Deadlines): Promise<Json> {
  const cancellation = new Cancellation(visit.cancellation);
  const controller = new AbortController();
  cancellation.onCancel((reason) => controller.abort(new Cancelled(reason)));
  let timedOut: StateError | undefined;
  const { timers } = visit.engine;
  const deadline = (seconds: number | undefined, error: StateErrorName): (() => void) => {
    if (seconds === undefined) return () => {};
    return timers.alarm(timers.now() + seconds * 1000, () => {
      timedOut ??= statesError(error, '');
      cancellation.cancel({ kind: 'timedOut' });
    });
  };
  // Only tasks that wait for a callback can send heartbeats.
  const silence = waitsForToken(state.resource) ? deadlines.heartbeat : undefined;
  const stopTimer = deadline(deadlines.seconds, 'States.Timeout');
  let stopSilence = deadline(silence, 'States.HeartbeatTimeout');
  const heartbeat = (): void => {
    stopSilence();
    stopSilence = deadline(silence, 'States.HeartbeatTimeout');
  };
  try {
    const work = RESOURCES[state.resource]({
      request,
      visit,
      cancellation,
      signal: controller.signal,
      heartbeat,
    });
    return await cancellation.race(work);
  } catch (thrown) {
    visit.cancellation.throwIfCancelled();
    if (timedOut) throw timedOut;
    throw thrown;
  } finally {
    stopTimer();
    stopSilence();
    cancellation.release();
  }
}

/** `arn:aws:states:::lambda:invoke` as the history names it: resourceType lambda, resource invoke. */
function resourceParts(arn: string): { resourceType: string; resource: string } {
  const [resourceType = '', ...rest] = arn.split(':').slice(5);
  return { resourceType, resource: rest.join(':') };
}
