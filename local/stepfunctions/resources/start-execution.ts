/**
 * states:startExecution.sync:2: a nested execution, waited for. A resumed task finds the one that it had started; a
 * stopped or timed-out task stops it.
 */
import { createHash } from 'node:crypto';
import { Cancelled } from '../cancellation.ts';
import { ServiceError, StateError, statesError } from '../errors.ts';
import type { ExecutionRecord } from '../journal/records.ts';
import type { Json } from '../json.ts';
import type { Started } from '../runtime/starting.ts';
import { requestObject, stringIn, type TaskCall } from './call.ts';

export async function startExecution(call: TaskCall): Promise<Json> {
  const { visit, cancellation } = call;
  const { record, finished } = await start(call);
  const submitted = { ExecutionArn: record.arn, StartDate: record.startDate };
  visit.addEvent('TaskSubmitted', () => ({
    taskSubmittedEventDetails: {
      resourceType: 'states',
      resource: 'startExecution.sync:2',
      output: JSON.stringify(submitted),
      outputDetails: { truncated: false },
    },
  }));
  try {
    return answer(await cancellation.race(finished));
  } catch (thrown) {
    if (thrown instanceof Cancelled && thrown.reason.kind !== 'closing') {
      await visit.engine.stop(record.arn, { cause: 'The task that started this execution was stopped.' });
    }
    throw thrown;
  }
}

async function start({ request, visit }: TaskCall): Promise<Started> {
  const fields = requestObject(request);
  const { execution, frame } = visit;
  const startedBy = `${execution.arn}|${frame.path}|${frame.record.step}|${frame.record.attempt}|${execution.record.redriveCount}`;
  const { Name: name, Input: input = {} } = fields;
  try {
    return await visit.engine.start({
      machineArn: stringIn(fields, 'StateMachineArn'),
      name: typeof name === 'string' ? name : uuidFrom(startedBy),
      input: JSON.stringify(input),
      startedBy,
    });
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error;
    throw new StateError(`StepFunctions.${error.name}Exception`, error.message, { cause: error });
  }
}

/** What the task results in, Input and Output as JSON (that is the `:2`). */
function answer(record: ExecutionRecord): Json {
  const described = {
    ExecutionArn: record.arn,
    Input: JSON.parse(record.input) as Json,
    InputDetails: { Included: true },
    Name: record.name,
    StartDate: record.startDate,
    StateMachineArn: record.machineArn,
    Status: record.status,
    StopDate: record.stopDate ?? 0,
  };
  if (record.status !== 'SUCCEEDED') {
    const { error = '', cause = '' } = record;
    throw statesError('States.TaskFailed', JSON.stringify({ ...described, Error: error, Cause: cause }));
  }
  const output = JSON.parse(record.output ?? 'null') as Json;
  return { ...described, Output: output, OutputDetails: { Included: true } };
}

/** A name that is the same each time the same task asks. */
function uuidFrom(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex');
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `5${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
