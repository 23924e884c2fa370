/** Walks a scope from state to state: enter, run with Retry and Catch, leave (Amazon States Language, "States"). */
import { breathe } from '../breathe.ts';
import { Cancelled } from '../cancellation.ts';
import type { Scope, State } from '../definition/model.ts';
import { type StateError, toStateError } from '../errors.ts';
import type { Json } from '../json.ts';
import { RUNNERS } from '../states/runners.ts';
import type { Engine } from './engine.ts';
import type { Execution } from './execution.ts';
import type { Frame } from './frame.ts';
import { findCatcher, nextTry } from './retry.ts';
import { type Outcome, Visit, withinLimit } from './visit.ts';

/** Runs the scope from where its frame stands to its end; gives the output of its last state. */
export async function runScope(
  engine: Engine,
  execution: Execution,
  scope: Scope,
  frame: Frame,
): Promise<Json> {
  const { record } = frame;
  if (record.done) return record.done.output;
  for (;;) {
    frame.cancellation.throwIfCancelled();
    await breathe();
    const state = scope.states.get(record.state) as State;
    const visit = new Visit(engine, execution, frame, state);
    enter(visit);
    const outcome = await runState(visit);
    const text = withinLimit(outcome.output, `The state/task '${state.name}' returned a result`);
    if (state.type !== 'Fail') exit(visit, outcome, text);
    if (outcome.next === undefined) {
      // In the same turn as the exit: what has ended is not run again.
      if (frame !== execution.root) frame.finish(outcome.output);
      return outcome.output;
    }
    frame.advance(outcome.next, outcome.output, outcome.assign);
  }
}

/** Once for each entry of a state; a resumed one is inside already. */
function enter(visit: Visit): void {
  const { engine, execution, frame, state } = visit;
  if (frame.record.enteredAt !== undefined) return;
  frame.record.enteredAt = engine.timers.now();
  engine.meter.transition(execution.record.machineName, execution.record.type);
  visit.addEvent(`${state.type}StateEntered`, () => ({
    stateEnteredEventDetails: {
      name: state.name,
      input: JSON.stringify(frame.record.input),
      inputDetails: { truncated: false },
    },
  }));
  frame.save();
  engine.changes.state(execution.record, state.name);
}

function exit(visit: Visit, outcome: Outcome, output: string): void {
  const assigned = Object.entries(outcome.assign);
  visit.addEvent(`${visit.state.type}StateExited`, () => ({
    stateExitedEventDetails: {
      name: visit.state.name,
      output,
      outputDetails: { truncated: false },
      ...(assigned.length > 0 && {
        assignedVariables: Object.fromEntries(assigned.map(([name, value]) => [name, JSON.stringify(value)])),
        assignedVariablesDetails: { truncated: false },
      }),
    },
  }));
}

async function runState(visit: Visit): Promise<Outcome> {
  const { engine, frame, state } = visit;
  for (;;) {
    try {
      if (state.type !== 'Wait') await endPause(visit);
      return await RUNNERS[state.type](state as never, visit);
    } catch (thrown) {
      if (thrown instanceof Cancelled || frame.cancellation.reason) return calledOff(visit, thrown);
      const error = toStateError(thrown);
      noteEvaluationFailure(visit, error);
      const pause = nextTry(state.retry, frame.record.retries, error, Math.random);
      if (pause === undefined) return catchError(visit, error);
      frame.dropInner();
      frame.forgetToken();
      frame.record.attempt += 1;
      frame.record.pausedUntil = engine.timers.now() + pause;
      delete frame.record.mapRun;
      frame.save();
      engine.meter.transition(visit.execution.record.machineName, visit.execution.record.type);
    }
  }
}

/** The history tells of a task or a wait that was stopped; Map and Parallel tell it themselves. */
function calledOff(visit: Visit, thrown: unknown): never {
  const { type } = visit.state;
  const { reason } = visit.cancellation;
  if ((type === 'Task' || type === 'Wait') && reason?.kind !== 'timedOut')
    visit.addEvent(`${type}StateAborted`);
  throw reason ? new Cancelled(reason) : thrown;
}

/** Waits out what is left of the pause before a retry, also after a restart. */
async function endPause(visit: Visit): Promise<void> {
  const { frame, engine } = visit;
  if (frame.record.pausedUntil === undefined) return;
  await engine.timers.until(frame.record.pausedUntil, frame.cancellation);
  delete frame.record.pausedUntil;
}

function noteEvaluationFailure(visit: Visit, error: StateError): void {
  if (error.error !== 'States.QueryEvaluationError') return;
  visit.addEvent('EvaluationFailed', () => ({
    evaluationFailedEventDetails: {
      error: error.error,
      cause: error.explanation,
      location: /for the field '([^']+)'/.exec(error.explanation)?.[1]?.split('/')[0] ?? 'Arguments',
      state: visit.state.name,
    },
  }));
}

async function catchError(visit: Visit, error: StateError): Promise<Outcome> {
  const catcher = findCatcher(visit.state.catch, error);
  if (!catcher) throw error;
  const errorOutput = { Error: error.error, Cause: error.explanation };
  return visit.leave(catcher, catcher.next, { errorOutput }, errorOutput);
}
