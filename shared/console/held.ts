/**
 * What was refused until a person decides, over all ingests: studies with differing patients, and other contents of stored
 * instances. Found from the summaries, newest first; no values of patients but where somebody asked to see them.
 */
import { concurrently } from '../ingest/concurrently.ts';
import { HELD_CODES, type HeldCode } from '../ingest/held-codes.ts';
import { patientDecisionOf } from '../ingest/patient-decisions.ts';
import { refusedId } from '../ingest/refused-objects.ts';
import { viewHeld } from '../ingest/release-held.ts';
import type { ObjectLine } from '../ingest/report.ts';
import { readResolution } from '../ingest/resolutions.ts';
import { viewConflict } from '../ingest/view-conflict.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { HeldCase, HeldConflict, HeldInstance, HeldPage, HeldPatients, Summary } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';
import { readObjects } from './objects.ts';
import { makeSummaryReader, readReport, summaryKeys } from './reports.ts';

/** Ingests that one answer looks at. */
const LOOKED_AT = 1_000;
const AT_ONCE = 16;
/** Of one ingest and code; what is more is told as "at least". */
const MOST_LINES = 5_000;
const LINES_AT_ONCE = 500;
/** Instances that a case names: a decision is about at most so many. */
const MOST_INSTANCES = 500;

export interface HeldQuery {
  /** Only what this ingest refused. */
  readonly executionId?: string;
  /** Where an earlier answer stopped. */
  readonly next?: string;
}

/** Summaries are remembered between calls. */
export function makeHeldReader(backend: Backend): (query: HeldQuery) => Promise<HeldPage> {
  const readSummary = makeSummaryReader(backend);
  return async ({ executionId, next }) => {
    if (executionId !== undefined) {
      const report = await readReport(backend, executionId);
      return { cases: await casesOf(backend, report ? [report] : []), looked: report ? 1 : 0 };
    }
    const keys: string[] = [];
    for await (const key of summaryKeys(backend, new Date(backend.deps.clock.now()), next))
      if (keys.push(key) > LOOKED_AT) break;
    const looked = keys.slice(0, LOOKED_AT);
    const summaries = await concurrently(looked, AT_ONCE, readSummary);
    return {
      cases: await casesOf(backend, summaries.filter((one) => one !== undefined).filter(mayHold)),
      looked: looked.length,
      ...(keys.length > LOOKED_AT ? { next: looked.at(-1) as string } : {}),
    };
  };
}

/** Early summaries do not say with which code objects were refused. */
const mayHold = ({ rejects, counts }: Summary): boolean =>
  rejects === undefined ? (counts?.rejected ?? 0) > 0 : HELD_CODES.some((code) => (rejects[code] ?? 0) > 0);

interface Held {
  readonly code: HeldCode;
  readonly line: ObjectLine;
  readonly of: Pick<Summary, 'executionId' | 'upload' | 'finishedAt'>;
}

async function casesOf(backend: Backend, summaries: readonly Held['of'][]): Promise<HeldCase[]> {
  const found = (await concurrently(summaries, AT_ONCE, (of) => heldBy(backend, of))).flat();
  const waiting = await withoutLeftOut(backend, found);
  const cases = new Map<string, Held[]>();
  for (const held of waiting) {
    const { studyInstanceUID = '', seriesInstanceUID = '' } = held.line;
    const about = held.code === 'IdentityConflict' ? studyInstanceUID : seriesInstanceUID;
    const same = cases.get(`${held.code} ${about}`);
    if (same) same.push(held);
    else cases.set(`${held.code} ${about}`, [held]);
  }
  return [...cases.values()].map(toCase);
}

async function heldBy(backend: Backend, of: Held['of']): Promise<Held[]> {
  const waiting = new Set<string>();
  const prefix = workKeys.refusedOf('rejected', of.executionId);
  for await (const { key } of backend.deps.objects.list(backend.workBucket, prefix)) waiting.add(key);
  if (waiting.size === 0) return [];
  const held: Held[] = [];
  for (const code of HELD_CODES)
    for await (const line of linesOf(backend, of.executionId, code))
      if (waiting.has(workKeys.refused('rejected', of.executionId, line.key))) held.push({ code, line, of });
  return held;
}

async function* linesOf(backend: Backend, executionId: string, code: HeldCode): AsyncGenerator<ObjectLine> {
  for (let from: number | undefined = 0; from !== undefined && from < MOST_LINES; ) {
    const query = { outcome: 'rejected', code, from, limit: LINES_AT_ONCE };
    const page = await readObjects(backend, executionId, query);
    yield* page.objects;
    from = page.next;
  }
}

/** About these a person decided that they are not to come in. */
async function withoutLeftOut(backend: Backend, found: readonly Held[]): Promise<Held[]> {
  const series = [...new Set(found.map(({ line }) => line.seriesInstanceUID ?? ''))];
  const deps = { objects: backend.deps.objects, settings: { workBucket: backend.workBucket } };
  const read = await concurrently(series, AT_ONCE, (uid) => readResolution(deps, uid));
  const leftOut = new Map<string, string>();
  for (const resolution of read)
    for (const { decision, code, at, until = at } of resolution?.history ?? []) {
      const about = `${code} ${resolution?.seriesInstanceUID}`;
      if (decision === 'leave-out' && until > (leftOut.get(about) ?? '')) leftOut.set(about, until);
    }
  return found.filter(
    ({ code, line, of }) => of.finishedAt > (leftOut.get(`${code} ${line.seriesInstanceUID}`) ?? ''),
  );
}

function toCase(held: readonly Held[]): HeldCase {
  const [{ code, line }] = held as [Held, ...Held[]];
  const times = held.map(({ of }) => of.finishedAt).sort();
  const distinct = (of: (one: Held) => string) => [...new Set(held.map(of))];
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
function instancesOf(held: readonly Held[]): HeldInstance[] {
  const objects = new Map<string, string>();
  for (const { line, of } of held) {
    const sop = line.sopInstanceUID ?? '';
    if (!objects.has(sop)) objects.set(sop, refusedId(of.executionId, line));
  }
  return [...objects]
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
