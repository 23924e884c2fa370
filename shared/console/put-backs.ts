/** What of an ingest's refused objects was put back before, and what is still there to be put back. */
import { STAYING } from '../ingest/account.ts';
import { readJson } from '../ingest/ndjson.ts';
import { type PutBack, putBacksOf } from '../ingest/put-backs.ts';
import { uploadIdOf, workKeys } from '../ingest/work-keys.ts';
import type { RefusingIngest, Retryable, Summary } from './api.ts';
import type { Backend } from './backend.ts';

/** A listing's page: of more than this, none is missed. */
const COUNTED = 1_000;
/** After its report an ingest sets aside what it refused: before this, what is not there yet is not gone. */
const SET_ASIDE_MS = 3_600_000;
const DAY_MS = 86_400_000;

export async function readRetryable(
  backend: Backend,
  { executionId, upload, finishedAt, rejects }: RefusingIngest,
): Promise<Retryable> {
  const isSetAside = Date.now() - Date.parse(finishedAt) > SET_ASIDE_MS;
  const [records, there] = await Promise.all([
    putBacksOf(backend.deps.objects, backend.workBucket, executionId),
    isSetAside ? countThere(backend, executionId) : Number.POSITIVE_INFINITY,
  ]);
  const left = Object.entries(rejects).map(([code, count]) => {
    const back = records.reduce((sum, { objects }) => sum + (objects[code] ?? 0), 0);
    return [code, Math.max(0, Math.min(count - back, STAYING.has(code) ? count : there))] as const;
  });
  const putBacks = records.map(async (record) => {
    const ingest = await ingestAfter(backend, upload, record);
    return { ...record, ...(ingest === undefined ? {} : { ingest }) };
  });
  return { putBacks: await Promise.all(putBacks), left: Object.fromEntries(left) };
}

/** Refused objects that wait to be put back; infinite where they are more than are counted. */
async function countThere({ deps, workBucket }: Backend, executionId: string): Promise<number> {
  let there = 0;
  for (const kind of ['rejected', 'failed'] as const)
    for await (const _entry of deps.objects.list(workBucket, workKeys.refusedOf(kind, executionId)))
      if (++there >= COUNTED) return Number.POSITIVE_INFINITY;
  return there;
}

/** The ingest that took what was put back: the first of its upload that ended after that. */
async function ingestAfter(
  { deps, workBucket }: Backend,
  upload: string,
  { at }: PutBack,
): Promise<string | undefined> {
  const of = `-${uploadIdOf(upload).slice(0, 32)}-`;
  for (const dayMs of [Date.parse(at), Date.parse(at) + DAY_MS]) {
    const { prefix, after } = placeOf(new Date(dayMs), at);
    for await (const { key } of deps.objects.list(workBucket, prefix, after)) {
      if (!key.includes(of)) continue;
      const summary = await readJson<Summary>(deps.objects, workBucket, key);
      if (summary && summary.value.outcome !== 'Coalesced') return summary.value.executionId;
    }
  }
  return undefined;
}

/** Where summaries of this day are, and in it the first that ended after `at`. */
function placeOf(day: Date, at: string): { prefix: string; after: string } {
  const prefix = `${workKeys.summaries}${day.toISOString().slice(0, 10).replaceAll('-', '/')}/`;
  return { prefix, after: `${prefix}${at}` };
}
