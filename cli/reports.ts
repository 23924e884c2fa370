/** Finds and reads reports in the work bucket: report.json, its objects.ndjson, and the small summaries by day. */
import { readLines } from '../shared/ingest/ndjson.ts';
import type { ObjectLine, Report } from '../shared/ingest/report.ts';
import { workKeys } from '../shared/ingest/work-keys.ts';
import { NoSuchObject, type ObjectStore } from '../shared/ports/object-store.ts';
import { CommandFailed, UsageError } from './errors.ts';

export interface WorkBucket {
  readonly store: ObjectStore;
  readonly workBucket: string;
}

const EXECUTION_ID = /^[A-Za-z0-9_-]{1,80}$/;

/** The name of an execution is part of keys and ARNs: nothing else may be. Throws UsageError. */
export function parseExecutionId(text: string): string {
  if (!EXECUTION_ID.test(text)) throw new UsageError(`not an execution id: ${JSON.stringify(text)}`);
  return text;
}

/** The report of an execution. Throws CommandFailed where there is none. */
export async function readReport({ store, workBucket }: WorkBucket, executionId: string): Promise<Report> {
  parseExecutionId(executionId);
  try {
    const { bytes } = await store.read({ bucket: workBucket, key: workKeys.report(executionId) });
    return parseReport(bytes);
  } catch (error) {
    if (error instanceof NoSuchObject) throw new CommandFailed(`execution ${executionId} has no report`);
    throw error;
  }
}

function parseReport(bytes: Uint8Array): Report {
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  const schema = (value as { schema?: unknown } | null)?.schema;
  if (schema !== 'isocenter.report/1')
    throw new CommandFailed(`report.json: schema: expected isocenter.report/1, got ${String(schema)}`);
  return value as Report;
}

/** The lines of objects.ndjson as they come. */
export async function* readObjectLines({ store }: WorkBucket, report: Report): AsyncGenerator<ObjectLine> {
  const [, bucket, key] = /^s3:\/\/([^/]+)\/(.+)$/.exec(report.objects) ?? [];
  if (bucket === undefined || key === undefined)
    throw new CommandFailed(`report.json: objects: expected s3://bucket/key, got ${report.objects}`);
  yield* readLines<ObjectLine>(store, bucket, key);
}

export interface Summary {
  readonly executionId: string;
  readonly finishedAt: string;
  readonly upload?: string;
  readonly outcome: Report['outcome'];
  readonly counts?: Report['counts'];
}

/** Summaries of finished executions, newest first. */
export async function* recentSummaries(work: WorkBucket, today: Date): AsyncGenerator<Summary> {
  const seen = new Set<string>();
  for (let day = 0; day < DAYS_ONE_BY_ONE; day += 1)
    yield* newestFirst(work, dayPrefix(new Date(today.getTime() - (day - 1) * 86_400_000)), seen);
  yield* newestFirst(work, 'reports/', seen);
}

/** Days looked at singly before the whole listing is read; a report may be a day "ahead" by clock. */
const DAYS_ONE_BY_ONE = 15;

function dayPrefix(day: Date): string {
  return `reports/${day.toISOString().slice(0, 10).replaceAll('-', '/')}/`;
}

async function* newestFirst(
  { store, workBucket }: WorkBucket,
  prefix: string,
  seen: Set<string>,
): AsyncGenerator<Summary> {
  const keys: string[] = [];
  for await (const { key } of store.list(workBucket, prefix)) if (!seen.has(key)) keys.push(key);
  for (const key of keys.reverse()) {
    seen.add(key);
    const { bytes } = await store.read({ bucket: workBucket, key });
    yield JSON.parse(new TextDecoder().decode(bytes)) as Summary;
  }
}
