/** GetExecutionHistory: the events of a STANDARD execution, in pages, either way, with or without data. */
import { ServiceError } from '../errors.ts';
import { eventPrefix } from '../journal/records.ts';
import { isObject } from '../json.ts';
import type { Engine } from '../runtime/engine.ts';
import type { HistoryEvent } from '../runtime/execution.ts';
import { findExecution, seconds } from './executions.ts';
import { readPage } from './pages.ts';
import { arnOf, optionalBoolean, type Request } from './parse.ts';

/** What `includeExecutionData: false` leaves out. */
const DATA = [
  'input',
  'inputDetails',
  'output',
  'outputDetails',
  'parameters',
  'error',
  'cause',
  'assignedVariables',
  'assignedVariablesDetails',
];

export async function getExecutionHistory(engine: Engine, request: Request): Promise<object> {
  const arn = arnOf(request, 'executionArn', 'execution');
  const reverse = optionalBoolean(request, 'reverseOrder', false);
  const withData = optionalBoolean(request, 'includeExecutionData', true);
  const record = await findExecution(engine, arn);
  if (record.type === 'EXPRESS') {
    throw new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  }
  const { entries, nextToken } = await readPage<HistoryEvent>(engine.journal, request, eventPrefix(arn), {
    reverse,
  });
  const events = entries.map(([, event]) => shown(event, withData));
  return { events, ...(nextToken !== undefined && { nextToken }) };
}

function shown(event: HistoryEvent, withData: boolean): object {
  const told = { ...event, timestamp: seconds(event.timestamp) };
  return withData ? told : withoutData(told);
}

function withoutData(event: object): object {
  return Object.fromEntries(
    Object.entries(event).map(([name, value]) => {
      if (!isObject(value)) return [name, value];
      return [name, Object.fromEntries(Object.entries(value).filter(([member]) => !DATA.includes(member)))];
    }),
  );
}
