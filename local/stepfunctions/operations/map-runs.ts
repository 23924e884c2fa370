/** ListMapRuns, DescribeMapRun: counts are live while the run runs. */
import { ServiceError } from '../errors.ts';
import { type MapRunCounts, type MapRunRecord, mapRunsPrefix } from '../journal/records.ts';
import type { Engine } from '../runtime/engine.ts';
import { findExecution, seconds } from './executions.ts';
import { readPage } from './pages.ts';
import { arnOf, type Request } from './parse.ts';

/** By its id, or by the first 24 characters of it. */
export async function findMapRun(engine: Engine, id: string): Promise<MapRunRecord | undefined> {
  for (const run of engine.mapRuns.values()) if (run.id.startsWith(id)) return run.record;
  for await (const [, record] of engine.journal.range<MapRunRecord>(`m|${id}`.slice(0, -1), { limit: 1 })) {
    return record.id.startsWith(id) ? record : undefined;
  }
  return undefined;
}

/** Throws ResourceNotFound. */
export async function runRecord(engine: Engine, arn: string): Promise<MapRunRecord> {
  const record = await findMapRun(engine, arn.slice(arn.lastIndexOf(':') + 1));
  if (record?.arn === arn) return record;
  throw new ServiceError('ResourceNotFound', `Resource not found: '${arn}'`);
}

export async function listMapRuns(engine: Engine, request: Request): Promise<object> {
  const arn = arnOf(request, 'executionArn', 'execution');
  await findExecution(engine, arn);
  const { entries, nextToken } = await readPage<string>(engine.journal, request, mapRunsPrefix(arn));
  const mapRuns = [];
  for (const [, id] of entries) {
    const record = await findMapRun(engine, id);
    if (record) mapRuns.push(listed(record));
  }
  return { mapRuns, ...(nextToken !== undefined && { nextToken }) };
}

const listed = (record: MapRunRecord): object => ({
  executionArn: record.executionArn,
  mapRunArn: record.arn,
  stateMachineArn: record.machineArn,
  startDate: seconds(record.startDate),
  ...(record.stopDate !== undefined && { stopDate: seconds(record.stopDate) }),
});

export async function describeMapRun(engine: Engine, request: Request): Promise<object> {
  const record = await runRecord(engine, arnOf(request, 'mapRunArn', 'mapRun'));
  return {
    mapRunArn: record.arn,
    executionArn: record.executionArn,
    status: record.status,
    startDate: seconds(record.startDate),
    ...(record.stopDate !== undefined && { stopDate: seconds(record.stopDate) }),
    maxConcurrency: record.maxConcurrency,
    toleratedFailurePercentage: record.toleratedFailurePercentage ?? 0,
    toleratedFailureCount: record.toleratedFailureCount ?? 0,
    itemCounts: counts(record.items),
    executionCounts: counts(record.executions),
    redriveCount: record.redriveCount,
    ...(record.redriveDate !== undefined && { redriveDate: seconds(record.redriveDate) }),
  };
}

const counts = (of: MapRunCounts): object => ({ ...of, failuresNotRedrivable: 0, pendingRedrive: 0 });
