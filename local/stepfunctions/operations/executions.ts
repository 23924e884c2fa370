/** StartExecution, DescribeExecution, ListExecutions, StopExecution, RedriveExecution. */
import { ServiceError } from '../errors.ts';
import {
  type ChildInput,
  type ChildRecord,
  childPrefix,
  type ExecutionRecord,
  executionKey,
  KEYS,
  type MapRunRecord,
} from '../journal/records.ts';
import { LIMITS } from '../limits.ts';
import type { Engine } from '../runtime/engine.ts';
import { childIndex } from '../runtime/map-run.ts';
import { findMapRun, runRecord } from './map-runs.ts';
import { readPage } from './pages.ts';
import { arnOf, executionInput, executionName, optionalString, optionalWord, type Request } from './parse.ts';

const STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const;

/** The API's timestamps: seconds since 1970, with a fraction. */
export const seconds = (milliseconds: number): number => milliseconds / 1000;
const optional = <K extends string, V>(key: K, value: V | undefined) =>
  value === undefined ? {} : ({ [key]: value } as Record<K, V>);

export async function startExecution(engine: Engine, request: Request): Promise<object> {
  const machineArn = arnOf(request, 'stateMachineArn', 'stateMachine');
  const name = executionName(request);
  const traceHeader = optionalString(request, 'traceHeader', 256);
  const { record } = await engine.start({
    machineArn,
    input: executionInput(request),
    ...optional('name', name),
    ...optional('traceHeader', traceHeader),
  });
  return { executionArn: record.arn, startDate: seconds(record.startDate) };
}

export async function describeExecution(engine: Engine, request: Request): Promise<object> {
  const record = await findExecution(engine, arnOf(request, 'executionArn', 'execution'));
  return {
    executionArn: record.arn,
    stateMachineArn: record.machineArn,
    name: record.name,
    status: record.status,
    startDate: seconds(record.startDate),
    ...(record.stopDate !== undefined && { stopDate: seconds(record.stopDate) }),
    input: record.input,
    inputDetails: { included: true },
    ...(record.output !== undefined && { output: record.output, outputDetails: { included: true } }),
    ...optional('error', record.error),
    ...optional('cause', record.cause),
    ...optional('mapRunArn', record.mapRunArn),
    ...optional('traceHeader', record.traceHeader),
    redriveCount: record.redriveCount,
    ...(record.redriveDate !== undefined && { redriveDate: seconds(record.redriveDate) }),
    ...redriveStatus(record, engine.timers.now()),
  };
}

/** The record of an execution, of a child of a Map Run too. Throws ExecutionDoesNotExist. */
export async function findExecution(engine: Engine, arn: string): Promise<ExecutionRecord> {
  const running = engine.running.get(arn)?.record;
  const record =
    running ??
    (await engine.journal.get<ExecutionRecord>(KEYS.execution(arn))) ??
    (await findChild(engine, arn));
  if (record) return record;
  throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
}

/** EXPRESS children have no record of their own: theirs is put together from the Map Run's. */
async function findChild(engine: Engine, arn: string): Promise<ExecutionRecord | undefined> {
  const [machine = '', name = ''] = executionKey(arn).split(':');
  if (!machine.includes('/') || name.length !== 36) return undefined;
  const run = await findMapRun(engine, name.slice(0, 24));
  const index = childIndex(name);
  if (!run || !Number.isSafeInteger(index)) return undefined;
  const child = await engine.journal.get<ChildRecord>(KEYS.child(run.id, index));
  if (!child || child.name !== name) return undefined;
  const given = await engine.journal.get<ChildInput>(KEYS.childInput(run.id, index));
  return {
    ...child,
    arn,
    machineArn: run.machineArn,
    machineName: machine.split('/')[0] ?? '',
    roleArn: '',
    type: 'EXPRESS',
    definition: '',
    input: given?.input ?? '{}',
    mapRunArn: run.arn,
    itemCount: child.items,
    redriveCount: 0,
  };
}

