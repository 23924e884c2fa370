/**
 * What a person decides about a series in several image sets: keep them apart, bring them into one, or undo a merge.
 * UIDs, reasons and values come and go in bodies only; every decision is on record with who and why.
 */
import { randomBytes } from 'node:crypto';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
import { readJson } from '../../shared/ingest/ndjson.ts';
import { readResolution } from '../../shared/ingest/resolutions.ts';
import { keepApart, mergeInto, viewSeries } from '../../shared/ingest/resolve-series.ts';
import { undoMerges } from '../../shared/ingest/undo-merge.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import type { Decided, SeriesState } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem, textMember } from './http.ts';

type Body = Readonly<Record<string, unknown>>;

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

/** Throws HttpProblem 400 where something is missing, 409 where it cannot be done: nothing was changed then. */
export async function resolveSeries(backend: Backend, body: Body): Promise<Decided> {
  const series = seriesOf(body);
  const reason = textMember(body, 'reason');
  if (reason === undefined) throw new HttpProblem(400, 'reason: expected a text; it is recorded');
  if (reason.length > MAX_REASON)
    throw new HttpProblem(400, `reason: expected at most ${MAX_REASON} characters, got ${reason.length}`);
  const action = ACTIONS[textMember(body, 'action') ?? ''];
  if (action === undefined)
    throw new HttpProblem(400, `action: expected one of ${Object.keys(ACTIONS).join(', ')}`);
  const deps = await backend.mergeDeps();
  const by = { actor: backend.actor, reason, at: new Date(deps.clock.now()).toISOString() };
  try {
    return { says: await action(deps, series, body, by) };
  } catch (cause) {
    if ((cause as Error).name !== 'CannotResolve') throw cause;
    throw new HttpProblem(409, (cause as Error).message, { cause });
  }
}

type By = Parameters<typeof keepApart>[2];

const ACTIONS: Readonly<
  Record<string, (deps: MergeDeps, series: string, body: Body, by: By) => Promise<string>>
> = {
  async 'keep-apart'(deps, series, _body, by) {
    await keepApart(deps, series, by);
    return 'Kept apart: nothing merges the image sets of this series by itself any more.';
  },
  async 'merge-into'(deps, series, body, by) {
    const destination = textMember(body, 'destination');
    if (destination === undefined) throw new HttpProblem(400, 'destination: expected an image set id');
    const { identityKeywords } = await viewSeries(deps, series);
    if (identityKeywords.length > 0 && body.isOnePatient !== true)
      throw new HttpProblem(
        409,
        `the image sets differ in whose they are (${identityKeywords.join(', ')}): say that it is one patient`,
      );
    const resolutionId = `resolve-${deps.clock.now().toString(36)}-${randomBytes(2).toString('hex')}`;
    const { reports } = await mergeInto(deps, { series, destination, resolutionId }, by);
    const [report] = reports;
    if (report?.outcome !== 'merged')
      throw new HttpProblem(409, `${report?.reason ?? 'not merged'}; nothing was deleted`);
    return `Merged: ${report.instances} instances are in image set ${report.destination}. The sources stay for a week.`;
  },
  async undo(deps, series, body, by) {
    const executionId = textMember(body, 'executionId') ?? '';
    const isKnown = (await undoableMerges(deps, series)).some((one) => one.executionId === executionId);
    if (!isKnown) throw new HttpProblem(409, 'this merge can no longer be undone: its sources are gone');
    const undone = await undoMerges(deps, executionId, by);
    const ours = undone.find((one) => one.seriesInstanceUID === series);
    if (!ours?.isUndone) throw new HttpProblem(409, ours?.says ?? 'this execution merged nothing');
    return `Undone: ${ours.says}`;
  },
};
