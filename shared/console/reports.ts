/** Summaries of finished executions, newest first, and the reports behind them. */
import { readJson } from '../ingest/ndjson.ts';
import type { Report } from '../ingest/report.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';

const DAY_MS = 86_400_000;
/** Days that are listed one by one; what is older is found by one listing of all. */
const DAYS_ONE_BY_ONE = 7;

const isSummaryKey = (key: string) => /^reports\/\d{4}\/\d\d\/\d\d\/[^/]+\.json$/.test(key);

/** Keys of summaries below `before`, newest first. Keys begin with the time of their end, so that they sort by it. */
export async function* summaryKeys(
  backend: Backend,
  now: Date,
  before = 'reports/9',
): AsyncGenerator<string> {
  for (let day = -1; day < DAYS_ONE_BY_ONE; day++) {
    const date = new Date(now.getTime() - day * DAY_MS).toISOString().slice(0, 10);
    yield* newestFirst(backend, `${workKeys.summaries}${date.replaceAll('-', '/')}/`, before);
  }
  const oldestListed = new Date(now.getTime() - (DAYS_ONE_BY_ONE - 1) * DAY_MS).toISOString().slice(0, 10);
  const border = `${workKeys.summaries}${oldestListed.replaceAll('-', '/')}/`;
  yield* newestFirst(backend, workKeys.summaries, before < border ? before : border);
}

async function* newestFirst(backend: Backend, prefix: string, before: string): AsyncGenerator<string> {
  const keys: string[] = [];
  for await (const { key } of backend.deps.objects.list(backend.workBucket, prefix)) {
    if (key >= before) break;
    if (isSummaryKey(key)) keys.push(key);
  }
  yield* keys.reverse();
}

/** Keys of summaries sort by the time of their end: where `time` (ISO 8601) is among them. Throws HttpProblem 400. */
export function summaryKeyAt(name: string, time: string): string {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw new HttpProblem(400, `${name}: expected a time in ISO 8601`);
  return workKeys.summary(date.toISOString(), '').replace(/-\.json$/, '');
}

/** Summaries never change once written: each is read once. */
export function makeSummaryReader(backend: Backend): (key: string) => Promise<Summary | undefined> {
  const known = new Map<string, Summary>();
  return async (key) => {
    const found =
      known.get(key) ?? (await readJson<Summary>(backend.deps.objects, backend.workBucket, key))?.value;
    if (found === undefined) return undefined;
    known.set(key, found);
    if (known.size > 5_000) known.delete(known.keys().next().value as string);
    return found;
  };
}

export async function readReport(backend: Backend, executionId: string): Promise<Report | undefined> {
  return (await readJson<Report>(backend.deps.objects, backend.workBucket, workKeys.report(executionId)))
    ?.value;
}

/** Throws HttpProblem 404. */
export async function requireReport(backend: Backend, executionId: string): Promise<Report> {
  const report = await readReport(backend, executionId);
  if (report === undefined) throw new HttpProblem(404, `execution ${executionId} has no report`);
  return report;
}

/** Adds what was refused, by code, where a summary (early ones) does not say so: from the report, which is read once. */
export function makeRejectReader(backend: Backend): (summary: Summary) => Promise<Summary> {
  const known = new Map<string, Summary['rejects']>();
  return async (summary) => {
    const rejects =
      summary.rejects ??
      known.get(summary.executionId) ??
      (await readReport(backend, summary.executionId))?.rejects ??
      {};
    if (summary.rejects === undefined) known.set(summary.executionId, rejects);
    if (known.size > 5_000) known.delete(known.keys().next().value as string);
    return { ...summary, rejects };
  };
}
