/**
 * A person looks at a series and decides: about its image sets, or about what was refused of it. UIDs, reasons and values
 * come and go in bodies only; every decision is on record with who and why.
 */
import { randomBytes } from 'node:crypto';
import { readResolution } from '../ingest/resolutions.ts';
import { viewSeries } from '../ingest/resolve-series.ts';
import { ACTION_NAMES, type Body } from './actions.ts';
import type { SeriesState } from './api.ts';
import type { Backend } from './backend.ts';
import { startDecision } from './decisions.ts';
import { checkHeldBody } from './held-bodies.ts';
import { HttpProblem, textMember, UID } from './http.ts';
import { undoableMerges } from './undoable-merges.ts';

const MAX_REASON = 500;

export function seriesOf(body: Body): string {
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

/**
 * The decision's name, by which the page asks how it stands; one that the page made is followed when it is asked for again.
 * Throws HttpProblem 400 where something is missing.
 */
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
  checkHeldBody(action, body);
  const nowMs = backend.deps.clock.now();
  const decisionId =
    textMember(body, 'decisionId') ?? `resolve-${nowMs.toString(36)}-${randomBytes(4).toString('hex')}`;
  const by = { actor, reason, at: new Date(nowMs).toISOString() };
  await startDecision(backend, { decisionId, series, action, body, by });
  return { decisionId };
}
