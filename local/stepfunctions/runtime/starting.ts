/** What a StartExecution asks for, and the record it makes. */
import { ServiceError } from '../errors.ts';
import type { ExecutionRecord } from '../journal/records.ts';
import { LIMITS } from '../limits.ts';
import type { LoadedMachine } from './machines.ts';

export interface StartRequest {
  readonly machineArn: string;
  readonly name?: string;
  /** JSON text. */
  readonly input: string;
  /** The task that starts it, the same each time that very task asks. */
  readonly startedBy?: string;
  readonly traceHeader?: string;
}

export interface Started {
  readonly record: ExecutionRecord;
  readonly finished: Promise<ExecutionRecord>;
}

export function newRecord(
  machine: LoadedMachine,
  name: string,
  arn: string,
  request: StartRequest,
  now: number,
): ExecutionRecord {
  const { startedBy, traceHeader, input } = request;
  return {
    arn,
    machineArn: machine.arn,
    machineName: machine.name,
    roleArn: machine.roleArn,
    name,
    type: machine.type,
    definition: machine.digest,
    input,
    startDate: now,
    status: 'RUNNING',
    redriveCount: 0,
    ...(startedBy !== undefined && { startedBy }),
    ...(traceHeader !== undefined && { traceHeader }),
  };
}

/** A name has 1 to 80 characters, no white space, brackets, wildcards or special characters. Throws InvalidName. */
export function checkName(name: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what the service refuses
  const illegal = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;
  if (name !== '' && name.length <= LIMITS.stateNameLength.max && !illegal.test(name)) return;
  throw new ServiceError(
    'InvalidName',
    'Invalid Name: a name has 1 to 80 characters and none of <>{}[]?*"#%\\^|~`$&,;:/',
  );
}

/** Whether an execution is the one that the request asks for: its own task's, or running with the same input. */
export function isSameStart(record: ExecutionRecord, request: StartRequest): boolean {
  if (request.startedBy !== undefined && record.startedBy === request.startedBy) return true;
  return record.status === 'RUNNING' && sameJson(record.input, request.input);
}

function sameJson(one: string, other: string): boolean {
  return one === other || JSON.stringify(JSON.parse(one)) === JSON.stringify(JSON.parse(other));
}