export async function listExecutions(engine: Engine, request: Request): Promise<object> {
  const status = optionalWord(request, 'statusFilter', STATUSES);
  if (request.mapRunArn !== undefined && request.mapRunArn !== null) {
    return listChildren(engine, request, status);
  }
  const machineArn = arnOf(request, 'stateMachineArn', 'stateMachine');
  const machine = engine.machines.get(machineArn);
  if (machine.type === 'EXPRESS') {
    throw new ServiceError(
      'StateMachineTypeNotSupported',
      'This operation is not supported by this type of state machine',
    );
  }
  const prefix = KEYS.listedPrefix(machine.name, status ?? 'ALL');
  const { entries, nextToken } = await readPage<string>(engine.journal, request, prefix);
  const executions = [];
  for (const [, arn] of entries) executions.push(listed(await findExecution(engine, arn)));
  return { executions, ...optional('nextToken', nextToken) };
}

/** Children that have begun, newest first. */
async function listChildren(engine: Engine, request: Request, status: string | undefined): Promise<object> {
  const run = await runRecord(engine, arnOf(request, 'mapRunArn', 'mapRun'));
  const { entries, nextToken } = await readPage<ChildRecord>(engine.journal, request, childPrefix(run.id), {
    reverse: true,
    keep: (child) => status === undefined || child.status === status,
  });
  const executions = entries.map(([, child]) => listed(childOf(engine, run, child)));
  return { executions, ...optional('nextToken', nextToken) };
}

type Listed = Pick<
  ExecutionRecord,
  | 'arn'
  | 'machineArn'
  | 'name'
  | 'status'
  | 'startDate'
  | 'stopDate'
  | 'mapRunArn'
  | 'itemCount'
  | 'redriveCount'
  | 'redriveDate'
>;

function childOf(engine: Engine, run: MapRunRecord, child: ChildRecord): Listed {
  const machine = executionKey(run.machineArn);
  return {
    ...child,
    arn: engine.arn('execution', `${machine}:${child.name}`),
    machineArn: run.machineArn,
    mapRunArn: run.arn,
    itemCount: child.items,
    redriveCount: 0,
  };
}

const listed = (record: Listed): object => ({
  executionArn: record.arn,
  stateMachineArn: record.machineArn,
  name: record.name,
  status: record.status,
  startDate: seconds(record.startDate),
  ...(record.stopDate !== undefined && { stopDate: seconds(record.stopDate) }),
  ...optional('mapRunArn', record.mapRunArn),
  ...optional('itemCount', record.itemCount),
  redriveCount: record.redriveCount,
  ...(record.redriveDate !== undefined && { redriveDate: seconds(record.redriveDate) }),
});

export async function stopExecution(engine: Engine, request: Request): Promise<object> {
  const arn = arnOf(request, 'executionArn', 'execution');
  const error = optionalString(request, 'error', 256);
  const cause = optionalString(request, 'cause', 32_768);
  const record = await engine.stop(arn, { ...optional('error', error), ...optional('cause', cause) });
  await engine.journal.flushed({ sync: true });
  return { stopDate: seconds(record.stopDate ?? engine.timers.now()) };
}

export async function redriveExecution(engine: Engine, request: Request): Promise<object> {
  const arn = arnOf(request, 'executionArn', 'execution');
  const again = await engine.redrive(arn, async () => {
    const record = await findExecution(engine, arn);
    const { redriveStatus: status, redriveStatusReason: reason } = redriveStatus(record, engine.timers.now());
    if (status === 'REDRIVABLE') return record;
    throw new ServiceError('ExecutionNotRedrivable', reason ?? 'It is redriven with its Map Run');
  });
  return { redriveDate: seconds(again.redriveDate ?? engine.timers.now()) };
}

interface RedriveStatus {
  readonly redriveStatus: 'REDRIVABLE' | 'NOT_REDRIVABLE' | 'REDRIVABLE_BY_MAP_RUN';
  readonly redriveStatusReason?: string;
}

function redriveStatus(record: ExecutionRecord, now: number): RedriveStatus {
  const not = (redriveStatusReason: string): RedriveStatus => ({
    redriveStatus: 'NOT_REDRIVABLE',
    redriveStatusReason,
  });
  if (record.status === 'RUNNING' || record.status === 'SUCCEEDED') {
    return not(`Execution is ${record.status} and cannot be redriven`);
  }
  if (record.mapRunArn !== undefined) return { redriveStatus: 'REDRIVABLE_BY_MAP_RUN' };
  if (record.type === 'EXPRESS') return not('EXPRESS executions cannot be redriven');
  if (now - record.startDate > LIMITS.redriveDays.max * 86_400_000)
    return not('Execution redrivable period has expired');
  if (record.redriveCount >= LIMITS.redriveCount.max) return not('Execution has been redriven too often');
  return { redriveStatus: 'REDRIVABLE' };
}
