/** Map, mode DISTRIBUTED: a child execution for every item or batch, in a Map Run that survives restarts. */
import { type Cancellation, Cancelled } from '../cancellation.ts';
import type { DistributedMapState } from '../definition/model.ts';
import { statesError } from '../errors.ts';
import {
  type ChildInput,
  type ChildRecord,
  type ExecutionRecord,
  KEYS,
  type MapRunRecord,
} from '../journal/records.ts';
import { LIMITS } from '../limits.ts';
import { childName, MapRun, newMapRunId, noCounts } from '../runtime/map-run.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { gather } from './gather.ts';
import { childInputs } from './item-reader.ts';
import { resultOf } from './result-writer.ts';

export async function runDistributedMap(state: DistributedMapState, visit: Visit): Promise<Outcome> {
  const run = await openRun(state, visit);
  const { engine } = visit;
  engine.mapRuns.set(run.record.arn, run);
  try {
    if (!run.record.ready) await run.readInputs(childInputs(state, visit));
    await runChildren(state, visit, run);
    const result = await resultOf(state, visit, run);
    run.resultsWritten();
    run.end('SUCCEEDED', engine.timers.now());
    visit.addEvent('MapRunSucceeded');
    visit.addEvent('MapStateSucceeded');
    return await visit.leave(state, state.next, { result }, result);
  } catch (thrown) {
    if (thrown instanceof Cancelled && visit.execution.cancellation.reason?.kind === 'closing') throw thrown;
    tellFailure(visit, run, thrown);
    throw thrown;
  } finally {
    engine.mapRuns.delete(run.record.arn);
  }
}

function tellFailure(visit: Visit, run: MapRun, thrown: unknown): void {
  if (run.record.status === 'SUCCEEDED') return;
  const aborted = thrown instanceof Cancelled;
  run.end(aborted ? 'ABORTED' : 'FAILED', visit.engine.timers.now());
  visit.addEvent(aborted ? 'MapRunAborted' : 'MapRunFailed', () =>
    aborted ? {} : { mapRunFailedEventDetails: errorDetails(thrown) },
  );
  visit.addEvent(aborted ? 'MapStateAborted' : 'MapStateFailed');
}

function errorDetails(thrown: unknown): { error: string; cause: string } {
  const { error = 'States.Runtime', explanation = '' } = thrown as { error?: string; explanation?: string };
  return { error, cause: explanation };
}

/** The run of this visit: a new one, or the one that an earlier process or a redrive left. */
async function openRun(state: DistributedMapState, visit: Visit): Promise<MapRun> {
  const { engine, frame } = visit;
  const known =
    frame.record.mapRun === undefined
      ? undefined
      : await engine.journal.get<MapRunRecord>(KEYS.mapRun(frame.record.mapRun));
  if (known) return reopenRun(visit, known);
  const run = new MapRun(engine.journal, await newRecord(state, visit));
  frame.record.mapRun = run.id;
  frame.save();
  run.save();
  const { arn, executionArn, startDate } = run.record;
  engine.journal.put(KEYS.mapRunOf(executionArn, startDate, run.id), run.id);
  visit.addEvent('MapStateStarted', () => ({ mapStateStartedEventDetails: { length: 0 } }));
  visit.addEvent('MapRunStarted', () => ({ mapRunStartedEventDetails: { mapRunArn: arn } }));
  return run;
}

async function reopenRun(visit: Visit, record: MapRunRecord): Promise<MapRun> {
  const redrives = visit.execution.record.redriveCount;
  const redriven = redrives > record.executionRedrives;
  record.status = 'RUNNING';
  delete record.stopDate;
  if (redriven) {
    record.executionRedrives = redrives;
    record.redriveCount += 1;
    record.redriveDate = visit.engine.timers.now();
    visit.addEvent('MapRunRedriven', () => ({
      mapRunRedrivenEventDetails: { mapRunArn: record.arn, redriveCount: record.redriveCount },
    }));
  }
  const run = new MapRun(visit.engine.journal, record, redriven);
  if (record.ready) await run.restore();
  run.save();
  return run;
}

