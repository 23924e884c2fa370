/** Executions of long ago: 90 days after their end they are forgotten, with all that belongs to them. */

import type { Journal } from '../journal/journal.ts';
import {
  type ChildRecord,
  childInputPrefix,
  childPrefix,
  type ExecutionRecord,
  eventPrefix,
  framePrefix,
  KEYS,
  type MapRunRecord,
  mapRunsPrefix,
} from '../journal/records.ts';
import { LIMITS } from '../limits.ts';

const DAY_MS = 86_400_000;

/** Whether the name is free again and the history gone. */
export const isExpired = ({ stopDate }: ExecutionRecord, now: number): boolean =>
  stopDate !== undefined && stopDate + LIMITS.retentionDays.max * DAY_MS <= now;

/** Removes an execution, its history, its Map Runs and their children. Safe to repeat. */
export async function forgetExecution(journal: Journal, record: ExecutionRecord): Promise<void> {
  const { arn, machineName, startDate, name, status } = record;
  for await (const [key, run] of journal.range<string>(mapRunsPrefix(arn))) {
    await forgetMapRun(journal, run);
    journal.remove(key);
  }
  await forgetEvents(journal, arn);
  for (const list of ['ALL', status]) journal.remove(KEYS.listed(machineName, list, startDate, name));
  journal.remove(KEYS.execution(arn));
  await journal.flushed();
}

async function forgetEvents(journal: Journal, arn: string): Promise<void> {
  await journal.removeAll(framePrefix(arn));
  await journal.removeAll(eventPrefix(arn));
}

async function forgetMapRun(journal: Journal, id: string): Promise<void> {
  const run = await journal.get<MapRunRecord>(KEYS.mapRun(id));
  if (!run) return;
  const machine = run.machineArn.replace(':stateMachine:', ':execution:');
  for await (const [, { name }] of journal.range<ChildRecord>(childPrefix(id))) {
    const arn = `${machine}:${name}`;
    if ((await journal.get(KEYS.execution(arn))) === undefined) continue;
    await forgetEvents(journal, arn);
    journal.remove(KEYS.execution(arn));
  }
  await journal.removeAll(childInputPrefix(id));
  await journal.removeAll(childPrefix(id));
  journal.remove(KEYS.mapRun(id));
}

/** Forgets what has expired of one machine, oldest first; gives how many. */
export async function sweep(journal: Journal, machine: string, now: number): Promise<number> {
  let forgotten = 0;
  for await (const [, arn] of journal.range<string>(KEYS.listedPrefix(machine, 'ALL'), { reverse: true })) {
    const record = await journal.get<ExecutionRecord>(KEYS.execution(arn));
    if (!record) continue;
    if (record.startDate + LIMITS.retentionDays.max * DAY_MS > now) break;
    if (!isExpired(record, now)) continue;
    await forgetExecution(journal, record);
    forgotten += 1;
  }
  return forgotten;
}
