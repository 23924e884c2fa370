/**
 * `resolve`: what a person decides about a series whose image sets were kept apart. The decision is on record before
 * anything is done; sources stay for a week, so that it can be undone.
 */
import type { Identity } from './identity.ts';
import { differingKeywords as differingIdentity } from './identity.ts';
import { LeaseLost, SeriesBusy, seriesLease } from './leases.ts';
import {
  conflictsWith,
  cutCopies,
  differingKeywords,
  type MergeSource,
  type Variant,
} from './merge-decision.ts';
import { type MergeDeps, type MergeJournal, type MergeOutcome, readVariants } from './merge-journal.ts';
import { advanceMerge } from './merge-series.ts';
import { readJson, writeOnce } from './ndjson.ts';
import { identityOf } from './patient-decisions.ts';
import { checkProcessLease, whileHolding } from './process-leases.ts';
import { type HumanDecision, recordDecision } from './resolutions.ts';
import { workKeys } from './work-keys.ts';

/** What a person looks at before deciding. Identities are values of patients: for their eyes, not for logs. */
export interface SeriesView {
  readonly imageSets: readonly {
    readonly imageSetId: string;
    readonly isPrimary: boolean;
    readonly isProven: boolean;
    readonly instances: number;
    readonly identity: Identity;
  }[];
  /** In what they differ beyond spelling. */
  readonly keywords: readonly string[];
  /** Keywords of the patient's identity among them: deciding across these wants a second yes. */
  readonly identityKeywords: readonly string[];
}

/** The decision cannot be carried out; says why, and what was changed where something was. */
export class CannotResolve extends Error {
  override readonly name = 'CannotResolve';
}

const instancesOf = ({ metadata }: Variant, series: string) => metadata.Study.Series[series]?.Instances ?? {};

async function variantsOf(deps: MergeDeps, series: string) {
  const found = await readVariants(deps, series);
  if (!found)
    throw new CannotResolve('an image set of the series is being written to; try again in a moment');
  return found;
}

export async function viewSeries(deps: MergeDeps, series: string): Promise<SeriesView> {
  const { variants } = await variantsOf(deps, series);
  return {
    imageSets: variants.map((variant) => ({
      imageSetId: variant.imageSetId,
      isPrimary: variant.isPrimary,
      isProven: variant.isProven,
      instances: Object.keys(instancesOf(variant, series)).length,
      identity: identityOf(variant.metadata.Patient.DICOM),
    })),
    keywords: differingKeywords(variants, series),
    identityKeywords: differingIdentity(variants.map(({ metadata }) => identityOf(metadata.Patient.DICOM))),
  };
}

/** Nothing merges these image sets by itself any more. */
export const keepApart = (deps: MergeDeps, series: string, by: HumanDecision): Promise<void> =>
  recordDecision(deps, series, 'keep-apart', by);

/**
 * Brings every image set of the series into `destination`, whose patient, study and series stand. `resolutionId` names
 * the decision as an execution is named; `undo` takes it. Holds the series meanwhile; the same decision again goes on
 * where it broke off. Throws CannotResolve.
 */
export async function mergeInto(
  deps: MergeDeps,
  request: { readonly series: string; readonly destination: string; readonly resolutionId: string },
  by: HumanDecision,
): Promise<MergeOutcome> {
  const { series, destination, resolutionId } = request;
  const { workBucket } = deps.settings;
  const leaseDeps = { ...deps, workBucket };
  const planHere = async () => {
    const { variants, before } = await variantsOf(deps, series);
    return planByHand(variants, before, request, by);
  };
  return unlessBusy(() =>
    whileHolding(leaseDeps, [seriesLease(series)], resolutionId, async () => {
      const journalKey = workKeys.mergeJournal(resolutionId, series);
      const begun = await readJson<MergeJournal>(deps.objects, workBucket, journalKey);
      if (begun && begun.value.merges[0]?.destination !== destination)
        throw new CannotResolve(`decision ${resolutionId} was about another image set; decide anew`);
      const journal = begun?.value ?? (await planHere());
      await recordDecision(deps, series, 'merge-into', by);
      const outcomes = await carryOut(deps, resolutionId, [journal]);
      const outcome = outcomes[0];
      if (!outcome) throw new CannotResolve(`image set ${destination}: the merge left no outcome`);
      return outcome;
    }),
  );
}