async function newRecord(state: DistributedMapState, visit: Visit): Promise<MapRunRecord> {
  const { engine, execution } = visit;
  const id = newMapRunId();
  const { machineName, arn: executionArn } = execution.record;
  const label = state.label ?? newMapRunId();
  const wanted = (await visit.optionalNumber(state.maxConcurrency)) ?? 0;
  const most = LIMITS.childConcurrency.max;
  return {
    id,
    arn: engine.arn('mapRun', `${machineName}/${label}:${id}`),
    executionArn,
    machineArn: engine.arn('stateMachine', `${machineName}/${label}`),
    label,
    startDate: engine.timers.now(),
    maxConcurrency: Math.min(wanted || most, most),
    toleratedFailureCount: await visit.optionalNumber(state.toleratedCount),
    toleratedFailurePercentage: await visit.optionalNumber(state.toleratedPercentage),
    status: 'RUNNING',
    ready: false,
    items: noCounts(),
    executions: noCounts(),
    redriveCount: 0,
    executionRedrives: execution.record.redriveCount,
  };
}

/** Runs what is pending. Throws States.ExceedToleratedFailureThreshold as soon as too much has failed. */
async function runChildren(state: DistributedMapState, visit: Visit, run: MapRun): Promise<void> {
  const { record } = run;
  const queue = run.pending();
  const worker = async (_slot: number, cancellation: Cancellation): Promise<void> => {
    while (!exceedsTolerance(record)) {
      const next = cancellation.reason ? undefined : await queue.next();
      if (!next) return;
      await runChild(state, visit, run, next.index, next.child, cancellation);
      // Its end is on disk before the next one begins: a crash repeats no more children than were running.
      await visit.engine.journal.flushed();
    }
    cancellation.cancel({ kind: 'sibling' });
  };
  const width = Math.min(record.maxConcurrency, Math.max(1, record.executions.pending));
  await gather(width, width, visit.cancellation, worker);
  visit.cancellation.throwIfCancelled();
  if (!exceedsTolerance(record)) return;
  throw statesError(
    'States.ExceedToleratedFailureThreshold',
    'The specified tolerated failure threshold was exceeded',
  );
}

/** By items, as the service counts; with neither threshold given, no failure is tolerated. */
function exceedsTolerance(record: MapRunRecord): boolean {
  const { toleratedFailureCount: count, toleratedFailurePercentage: percentage, items } = record;
  const failed = items.failed + items.timedOut;
  if (failed === 0) return false;
  if (count === undefined && percentage === undefined) return true;
  if (count !== undefined && failed > count) return true;
  return percentage !== undefined && (failed * 100) / items.total > percentage;
}

async function runChild(
  state: DistributedMapState,
  visit: Visit,
  run: MapRun,
  index: number,
  input: ChildInput,
  cancellation: Cancellation,
): Promise<void> {
  const { engine, execution } = visit;
  const record = childRecord(state, visit, run, index, input);
  const child = await engine.child(record, state.processor, cancellation, run.isRedriven);
  run.began(index, summary(child.record, input), child.isDurable);
  engine.meter.transition(execution.record.machineName, execution.record.type);
  const atEnd = (): void => {
    if (child.isDurable) child.saveRecord();
    run.ended(index, summary(child.record, input));
    engine.changes.mapRun(run.record);
  };
  if (child.record.status === 'RUNNING') await engine.runToEnd(child, atEnd);
  else {
    child.cancellation.release();
    atEnd();
  }
}

function childRecord(
  state: DistributedMapState,
  visit: Visit,
  run: MapRun,
  index: number,
  { input, items }: ChildInput,
): ExecutionRecord {
  const { engine, execution } = visit;
  const { machineName, roleArn, definition } = execution.record;
  const name = childName(run.id, index);
  return {
    arn: engine.arn('execution', `${machineName}/${run.record.label}:${name}`),
    machineArn: run.record.machineArn,
    machineName,
    roleArn,
    name,
    type: state.executionType,
    definition,
    input,
    startDate: engine.timers.now(),
    status: 'RUNNING',
    mapRunArn: run.record.arn,
    itemCount: items,
    redriveCount: 0,
  };
}

function summary(record: ExecutionRecord, { items }: ChildInput): ChildRecord {
  const { name, status, startDate, stopDate, output, error, cause } = record;
  return {
    name,
    status,
    startDate,
    items,
    ...(stopDate !== undefined && { stopDate }),
    ...(output !== undefined && { output }),
    ...(error !== undefined && { error }),
    ...(cause !== undefined && { cause }),
  };
}
