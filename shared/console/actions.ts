/** What people decide in the console, as one table: each is safe to repeat, and goes on where an earlier try broke off. */
import type { MergeDeps } from '../ingest/merge-journal.ts';
import { releaseAsOnePatient, releaseAsOtherPatients } from '../ingest/release-held.ts';
import { replaceInstances } from '../ingest/replace-instances.ts';
import { type HumanDecision, recordDecision } from '../ingest/resolutions.ts';
import { keepApart, mergeInto, viewSeries } from '../ingest/resolve-series.ts';
import type { Retried } from '../ingest/retry-objects.ts';
import { undoMerges } from '../ingest/undo-merge.ts';
import { plural } from '../quantities.ts';
import { instancesOf, leftOutOf } from './held-bodies.ts';
import { HttpProblem, textMember } from './http.ts';
import { undoableMerges } from './undoable-merges.ts';

export type Body = Readonly<Record<string, unknown>>;

export interface Decision {
  readonly series: string;
  readonly body: Body;
  readonly by: HumanDecision;
  readonly decisionId: string;
  /** An earlier try broke off; what it did stays done. */
  readonly isAgain: boolean;
}

/** What was done, in words; throws HttpProblem 409 or CannotResolve where it cannot be, which say what was changed, if anything. */
type Action = (deps: MergeDeps, decision: Decision) => Promise<string>;

/** Apart from what they do: whoever only takes a decision down need not be allowed to carry it out. */
export const ACTION_NAMES = [
  ...(['keep-apart', 'merge-into', 'undo'] as const),
  ...(['one-patient', 'other-patients', 'replace', 'leave-out'] as const),
] as const;

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
    const undone = await undoMerges(deps, executionId, by, series);
    const ours = undone.find((one) => one.seriesInstanceUID === series);
    if (!ours?.isUndone) throw new HttpProblem(409, ours?.says ?? 'this execution merged nothing');
    return `Undone: ${ours.says}`;
  },
  async 'one-patient'(deps, { series, body, by, decisionId }) {
    const label = textMember(body, 'label');
    if (label === undefined) throw new HttpProblem(409, 'label: expected that of the patient who is right');
    if (body.isOnePatient !== true)
      throw new HttpProblem(409, 'the identities differ: say that it is one patient');
    const request = { ...heldRequest(series, body, decisionId), label };
    const { corrected, retried } = await releaseAsOnePatient(deps, request, by);
    return `One patient: ${plural(corrected, 'stored image set')} corrected, ${backInInbox(retried)}. Until they are stored, \`isocenter resolve --undo ${decisionId} --reason TEXT\` takes it back.`;
  },
  async 'other-patients'(deps, { series, body, by, decisionId }) {
    const { retried } = await releaseAsOtherPatients(deps, heldRequest(series, body, decisionId), by);
    return `Different patients: ${backInInbox(retried)}; they become image sets of their own.`;
  },
  async replace(deps, { series, body, by }) {
    const wanted = new Map(instancesOf(body).map(({ sop, object }) => [sop, object]));
    const retried = await replaceInstances(deps, series, wanted, by);
    if (retried === undefined)
      throw new HttpProblem(409, 'what was to take the place of these instances waits no more');
    const back =
      retried.length > 0 ? backInInbox(retried) : 'an earlier try put the objects back in the inbox';
    return `Replaced: ${back}; once they are proven, the stored instances give way.`;
  },
  async 'leave-out'(deps, { series, body, by }) {
    const { code, alsoSeries, since, until = by.at } = leftOutOf(body);
    const [first = by.at] = [until, by.at].sort();
    const about = { code, ...(since === undefined ? {} : { since }), until: first };
    for (const one of new Set([series, ...alsoSeries]))
      await recordDecision(deps, one, 'leave-out', by, about);
    return 'Left out: what is stored stays as it is, and nothing waits here any more.';
  },
};

/** Which study, as far as the person saw it. */
const heldRequest = (series: string, body: Body, resolutionId: string) => ({
  series,
  study: textMember(body, 'study'),
  seen: Array.isArray(body.seen) ? body.seen.map(String) : [],
  resolutionId,
});

const backInInbox = (retried: readonly Retried[]): string => {
  const uploads = [...new Set(retried.map(({ upload }) => upload))];
  const restored = retried.reduce((sum, one) => sum + one.restored, 0);
  const skipped = retried.reduce((sum, one) => sum + one.skipped, 0);
  const left = skipped === 0 ? '' : `, ${skipped} not (the inbox has another under its key)`;
  return `${plural(restored, 'object')} back in the inbox${uploads.length > 0 ? ` as upload ${uploads.join(', ')}` : ''}${left}`;
};
