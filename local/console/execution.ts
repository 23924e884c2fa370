/** One execution: its stages, its report, its objects by outcome and code, its raw history; stop and retry. */
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { linesOf, readLines } from '../../shared/ingest/ndjson.ts';
import { type ObjectLine, outcomeEntry, type Report } from '../../shared/ingest/report.ts';
import { type Retried, retryObjects } from '../../shared/ingest/retry-objects.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import type { CodeGroup, ExecutionDetails, HistoryEvent, ObjectsPage, ObjectsQuery } from './api.ts';
import { type Backend, executionArnOf } from './backend.ts';
import { HttpProblem } from './http.ts';
import { nameOf } from './overview.ts';
import { readReport, requireReport } from './reports.ts';
import { stagesOf } from './stages.ts';

/** Above this the codes are taken from the report alone, without those of ingested objects. */
const SCANNED_BYTES = 64 * 1024 * 1024;
const PAGE = 100;
const READ_BYTES = 256 * 1024;
/** One answer reads no more than this while it looks for matches. */
const LOOK_BYTES = 16 * 1024 * 1024;

/** Throws HttpProblem 404. */
export async function readExecution(backend: Backend, executionId: string): Promise<ExecutionDetails> {
  const found = await describe(backend, executionId);
  const isRunning = found.status === 'RUNNING';
  const report = await readReport(backend, executionId);
  return {
    executionId,
    upload: report?.upload ?? (await nameOf(backend, executionArnOf(backend, executionId), new Map())),
    status: found.status ?? 'UNKNOWN',
    startedAt: found.startDate?.toISOString() ?? '',
    ...(found.stopDate ? { stoppedAt: found.stopDate.toISOString() } : {}),
    ...(found.error ? { error: found.error } : {}),
    stages: await stagesOf(backend, executionId, isRunning),
    ...(report ? { report } : {}),
    groups: report ? await groupsOf(backend, report) : [],
  };
}

async function describe(backend: Backend, executionId: string) {
  const executionArn = executionArnOf(backend, executionId);
  try {
    return await backend.sfn.send(new DescribeExecutionCommand({ executionArn }));
  } catch (cause) {
    if ((cause as Error).name !== 'ExecutionDoesNotExist') throw cause;
    throw new HttpProblem(404, `there is no execution ${executionId}`, { cause });
  }
}

async function groupsOf(backend: Backend, report: Report): Promise<CodeGroup[]> {
  const key = workKeys.objects(report.executionId);
  const entry = await backend.deps.objects.head({ bucket: backend.workBucket, key });
  const counts = new Map<string, number>();
  const add = (outcome: string, code: string, count: number) =>
    counts.set(`${outcome} ${code}`, (counts.get(`${outcome} ${code}`) ?? 0) + count);
  if (entry !== undefined && entry.sizeBytes <= SCANNED_BYTES) {
    for await (const line of readLines<ObjectLine>(backend.deps.objects, backend.workBucket, key))
      add(line.outcome, remarkOf(line), 1);
  } else {
    for (const [code, count] of Object.entries(report.rejects))
      add(outcomeEntry(code)?.kind === 'fail' ? 'failed' : 'rejected', code, count);
    for (const outcome of ['ingested', 'duplicate'] as const) add(outcome, '', report.counts[outcome]);
  }
  return [...counts].map(([name, count]) => toGroup(name, count)).sort(byGravity);
}

/** Its code; for what was ingested all the same, the first warning's. */
const remarkOf = ({ code, warnings }: ObjectLine): string => code ?? warnings?.[0]?.code ?? '';

function toGroup(name: string, count: number): CodeGroup {
  const [outcome = '', code = ''] = name.split(' ');
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

/** Objects from a byte offset on: the file is read in ranges, so that a million lines cost no more than a hundred. */
export async function readObjects(
  backend: Backend,
  executionId: string,
  query: ObjectsQuery,
): Promise<ObjectsPage> {
  const report = await requireReport(backend, executionId);
  const location = { bucket: backend.workBucket, key: workKeys.objects(report.executionId) };
  const entry = await backend.deps.objects.head(location);
  const objects: ObjectLine[] = [];
  const start = query.next ?? 0;
  let at = start;
  const totalBytes = entry?.sizeBytes ?? 0;
  while (at < totalBytes && at - start < LOOK_BYTES) {
    const piece = await wholeLines(backend, location, at, totalBytes);
    for (const { text, bytes } of piece) {
      at += bytes;
      const line = JSON.parse(text) as ObjectLine;
      if (matches(line, query)) objects.push(line);
      if (objects.length >= PAGE) return at < totalBytes ? { objects, next: at } : { objects };
    }
  }
  return at < totalBytes ? { objects, next: at } : { objects };
}

interface TextLine {
  readonly text: string;
  /** With its line feed. */
  readonly bytes: number;
}

/** Lines that are whole within the next range; a line longer than that is read alone. */
async function wholeLines(
  backend: Backend,
  location: { bucket: string; key: string },
  at: number,
  totalBytes: number,
): Promise<TextLine[]> {
  for (let length = READ_BYTES; ; length *= 4) {
    const end = Math.min(totalBytes, at + length);
    const { bytes } = await backend.deps.objects.read(location, { start: at, end });
    const lines: TextLine[] = [];
    let from = 0;
    for (let feed = bytes.indexOf(10, from); feed >= 0; feed = bytes.indexOf(10, from)) {
      lines.push({ text: new TextDecoder().decode(bytes.subarray(from, feed)), bytes: feed + 1 - from });
      from = feed + 1;
    }
    if (lines.length > 0) return lines;
    if (end === totalBytes) return [{ text: new TextDecoder().decode(bytes), bytes: bytes.length }];
  }
}

function matches(line: ObjectLine, { outcome, code, text }: ObjectsQuery): boolean {
  if (outcome !== undefined && line.outcome !== outcome) return false;
  if (code !== undefined && remarkOf(line) !== code) return false;
  if (text === undefined) return true;
  return [line.key, line.sopInstanceUID, line.seriesInstanceUID, line.studyInstanceUID, line.message].some(
    (value) => value?.toLowerCase().includes(text.toLowerCase()),
  );
}

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

/** The report, or its lines, as a download. */
export async function* downloadOf(
  backend: Backend,
  executionId: string,
  what: 'report' | 'objects',
): AsyncGenerator<string> {
  await requireReport(backend, executionId);
  const key = what === 'report' ? workKeys.report(executionId) : workKeys.objects(executionId);
  const chunks = await backend.deps.objects.stream({ bucket: backend.workBucket, key });
  for await (const line of linesOf(chunks)) yield `${line}\n`;
}
