/** One execution: its stages, its report, its objects by outcome and code, its raw history; stop and retry. */
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { linesOf } from '../ingest/ndjson.ts';
import { outcomeEntry, type Report } from '../ingest/report.ts';
import { type Retried, retryObjects } from '../ingest/retry-objects.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { CodeGroup, ExecutionDetails, HistoryEvent } from './api.ts';
import { type Backend, executionArnOf } from './backend.ts';
import { HttpProblem } from './http.ts';
import { indexOf } from './objects.ts';
import type { IndexedGroup } from './objects-index.ts';
import { nameOf } from './overview.ts';
import { readRetryable } from './put-backs.ts';
import { readReport, requireReport } from './reports.ts';
import { stagesOf } from './stages.ts';

/** Throws HttpProblem 404. A report is kept for longer than Step Functions remembers its execution (90 days). */
export async function readExecution(backend: Backend, executionId: string): Promise<ExecutionDetails> {
  const report = await readReport(backend, executionId);
  const found = await describe(backend, executionId).catch((error: unknown) => {
    if (report === undefined || !(error instanceof HttpProblem)) throw error;
    return undefined;
  });
  const ofReport = report
    ? { report, groups: await groupsOf(backend, report), retryable: await readRetryable(backend, report) }
    : { groups: [] };
  if (found === undefined) return { ...ofReport, ...forgotten(report as Report) };
  const isRunning = found.status === 'RUNNING';
  return {
    ...ofReport,
    executionId,
    upload: report?.upload ?? (await nameOf(backend, executionArnOf(backend, executionId), new Map())),
    status: found.status ?? 'UNKNOWN',
    startedAt: found.startDate?.toISOString() ?? '',
    ...(found.stopDate ? { stoppedAt: found.stopDate.toISOString() } : {}),
    ...(found.error ? { error: found.error } : {}),
    stages: await stagesOf(backend, executionId, isRunning),
  };
}

const forgotten = ({ executionId, upload, startedAt, finishedAt }: Report) => ({
  executionId,
  upload,
  status: 'FORGOTTEN',
  startedAt,
  stoppedAt: finishedAt,
  stages: [],
});

async function describe(backend: Backend, executionId: string) {
  const executionArn = executionArnOf(backend, executionId);
  try {
    return await backend.sfn.send(new DescribeExecutionCommand({ executionArn }));
  } catch (cause) {
    if ((cause as Error).name !== 'ExecutionDoesNotExist') throw cause;
    throw new HttpProblem(404, `there is no execution ${executionId}`, { cause });
  }
}

async function groupsOf(backend: Backend, { executionId }: Report): Promise<CodeGroup[]> {
  const { groups } = await indexOf(backend, executionId);
  return groups.map(toGroup).sort(byGravity);
}

function toGroup({ outcome, code, count }: IndexedGroup): CodeGroup {
  const entry = outcomeEntry(code);
  return {
    outcome: outcome as CodeGroup['outcome'],
    code,
    count,
    says: entry?.says ?? '',
    advice: entry?.advice ?? '',
    retry: entry?.retry ?? false,
    benign: entry?.benign ?? true,
  };
}

const ORDER = ['failed', 'rejected', 'ingested', 'duplicate'];
const byGravity = (a: CodeGroup, b: CodeGroup) =>
  ORDER.indexOf(a.outcome) - ORDER.indexOf(b.outcome) ||
  Number(a.benign) - Number(b.benign) ||
  b.count - a.count;

export async function retryExecution(backend: Backend, executionId: string, code?: string): Promise<Retried> {
  const report = await requireReport(backend, executionId);
  if (code !== undefined && report.rejects[code] === undefined)
    throw new HttpProblem(400, `the report has no object with code ${code.slice(0, 64)}`);
  return retryObjects(backend.deps, executionId, code);
}

/** Nothing is lost: what it had not accounted for stays in the inbox. Throws HttpProblem 404, 409. */
export async function cancelExecution(backend: Backend, executionId: string): Promise<void> {
  const { status } = await describe(backend, executionId);
  if (status !== 'RUNNING') throw new HttpProblem(409, `execution ${executionId} does not run: ${status}`);
  await backend.sfn.send(
    new StopExecutionCommand({
      executionArn: executionArnOf(backend, executionId),
      error: 'Cancelled',
      cause: 'stopped in the console',
    }),
  );
}

/** A page of the history of states as Step Functions tells it. */
export async function readHistory(
  backend: Backend,
  executionId: string,
  next: string | undefined,
): Promise<{ events: HistoryEvent[]; next?: string }> {
  await describe(backend, executionId);
  const { events = [], nextToken } = await backend.sfn.send(
    new GetExecutionHistoryCommand({
      executionArn: executionArnOf(backend, executionId),
      maxResults: 200,
      nextToken: next,
    }),
  );
  return {
    events: events.map((event) => {
      const { id = 0, timestamp, type = '', previousEventId: _previous, ...rest } = event;
      const [details] = Object.values(rest) as { name?: string; error?: string }[];
      return {
        id,
        timestamp: timestamp?.toISOString() ?? '',
        type,
        ...(details?.name === undefined ? {} : { state: details.name }),
        ...(details === undefined ? {} : { details: JSON.stringify(details) }),
      };
    }),
    ...(nextToken === undefined ? {} : { next: nextToken }),
  };
}

/** The report, or its lines, as a download. Throws HttpProblem 404. */
export async function downloadOf(
  backend: Backend,
  executionId: string,
  what: 'report' | 'objects',
): Promise<AsyncIterable<string>> {
  await requireReport(backend, executionId);
  const key = what === 'report' ? workKeys.report(executionId) : workKeys.objects(executionId);
  const chunks = await backend.deps.objects.stream({ bucket: backend.workBucket, key });
  return withLineFeeds(linesOf(chunks));
}

async function* withLineFeeds(lines: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const line of lines) yield `${line}\n`;
}
