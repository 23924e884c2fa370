/**
 * What was refused until a person decides, over all ingests: studies with differing patients, and other contents of stored
 * instances. Found from the summaries, newest first, page by page; no values of patients but where somebody asked to see them.
 */
import { HELD_CODES } from '../ingest/held-codes.ts';
import { withoutLeftOut } from '../ingest/left-out.ts';
import { patientDecisionOf } from '../ingest/patient-decisions.ts';
import { refusedId } from '../ingest/refused-objects.ts';
import { viewHeld } from '../ingest/release-held.ts';
import { viewConflict } from '../ingest/view-conflict.ts';
import type { HeldCase, HeldConflict, HeldInstance, HeldPage, HeldPatients, Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { type HeldObject, heldBy, mayWait, type Row } from './held-objects.ts';
import { HttpProblem } from './http.ts';
import { someAtOnce } from './refusals.ts';
import { makeSummaryReader, readReport, summaryKeys } from './reports.ts';

/** One answer takes no longer than about this, and looks at and finds no more; the page goes on from there. */
const LIMITS = { lookMs: 3_000, ingests: 1_000, most: 5_000, rowsAtOnce: 500 };
/** Instances that a case names: a decision is about at most so many. */
const MOST_INSTANCES = 500;

export interface HeldQuery {
  /** Only what this ingest refused. */
  readonly executionId?: string;
  /** Where an earlier answer stopped. */
  readonly next?: string;
}

/** What was found until a limit was reached: there `cut` is on. */
interface Found {
  readonly held: readonly HeldObject[];
  readonly looked: number;
  readonly next?: string;
  readonly cut?: HeldObject['of'];
}

/** Summaries are remembered between calls. */
export function makeHeldReader(backend: Backend, limits = LIMITS): (query: HeldQuery) => Promise<HeldPage> {
  const readSummary = makeSummaryReader(backend);
  const waiting = async (key: string) => {
    const summary = await readSummary(key);
    return summary && mayHold(summary) && (await mayWait(backend, summary.executionId)) ? summary : undefined;
  };
  const rowLimits = () => ({ ...limits, untilMs: Date.now() + limits.lookMs });

  const inOne = async (executionId: string, from: Row | undefined): Promise<Found> => {
    const report = await readReport(backend, executionId);
    if (!report) return { held: [], looked: 0 };
    const { held, next } = await heldBy(backend, report, from ?? FIRST, rowLimits());
    return { held, looked: from ? 0 : 1, ...(next ? { next: nextAt(executionId, next), cut: report } : {}) };
  };

  const inAll = async (before: string | undefined, from: Row | undefined): Promise<Found> => {
    const rows = rowLimits();
    const held: HeldObject[] = [];
    // The ingest that an earlier answer broke off in was counted there.
    let looked = from ? -1 : 0;
    let row = from ?? FIRST;
    const clock = new Date(backend.deps.clock.now());
    for await (const keys of someAtOnce(summaryKeys(backend, clock, from ? `${before} ` : before), '')) {
      const summaries = await Promise.all(keys.map(waiting));
      for (const [n, key] of keys.entries()) {
        const of = summaries[n];
        const most = rows.most - held.length;
        const found = of ? await heldBy(backend, of, row, { ...rows, most }) : NOTHING;
        held.push(...found.held);
        row = FIRST;
        looked++;
        if (of && found.next) return { held, looked, next: nextAt(key, found.next), cut: of };
        if (held.length >= rows.most || looked >= rows.ingests || Date.now() > rows.untilMs)
          return { held, looked, next: key };
      }
    }
    return { held, looked: Math.max(0, looked) };
  };

  return async ({ executionId, next = '' }) => {
    const [, at, code, row] = NEXT.exec(next) ?? [];
    const from = code === undefined ? undefined : { code: Number(code), row: Number(row) };
    const {
      held,
      looked,
      next: goOn,
      cut,
    } = await (executionId === undefined ? inAll(at, from) : inOne(executionId, from));
    return {
      cases: await casesOf(backend, held, cut),
      looked,
      ...(goOn === undefined ? {} : { next: goOn }),
    };
  };
}

const FIRST: Row = { code: 0, row: 0 };
const NOTHING: Awaited<ReturnType<typeof heldBy>> = { held: [] };
/** After an ingest, or within it. */
const NEXT = /^([^@]+)(?:@([01])@(\d{1,9}))?$/;
const nextAt = (at: string, { code, row }: Row) => `${at}@${code}@${row}`;

/** Early summaries do not say with which code objects were refused. */
const mayHold = ({ rejects, counts }: Summary): boolean =>
  rejects === undefined ? (counts?.rejected ?? 0) > 0 : HELD_CODES.some((code) => (rejects[code] ?? 0) > 0);

async function casesOf(
  backend: Backend,
  found: readonly HeldObject[],
  cut: HeldObject['of'] | undefined,
): Promise<HeldCase[]> {
  const cases = new Map<string, HeldObject[]>();
  const deps = { objects: backend.deps.objects, settings: { workBucket: backend.workBucket } };
  const waiting = await withoutLeftOut(deps, found, ({ code, line, of: { finishedAt } }) => ({
    code,
    seriesInstanceUID: line.seriesInstanceUID ?? '',
    finishedAt,
  }));
  for (const held of waiting) {
    const { studyInstanceUID = '', seriesInstanceUID = '' } = held.line;
    const about = held.code === 'IdentityConflict' ? studyInstanceUID : seriesInstanceUID;
    const same = cases.get(`${held.code} ${about}`);
    if (same) same.push(held);
    else cases.set(`${held.code} ${about}`, [held]);
  }
  return [...cases.values()].map((held) => ({
    ...toCase(held),
    ...(held.some(({ of }) => of.executionId === cut?.executionId) ? { isMore: true } : {}),
  }));
}

function toCase(held: readonly HeldObject[]): HeldCase {
  const [{ code, line }] = held as [HeldObject, ...HeldObject[]];
  const times = held.map(({ of }) => of.finishedAt).sort();
  const distinct = (of: (one: HeldObject) => string) => [...new Set(held.map(of))];
  return {
    code,
    studyInstanceUID: line.studyInstanceUID ?? '',
    series: distinct((one) => one.line.seriesInstanceUID ?? '').sort(),
    objects: held.length,
    ...(code === 'InstanceConflict' ? { instances: instancesOf(held) } : {}),
    since: times[0] ?? '',
    until: times.at(-1) ?? '',
    executions: distinct(({ of }) => of.executionId).map((executionId) => {
      const ours = held.filter(({ of }) => of.executionId === executionId);
      return { executionId, upload: ours[0]?.of.upload ?? '', objects: ours.length };
    }),
  };
}

/** Of each instance the newest object. Pure. */
function instancesOf(held: readonly HeldObject[]): HeldInstance[] {
  const newest = new Map<string, string>();
  for (const { line, of } of held) {
    const sop = line.sopInstanceUID ?? '';
    if (!newest.has(sop)) newest.set(sop, refusedId(of.executionId, line));
  }
  return [...newest]
    .map(([sop, object]) => ({ sop, object }))
    .sort((a, b) => (a.sop < b.sop ? -1 : 1))
    .slice(0, MOST_INSTANCES);
}

/** The patients of the series' study, stored and held. Throws HttpProblem 404. */
export async function readHeldPatients(
  backend: Backend,
  series: string,
  withValues: boolean,
): Promise<HeldPatients> {
  const deps = await backend.mergeDeps();
  const view = await viewHeld(deps, series);
  if (view === undefined) throw new HttpProblem(404, 'nothing of this study waits for a decision any more');
  const { history = [] } = (await patientDecisionOf(deps, view.studyInstanceUID)) ?? {};
  return {
    ...view,
    patients: view.patients.map(({ identity, ...patient }) =>
      withValues ? { ...patient, identity } : patient,
    ),
    history: history.map(({ actor, reason, at, decision }) => ({ actor, reason, at, decision })),
  };
}

/** In what the refused object and the stored instance differ. Throws HttpProblem 404. */
export async function readHeldConflict(
  backend: Backend,
  series: string,
  { sop, object }: HeldInstance,
  withValues: boolean,
): Promise<HeldConflict> {
  const view = await viewConflict(await backend.mergeDeps(), series, sop, object);
  if (view === undefined) throw new HttpProblem(404, 'no other content of this instance waits any more');
  const { executionId, imageSetId, differences } = view;
  return {
    executionId,
    ...(imageSetId === undefined ? {} : { imageSetId }),
    differences: withValues ? differences : differences.map(({ keyword }) => ({ keyword })),
  };
}
