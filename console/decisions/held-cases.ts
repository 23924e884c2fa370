/** Pages of what is held, put together: a study or series that comes on several of them is one case. Pure. */
import type { HeldCase, HeldPage } from '../../shared/console/api.ts';

export const NOTHING_HELD: HeldPage = { cases: [], looked: 0 };

export const keyOf = ({ code, studyInstanceUID, series }: HeldCase): string =>
  `${code} ${code === 'IdentityConflict' ? studyInstanceUID : series[0]}`;

/** A decision is about no more. */
const MOST_INSTANCES = 500;

/** `page` goes on from where `before` stopped. */
export function withPage(before: HeldPage, page: HeldPage): HeldPage {
  const cases = new Map<string, HeldCase>();
  // What the earlier page broke off in was gone on with: only this one knows whether there is more.
  for (const { isMore: _, ...one } of before.cases) cases.set(keyOf(one), one);
  for (const one of page.cases) {
    const known = cases.get(keyOf(one));
    cases.set(keyOf(one), known ? asOne(known, one) : one);
  }
  return { ...page, cases: [...cases.values()], looked: before.looked + page.looked };
}

function asOne(newer: HeldCase, older: HeldCase): HeldCase {
  const sops = new Set(newer.instances?.map(({ sop }) => sop));
  const instances = [
    ...(newer.instances ?? []),
    ...(older.instances ?? []).filter(({ sop }) => !sops.has(sop)),
  ];
  const times = [newer.since, newer.until, older.since, older.until].sort();
  return {
    ...newer,
    series: [...new Set([...newer.series, ...older.series])].sort(),
    objects: newer.objects + older.objects,
    ...(newer.instances ? { instances: instances.slice(0, MOST_INSTANCES) } : {}),
    ...(older.isMore ? { isMore: true } : {}),
    since: times[0] ?? '',
    until: times.at(-1) ?? '',
    executions: executionsOf([...newer.executions, ...older.executions]),
  };
}

/** An answer may end within an ingest, so that it comes twice. */
function executionsOf(all: HeldCase['executions']): HeldCase['executions'] {
  const distinct = new Map<string, HeldCase['executions'][number]>();
  for (const one of all) {
    const objects = one.objects + (distinct.get(one.executionId)?.objects ?? 0);
    distinct.set(one.executionId, { ...one, objects });
  }
  return [...distinct.values()];
}
