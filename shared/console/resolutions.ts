/**
 * What a person decides about a series in several image sets: keep them apart, bring them into one, or undo a merge.
 * UIDs, reasons and values come and go in bodies only; every decision is on record with who and why.
 */
import { randomBytes } from 'node:crypto';
import type { MergeDeps } from '../ingest/merge-journal.ts';
import { readJson } from '../ingest/ndjson.ts';
import { type HumanDecision, readResolution } from '../ingest/resolutions.ts';
import { keepApart, mergeInto, viewSeries } from '../ingest/resolve-series.ts';
import { undoMerges } from '../ingest/undo-merge.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { SeriesState } from './api.ts';
import type { Backend } from './backend.ts';
import { startDecision } from './decisions.ts';
import { HttpProblem, textMember } from './http.ts';

export type Body = Readonly<Record<string, unknown>>;

const UID = /^[0-9.]{1,64}$/;
const MAX_REASON = 500;

function seriesOf(body: Body): string {
  const series = textMember(body, 'series');
  if (series === undefined || !UID.test(series))
    throw new HttpProblem(400, 'series: expected a Series Instance UID');
  return series;
}

/** Where the series stands: its image sets by id, in what they differ by keyword, what was decided, what can be undone. */
export async function readSeries(backend: Backend, body: Body): Promise<SeriesState> {
  const series = seriesOf(body);
  const deps = await backend.mergeDeps();
  const [view, resolution, undoable] = await Promise.all([
    viewSeries(deps, series),
    readResolution(deps, series),
    undoableMerges(deps, series),
  ]);
  return {
    seriesInstanceUID: series,
    imageSets: view.imageSets.map(({ identity: _values, ...set }) => set),
    keywords: view.keywords,
    identityKeywords: view.identityKeywords,
    isKeptApart: resolution?.keepApart !== undefined,
    history: resolution?.history ?? [],
    undoable,
  };
}

/** Merges of the series whose sources wait for the end of their grace. */
async function undoableMerges(deps: MergeDeps, series: string): Promise<SeriesState['undoable']> {
  const { workBucket } = deps.settings;
  const found: SeriesState['undoable'][number][] = [];
  for await (const { key } of deps.objects.list(workBucket, workKeys.dueMerges)) {
    const due = (await readJson<{ executionId: string; series: string }>(deps.objects, workBucket, key))
      ?.value;
    if (due?.series !== series) continue;
    const dueAt = key.slice(workKeys.dueMerges.length, workKeys.dueMerges.length + 24);
    found.push({ executionId: due.executionId, until: dueAt });
  }
  return found;
}

/** The decision's name, by which the page asks how it stands. Throws HttpProblem 400 where something is missing. */
export async function askForDecision(
  backend: Backend,
  body: Body,
  actor: string,
): Promise<{ decisionId: string }> {
  const series = seriesOf(body);
  const reason = textMember(body, 'reason');
  if (reason === undefined) throw new HttpProblem(400, 'reason: expected a text; it is recorded');
  if (reason.length > MAX_REASON)
    throw new HttpProblem(400, `reason: expected at most ${MAX_REASON} characters, got ${reason.length}`);
  const action = textMember(body, 'action') ?? '';
  if (!ACTION_NAMES.some((name) => name === action))
    throw new HttpProblem(400, `action: expected one of ${ACTION_NAMES.join(', ')}`);
  const nowMs = backend.deps.clock.now();
  const decisionId = `resolve-${nowMs.toString(36)}-${randomBytes(4).toString('hex')}`;
  const by = { actor, reason, at: new Date(nowMs).toISOString() };
  await startDecision(backend, { decisionId, series, action, body, by });
  return { decisionId };
}

export interface Decision {
  readonly series: string;
  readonly body: Body;
  readonly by: HumanDecision;
  readonly decisionId: string;
  /** An earlier try broke off; what it did stays done. */
  readonly isAgain: boolean;
}

/** What was done, in words; throws HttpProblem 409 or CannotResolve where it cannot be: nothing was changed then. */
type Action = (deps: MergeDeps, decision: Decision) => Promise<string>;

/** Apart from what they do: whoever only takes a decision down need not be allowed to carry it out. */
const ACTION_NAMES = ['keep-apart', 'merge-into', 'undo'] as const;

export const ACTIONS: Readonly<Record<(typeof ACTION_NAMES)[number], Action>> = {
  async 'keep-apart'(deps, { series, by }) {
    await keepApart(deps, series, by);
    return 'Kept apart: nothing merges the image sets of this series by itself any more.';
  },
  async 'merge-into'(deps, { series, body, by, decisionId }) {
    const destination = textMember(body, 'destination');
    if (destination === undefined) throw new HttpProblem(409, 'destination: expected an image set id');
    const { identityKeywords } = await viewSeries(deps, series);
    if (identityKeywords.length > 0 && body.isOnePatient !== true)
      throw new HttpProblem(
        409,
        `the image sets differ in whose they are (${identityKeywords.join(', ')}): say that it is one patient`,
      );
    const { reports } = await mergeInto(deps, { series, destination, resolutionId: decisionId }, by);
    const [report] = reports;
    if (report?.outcome !== 'merged')
      throw new HttpProblem(409, `${report?.reason ?? 'not merged'}; nothing was deleted`);
    return `Merged: ${report.instances} instances are in image set ${report.destination}. The sources stay for a week.`;
  },
  async undo(deps, { series, body, by, isAgain }) {
    const executionId = textMember(body, 'executionId') ?? '';
    const isKnown = (await undoableMerges(deps, series)).some((one) => one.executionId === executionId);
    if (!isKnown && !isAgain)
      throw new HttpProblem(409, 'this merge can no longer be undone: its sources are gone');
    const undone = await undoMerges(deps, executionId, by);
    const ours = undone.find((one) => one.seriesInstanceUID === series);
    if (!ours?.isUndone) throw new HttpProblem(409, ours?.says ?? 'this execution merged nothing');
    return `Undone: ${ours.says}`;
  },
};
