/**
 * Follows an upload from its first execution to the report that accounts for what was sent, and shows the stage that
 * runs, with counts. Executions are named by the upload's digest, so that they are found without knowing them.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  type ExecutionListItem,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
} from '@aws-sdk/client-sfn';
import type { Report } from '../shared/ingest/report.ts';
import { uploadIdOf } from '../shared/ingest/work-keys.ts';
import type { Deployment } from './deployment.ts';
import { CommandFailed } from './errors.ts';
import { plural, progressLine, seconds } from './progress.ts';
import { readObjectLines, readReport } from './reports.ts';
import type { Terminal } from './terminal.ts';

/** What a person calls the states of `ingest`. States between them (choices, splits) leave the line as it is. */
const STAGES: Readonly<Record<string, string>> = {
  TakeUpload: 'wait',
  WaitForQuiet: 'wait',
  InspectObjects: 'inspect',
  PlanImport: 'plan',
  StageObjects: 'stage',
  ImportBatches: 'import',
  VerifyFrames: 'verify',
  MergeVariants: 'merge',
  WriteReport: 'report',
  ClearInbox: 'clear',
  ReleaseUpload: 'clear',
  ReportFailure: 'report',
};

/** Stages that fan out, so that a part of the objects can be done with. */
const COUNTED = new Set(['inspect', 'stage', 'import', 'verify']);

const POLL_MS = 400;
/** The sweep starts what events did not, once a minute; much more than that means that nothing will come. */
const START_WITHIN_MS = 5 * 60_000;

export interface Followed {
  /** Reports that account for what was sent, in the order in which they came; nearly always one. */
  readonly reports: readonly Report[];
}

/**
 * Resolves when every key of `sent` is in a report. `since`: when sending began; what ended before is not ours.
 * Throws CommandFailed when no execution comes or one ends without a report.
 */
export async function followUpload(
  deployment: Deployment,
  upload: string,
  sent: Set<string>,
  since: Date,
  terminal: Terminal,
): Promise<Followed> {
  const open = new Set(sent);
  const seen = new Set<string>();
  const reports: Report[] = [];
  let waitingSince = Date.now();
  while (open.size > 0) {
    const execution = await nextExecution(deployment, upload, since, seen);
    if (execution === undefined) {
      if (Date.now() - waitingSince > START_WITHIN_MS)
        throw new CommandFailed(
          `no execution took upload ${upload} within ${START_WITHIN_MS / 60_000} minutes; its ${open.size} objects are in the inbox: see isocenter status`,
        );
      terminal.progress(stageLine('wait', 0, sent.size, (Date.now() - waitingSince) / 1000));
      await sleep(POLL_MS);
      continue;
    }
    seen.add(execution.executionArn ?? '');
    await untilEnded(deployment, execution, sent.size, terminal);
    waitingSince = Date.now();
    const report = await reportOf(deployment, execution);
    if (report === undefined || report.outcome === 'Coalesced') continue;
    for await (const { key } of readObjectLines(deployment, report)) open.delete(key);
    reports.push(report);
    if (report.outcome === 'Failed') break;
  }
  terminal.endProgress();
  return { reports };
}

/** The oldest execution of the upload that runs or ended after `since` and was not looked at yet. */
async function nextExecution(
  { sfn, ingestStateMachineArn }: Deployment,
  upload: string,
  since: Date,
  seen: ReadonlySet<string>,
): Promise<ExecutionListItem | undefined> {
  const prefix = `${uploadIdOf(upload).slice(0, 32)}-`;
  const { executions = [] } = await sfn.send(
    new ListExecutionsCommand({ stateMachineArn: ingestStateMachineArn, maxResults: 1000 }),
  );
  return executions
    .filter(({ name, executionArn }) => name?.startsWith(prefix) && !seen.has(executionArn ?? ''))
    .filter(({ stopDate }) => stopDate === undefined || stopDate > since)
    .sort((a, b) => Number(a.startDate) - Number(b.startDate))[0];
}

