/** What was refused or failed in a time, over all ingests, from their summaries: pages that look at a bounded number. */
import type { RefusalPage, RefusalQuery, RefusingIngest, Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { makeRejectReader, makeSummaryReader, summaryKeyAt, summaryKeys } from './reports.ts';

const PAGE = 500;
const AT_ONCE = 32;
/** One answer takes no longer than about this; the page goes on from where it stopped. */
const LOOK_MS = 2_000;

export function makeRefusalReader(backend: Backend): (query: RefusalQuery) => Promise<RefusalPage> {
  const readSummary = makeSummaryReader(backend);
  const withRejects = makeRejectReader(backend);
  const read = async (key: string) => {
    const summary = await readSummary(key);
    return summary !== undefined && hasRefused(summary) ? toIngest(await withRejects(summary)) : [];
  };
  return async (query) => {
    const since = query.since === undefined ? '' : summaryKeyAt('since', query.since);
    const before = query.next ?? (query.until === undefined ? undefined : summaryKeyAt('until', query.until));
    const untilMs = Date.now() + LOOK_MS;
    const ingests: RefusingIngest[] = [];
    let looked = 0;
    for await (const keys of someAtOnce(summaryKeys(backend, new Date(), before), since)) {
      ingests.push(...(await Promise.all(keys.map(read))).flat());
      looked += keys.length;
      const next = keys.at(-1);
      if (next !== undefined && (ingests.length >= PAGE || Date.now() > untilMs))
        return { ingests, looked, next };
    }
    return { ingests, looked };
  };
}

/** Keys down to `since`, some at once. */
export async function* someAtOnce(keys: AsyncIterable<string>, since: string): AsyncGenerator<string[]> {
  let some: string[] = [];
  for await (const key of keys) {
    if (key < since) break;
    some.push(key);
    if (some.length < AT_ONCE) continue;
    yield some;
    some = [];
  }
  yield some;
}

const hasRefused = ({ counts }: Summary) => counts !== undefined && counts.rejected + counts.failed > 0;

const toIngest = ({ executionId, upload, finishedAt, rejects = {} }: Summary): RefusingIngest[] =>
  Object.keys(rejects).length === 0 ? [] : [{ executionId, upload, finishedAt, rejects }];