/** A series that an ingest, or another person, works on is decided later. */
export async function unlessBusy<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof SeriesBusy || error instanceof LeaseLost)
      throw new CannotResolve('an ingest works on the series now; try again when it has ended');
    throw error;
  }
}

/** Writes the journals down, then steps each to its end. The caller holds the leases. */
export async function carryOut(
  deps: MergeDeps,
  resolutionId: string,
  journals: readonly MergeJournal[],
): Promise<MergeOutcome[]> {
  const { workBucket } = deps.settings;
  const list = journals.map(({ seriesInstanceUID }) => ({ seriesInstanceUID, name: resolutionId }));
  await writeOnce(deps.objects, workBucket, workKeys.mergeList(resolutionId), JSON.stringify(list));
  for (const journal of journals) {
    const key = workKeys.mergeJournal(resolutionId, journal.seriesInstanceUID);
    await writeOnce(deps.objects, workBucket, key, JSON.stringify(journal));
  }
  const outcomes: MergeOutcome[] = [];
  for (const { seriesInstanceUID } of journals) {
    await stepToEnd(deps, resolutionId, seriesInstanceUID);
    const key = workKeys.mergeOutcome(resolutionId, seriesInstanceUID);
    const outcome = await readJson<MergeOutcome>(deps.objects, workBucket, key);
    if (outcome) outcomes.push(outcome.value);
  }
  return outcomes;
}

async function stepToEnd(deps: MergeDeps, executionId: string, seriesInstanceUID: string): Promise<void> {
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  for (let step = 0; ; step++) {
    await checkProcessLease(leaseDeps, seriesLease(seriesInstanceUID), executionId);
    const { status, waitSeconds } = await advanceMerge(deps, { executionId, seriesInstanceUID, step });
    if (status === 'done') return;
    await deps.clock.sleep(waitSeconds * 1000);
  }
}

/** Pure. Instances that differ under one SOP Instance UID, and what is not proven, are not for a merge to settle. */
function planByHand(
  variants: readonly Variant[],
  before: MergeJournal['before'],
  { series, destination, resolutionId }: Parameters<typeof mergeInto>[1],
  by: HumanDecision,
): MergeJournal {
  const target = variants.find((variant) => variant.imageSetId === destination);
  if (!target) throw new CannotResolve(`image set ${destination} is not one of the series' image sets`);
  const others = variants.filter((variant) => variant !== target);
  if (others.length === 0) throw new CannotResolve('the series has no other image set');
  const held = new Map(Object.entries(instancesOf(target, series)));
  const sources: MergeSource[] = [];
  for (const other of others) {
    if (!other.isProven) throw new CannotResolve(`image set ${other.imageSetId} is not proven`);
    const conflicts = conflictsWith(held, instancesOf(other, series));
    if (conflicts.length > 0)
      throw new CannotResolve(`${conflicts.length} instances differ from those of image set ${destination}`);
    const added = Object.entries(instancesOf(other, series)).filter(([sop]) => !held.has(sop));
    const copies = cutCopies(added);
    if (!copies) throw new CannotResolve('an instance has more frames than a copy may have');
    for (const [sop, instance] of added) held.set(sop, instance);
    const edits = {
      set: { Patient: {}, Study: {}, Series: {} },
      remove: { Patient: [], Study: [], Series: [] },
    };
    sources.push({ imageSetId: other.imageSetId, edits, copies });
  }
  const keywords = differingKeywords(variants, series);
  return {
    seriesInstanceUID: series,
    decidedAt: by.at,
    merges: [{ destination, sources, keywords, isForced: true, promotes: true, reason: 'a person decided' }],
    keptApart: [],
    before,
    heldBy: resolutionId,
  };
}
