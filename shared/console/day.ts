/** What the ingests of the last 24 hours came to, hour by hour: each summary is read once, some at a time. */
import { readJson } from '../ingest/ndjson.ts';
import type { Hour, Summary } from './api.ts';
import type { Backend } from './backend.ts';

const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const AT_ONCE = 16;
/** A look takes no longer than about this; the next one goes on. */
const LOOK_MS = 1_000;

type Tally = Omit<Hour, 'from'>;

/** `keys`: of the summaries of the last 24 hours, the newest first. */
export function makeDayReader(backend: Backend) {
  let known = new Map<string, Tally>();
  return async (keys: readonly string[], nowMs: number): Promise<{ hours: Hour[]; isPartial: boolean }> => {
    known = new Map(keys.flatMap((key) => (known.has(key) ? [[key, known.get(key) as Tally]] : [])));
    const unread = keys.filter((key) => !known.has(key));
    const untilMs = Date.now() + LOOK_MS;
    for (let n = 0; n < unread.length && Date.now() < untilMs; n += AT_ONCE) {
      const some = unread.slice(n, n + AT_ONCE);
      const tallies = await Promise.all(some.map((key) => readTally(backend, key)));
      some.forEach((key, index) => void known.set(key, tallies[index] as Tally));
    }
    return { hours: hoursOf(known, nowMs), isPartial: known.size < keys.length };
  };
}

async function readTally({ deps, workBucket }: Backend, key: string): Promise<Tally> {
  const { counts } = (await readJson<Summary>(deps.objects, workBucket, key))?.value ?? {};
  const { ingested = 0, duplicate = 0, rejected = 0, failed = 0 } = counts ?? {};
  return { ingested, duplicate, rejected, failed };
}

/** Full hours, the oldest first: the first of them only from 24 hours ago on. Pure. */
export function hoursOf(tallies: ReadonlyMap<string, Tally>, nowMs: number): Hour[] {
  const first = Math.floor((nowMs - DAY_MS) / HOUR_MS);
  const hours = Array.from({ length: 25 }, (_, n) => ({
    from: new Date((first + n) * HOUR_MS).toISOString(),
    ingested: 0,
    duplicate: 0,
    rejected: 0,
    failed: 0,
  }));
  for (const [key, tally] of tallies) {
    // `reports/2026/11/24/2026-11-24T08:00:00.000Z-…`
    const hour = hours[Math.floor(Date.parse(key.slice(19, 43)) / HOUR_MS) - first];
    if (hour === undefined) continue;
    for (const name of ['ingested', 'duplicate', 'rejected', 'failed'] as const) hour[name] += tally[name];
  }
  return hours;
}