async function untilEnded(
  deployment: Deployment,
  execution: ExecutionListItem,
  objects: number,
  terminal: Terminal,
): Promise<void> {
  let stage = '';
  let stageSince = Date.now();
  const line = (done: number) => stageLine(stage, done, objects, (Date.now() - stageSince) / 1000);
  for (;;) {
    const { status } = await deployment.sfn.send(
      new DescribeExecutionCommand({ executionArn: execution.executionArn }),
    );
    const isOver = status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
    const now = isOver ? undefined : await currentStage(deployment, execution.executionArn ?? '');
    if (stage !== '' && (isOver || (now !== undefined && now.stage !== stage)))
      terminal.endProgress(line(status === 'RUNNING' || status === 'SUCCEEDED' ? objects : 0));
    if (isOver) return;
    if (now !== undefined && now.stage !== stage) {
      stage = now.stage;
      stageSince = Date.now();
    }
    if (stage !== '') terminal.progress(line(Math.round((now?.share ?? 0) * objects)));
    await sleep(POLL_MS);
  }
}

/** A part of the objects is named once a shard has ended: until then nobody knows more than the time. */
function stageLine(stage: string, done: number, objects: number, elapsedSeconds: number): string {
  if (COUNTED.has(stage) && done > 0) return progressLine(stage, done, objects, elapsedSeconds);
  return `${stage.padEnd(8)}  ${plural(objects, 'object')}  ${seconds(elapsedSeconds)}`;
}

/** The stage that runs and, in a fan-out, the share of its shards that ended (0…1). */
async function currentStage(
  { sfn }: Deployment,
  executionArn: string,
): Promise<{ stage: string; share: number } | undefined> {
  const { events = [] } = await sfn.send(
    new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 20 }),
  );
  for (const { stateEnteredEventDetails } of events) {
    const stage = STAGES[stateEnteredEventDetails?.name ?? ''];
    if (stage === undefined) continue;
    return { stage, share: await shareDone(sfn, executionArn, stateEnteredEventDetails?.name ?? '') };
  }
  return undefined;
}

async function shareDone(sfn: Deployment['sfn'], executionArn: string, state: string): Promise<number> {
  const { mapRuns = [] } = await sfn.send(new ListMapRunsCommand({ executionArn, maxResults: 50 }));
  const run = mapRuns
    .filter(({ mapRunArn }) => mapRunArn?.includes(`/${state}:`))
    .sort((a, b) => Number(b.startDate) - Number(a.startDate))[0];
  if (run === undefined) return 0;
  const { itemCounts } = await sfn.send(new DescribeMapRunCommand({ mapRunArn: run.mapRunArn }));
  const total = itemCounts?.total ?? 0;
  return total === 0 ? 0 : ((itemCounts?.succeeded ?? 0) + (itemCounts?.failed ?? 0)) / total;
}

/** The execution's report; undefined when it ended as coalesced, before there was anything to report. */
async function reportOf(deployment: Deployment, execution: ExecutionListItem): Promise<Report | undefined> {
  const { status, error, cause, output } = await deployment.sfn.send(
    new DescribeExecutionCommand({ executionArn: execution.executionArn }),
  );
  try {
    return await readReport(deployment, execution.name ?? '');
  } catch (problem) {
    if (!(problem instanceof CommandFailed)) throw problem;
    if (status === 'SUCCEEDED' && output !== undefined) return undefined;
    if (error === 'Cancelled')
      throw new CommandFailed(
        `execution ${execution.name} was cancelled; its objects stay in the inbox: isocenter retry ${execution.name}`,
      );
    throw new CommandFailed(
      `execution ${execution.name} ended as ${status} without a report: ${error ?? ''} ${cause?.split('\n')[0] ?? ''}`.trim(),
    );
  }
}
