/** How an execution ends: what its record, its history and its frames say then. Written in one turn, so in one batch. */
import { Cancelled, type CancelReason } from '../cancellation.ts';
import { StateError, toStateError } from '../errors.ts';
import type { ExecutionRecord, ExecutionStatus } from '../journal/records.ts';
import type { Json } from '../json.ts';
import type { Execution } from './execution.ts';

export interface End {
  readonly status: Exclude<ExecutionStatus, 'RUNNING'>;
  readonly output?: Json;
  readonly error?: string;
  readonly cause?: string;
}

const EVENT_OF_STATUS = {
  SUCCEEDED: ['ExecutionSucceeded', 'executionSucceededEventDetails'],
  FAILED: ['ExecutionFailed', 'executionFailedEventDetails'],
  TIMED_OUT: ['ExecutionTimedOut', 'executionTimedOutEventDetails'],
  ABORTED: ['ExecutionAborted', 'executionAbortedEventDetails'],
} as const;

/** The end of an execution that was called off. */
export function endOf(reason: CancelReason): End {
  if (reason.kind === 'timedOut') return { status: 'TIMED_OUT' };
  if (reason.kind !== 'stopped') return { status: 'ABORTED' };
  const { kind: _kind, ...told } = reason;
  return { status: 'ABORTED', ...told };
}

/** The end of an execution whose error nothing caught. */
export function failedBy(thrown: unknown): End {
  const unexpected = !(thrown instanceof StateError) && !(thrown instanceof Cancelled);
  const error = unexpected
    ? new StateError('States.Runtime', (thrown as Error).message)
    : toStateError(thrown);
  return { status: 'FAILED', error: error.error, cause: error.explanation };
}

/** Marks the execution as ended, in record and history. Frames of what did not succeed stay, for a redrive. */
export function recordEnd(execution: Execution, end: End, now: number): void {
  const { record } = execution;
  record.status = end.status;
  record.stopDate = now;
  if (end.output !== undefined) record.output = JSON.stringify(end.output);
  if (end.error) record.error = end.error;
  if (end.cause) record.cause = end.cause;
  const [type, details] = EVENT_OF_STATUS[end.status];
  execution.addEvent(execution.root, type, () => ({ [details]: told(record) }));
  if (end.status === 'SUCCEEDED') {
    execution.root.dropInner();
    execution.removeFrame('');
  } else execution.root.save();
}

function told({ output, error, cause }: ExecutionRecord): object {
  if (output !== undefined) return { output, outputDetails: { truncated: false } };
  return { ...(error !== undefined && { error }), ...(cause !== undefined && { cause }) };
}

/** The record of an ended execution, running again. */
export function reopened(record: ExecutionRecord): ExecutionRecord {
  const { stopDate: _stop, output: _output, error: _error, cause: _cause, ...rest } = record;
  return { ...rest, status: 'RUNNING' };
}
