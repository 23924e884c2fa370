/** Where an execution stands: the stages that people know, from the history of its states and the counts of its map runs. */
import {
  DescribeMapRunCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  ListMapRunsCommand,
} from '@aws-sdk/client-sfn';
import type { Stage } from './api.ts';
import { type Backend, executionArnOf } from './backend.ts';

/** What a person calls the states of `ingest`, in order; choices and splits belong to the stage they follow. */
const STAGES: readonly {
  readonly name: string;
  readonly states: readonly string[];
  readonly map?: string;
}[] = [
  { name: 'Wait for quiet', states: ['TakeUpload', 'WaitForQuiet'] },
  { name: 'Inspect', states: ['InspectObjects'], map: 'InspectObjects' },
  { name: 'Plan', states: ['PlanImport'] },
  { name: 'Stage', states: ['StageObjects'], map: 'StageObjects' },
  { name: 'Import', states: ['ImportBatches'], map: 'ImportBatches' },
  { name: 'Verify', states: ['PlanVerification', 'VerifyFrames'], map: 'VerifyFrames' },
  { name: 'Merge', states: ['MergeVariants'] },
  { name: 'Report', states: ['WriteReport', 'ReportFailure'] },
  { name: 'Clear', states: ['ClearInbox', 'ReleaseUpload'] },
];

/** History of more events than this is cut off: the stages of an ingest are far fewer. */
const MAX_PAGES = 5;

export async function stagesOf(backend: Backend, executionId: string, isRunning: boolean): Promise<Stage[]> {
  const executionArn = executionArnOf(backend, executionId);
  const events = await historyOf(backend, executionArn);
  const stages = stagesFromHistory(events, Date.now(), isRunning);
  const running = stages.findIndex(({ status }) => status === 'running');
  const map = STAGES[running]?.map;
  const current = stages[running];
  if (map === undefined || current === undefined) return stages;
  const share = await shareDone(backend, executionArn, map);
  return stages.map((stage) => (stage === current && share !== undefined ? { ...stage, share } : stage));
}

async function historyOf({ sfn }: Backend, executionArn: string): Promise<HistoryEvent[]> {
  const events: HistoryEvent[] = [];
  let nextToken: string | undefined;
  for (let page = 0; page < MAX_PAGES; page++) {
    const answer = await sfn.send(
      new GetExecutionHistoryCommand({
        executionArn,
        maxResults: 1000,
        includeExecutionData: false,
        nextToken,
      }),
    );
    events.push(...(answer.events ?? []));
    nextToken = answer.nextToken;
    if (nextToken === undefined) break;
  }
  return events;
}

/** Seconds in each stage: from its first state's start to the next stage's. Pure. */
export function stagesFromHistory(
  events: readonly HistoryEvent[],
  nowMs: number,
  isRunning: boolean,
): Stage[] {
  const spentMs = STAGES.map(() => 0);
  const visited = STAGES.map(() => false);
  let current: number | undefined;
  let since = 0;
  const leave = (atMs: number) => {
    if (current !== undefined) spentMs[current] = (spentMs[current] ?? 0) + atMs - since;
    since = atMs;
  };
  let failed = false;
  for (const event of events) {
    const atMs = event.timestamp?.getTime() ?? since;
    const state = event.stateEnteredEventDetails?.name;
    if (state === 'ReportFailure') failed = true;
    const index = STAGES.findIndex(({ states }) => state !== undefined && states.includes(state));
    if (index >= 0 && state !== 'ReportFailure') {
      leave(atMs);
      current = index;
      visited[index] = true;
    }
    if (/^Execution(Succeeded|Failed|Aborted|TimedOut)$/.test(event.type ?? '')) {
      leave(atMs);
      if (event.type !== 'ExecutionSucceeded') failed = true;
    }
  }
  if (isRunning) leave(nowMs);
  return STAGES.map(({ name }, index) => ({
    name,
    seconds: Math.max(0, (spentMs[index] ?? 0) / 1000),
    status: !visited[index]
      ? 'waiting'
      : index !== current
        ? 'done'
        : isRunning
          ? 'running'
          : failed
            ? 'failed'
            : 'done',
  }));
}

async function shareDone({ sfn }: Backend, executionArn: string, state: string): Promise<number | undefined> {
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn, maxResults: 50 }));
  const run = mapRuns
    .filter(({ mapRunArn }) => mapRunArn?.includes(`/${state}:`))
    .sort((a, b) => Number(b.startDate) - Number(a.startDate))[0];
  if (run === undefined) return undefined;
  const { itemCounts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn: run.mapRunArn }));
  const total = itemCounts?.total ?? 0;
  return total === 0 ? undefined : ((itemCounts?.succeeded ?? 0) + (itemCounts?.failed ?? 0)) / total;
}
