/**
 * Undoing merges while their sources are still there (the grace): the destination, and what was aligned or corrected, go
 * back to the versions from before, the ledger with them; a promoted image set gives back what it got since, by copying.
 * The series stays apart until somebody allows merging again.
 */
import { type ImageSet, NotConsistentYet, Throttled } from '../ports/imaging-service.ts';
import { plural } from '../quantities.ts';
import { SeriesBusy, seriesLease } from './leases.ts';
import { repointInstances, restoreSources } from './ledger.ts';
import { cutCopies, type Merge } from './merge-decision.ts';
import { instancesIn, type MergeDeps, type MergeJournal } from './merge-journal.ts';
import type { MergeItem } from './merge-variants.ts';
import { readJson } from './ndjson.ts';
import { withdrawPatientDecision } from './patient-decisions.ts';
import { whileHolding } from './process-leases.ts';
import { promotedMerge } from './promote-destination.ts';
import { type HumanDecision, recordDecision } from './resolutions.ts';
import { workKeys } from './work-keys.ts';

export interface Undone {
  readonly seriesInstanceUID: string;
  readonly isUndone: boolean;
  /** Why not; or what was done. */
  readonly says: string;
}

/** Tries of one call that the service puts off, a second apart. */
const TRIES = 20;

/** The same port, which waits when the service says "not now". */
function patient<T extends object>(port: T, sleep: (milliseconds: number) => Promise<void>): T {
  const wait = async (call: () => Promise<unknown>) => {
    for (let tries = 1; ; tries++) {
      try {
        return await call();
      } catch (error) {
        const isForNow = error instanceof NotConsistentYet || error instanceof Throttled;
        if (!isForNow || tries >= TRIES) throw error;
        await sleep(1000);
      }
    }
  };
  const patientOnes = ['imageSet', 'metadata', 'revert', 'copy', 'delete'].map((name) => {
    const method = Reflect.get(port, name) as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => wait(() => Reflect.apply(method, port, args))];
  });
  return { ...port, ...Object.fromEntries(patientOnes) };
}

/**
 * Every merge of the execution, or of the decision of that name; or that of one series. What a person decided about the
 * patients of a study is undone over all its series, or not at all. Safe to repeat.
 */
export async function undoMerges(
  given: MergeDeps,
  executionId: string,
  by: HumanDecision,
  series?: string,
): Promise<Undone[]> {
  const deps = { ...given, imaging: patient(given.imaging, given.clock.sleep) };
  const { workBucket } = deps.settings;
  const list = await readJson<MergeItem[]>(deps.objects, workBucket, workKeys.mergeList(executionId));
  const journals: MergeJournal[] = [];
  for (const { seriesInstanceUID } of list?.value ?? []) {
    const key = workKeys.mergeJournal(executionId, seriesInstanceUID);
    const journal = (await readJson<MergeJournal>(deps.objects, workBucket, key))?.value;
    if (!journal || isWithoutChanges(journal)) continue;
    if (series === undefined || series === seriesInstanceUID || journal.patientsOf) journals.push(journal);
  }
  const refusal = await refusalOfOne(deps, executionId, journals);
  const undone: Undone[] = [];
  for (const journal of journals) {
    const { seriesInstanceUID, patientsOf } = journal;
    const end = patientsOf && refusal ? cannot(refusal) : await undoSeries(deps, executionId, journal, by);
    undone.push({ seriesInstanceUID, ...end });
  }
  return undone;
}

/** Why one of the series under a decision about patients cannot go back: then none does. */
async function refusalOfOne(
  deps: MergeDeps,
  executionId: string,
  journals: readonly MergeJournal[],
): Promise<string | undefined> {
  const ofPatients = journals.filter(({ patientsOf }) => patientsOf !== undefined);
  if (ofPatients.length < 2) return undefined;
  for (const journal of ofPatients) {
    const refusal = await whyNot(deps, journal, await standingMerges(deps, executionId, journal));
    if (refusal) return `series ${journal.seriesInstanceUID}: ${refusal}`;
  }
  return undefined;
}

/** Its merges, with the destinations that were promoted. */
const standingMerges = (
  deps: MergeDeps,
  executionId: string,
  { merges, seriesInstanceUID }: MergeJournal,
): Promise<Merge[]> =>
  Promise.all(merges.map((merge) => promotedMerge(deps, { executionId, seriesInstanceUID }, merge)));

const isWithoutChanges = ({ merges, corrections, superseded, heldBy }: MergeJournal) =>
  heldBy === undefined &&
  merges.length === 0 &&
  Object.keys(corrections ?? {}).length === 0 &&
  Object.keys(superseded ?? {}).length === 0;

type End = Omit<Undone, 'seriesInstanceUID'>;
const cannot = (says: string): End => ({ isUndone: false, says });

async function undoSeries(
  deps: MergeDeps,
  executionId: string,
  journal: MergeJournal,
  by: HumanDecision,
): Promise<End> {
  const leaseDeps = { ...deps, workBucket: deps.settings.workBucket };
  const names = [seriesLease(journal.seriesInstanceUID)];
  try {
    return await whileHolding(leaseDeps, names, `undo-${executionId}`, () =>
      undoHeld(deps, executionId, journal, by),
    );
  } catch (error) {
    if (error instanceof SeriesBusy)
      return cannot('an ingest works on the series now; try again when it has ended');
    throw error;
  }
}

async function undoHeld(
  deps: MergeDeps,
  executionId: string,
  journal: MergeJournal,
  by: HumanDecision,
): Promise<End> {
  const series = journal.seriesInstanceUID;
  const merges = await standingMerges(deps, executionId, journal);
  const refusal = await whyNot(deps, journal, merges);
  if (refusal) return cannot(refusal);
  await recordDecision(deps, series, 'undo', by);
  if (journal.patientsOf !== undefined) await withdrawPatientDecision(deps, journal.patientsOf, by);
  const touched = touchedBy(journal);
  for (const imageSetId of touched) {
    const end = await revertTo(deps, journal, imageSetId);
    if (end) return cannot(end);
  }
  for (const [i, merge] of merges.entries()) {
    const original = journal.merges[i]?.destination ?? '';
    if (merge.destination !== original) {
      const end = await copyBack(deps, journal, merge.destination, original);
      if (end) return cannot(end);
    }
    await restoreSources(deps, series, journal.before, merge);
  }
  // Not before: what broke off is found again, and gone on with. Nobody deletes a source that the destination lacks.
  await forgetDue(deps, executionId, series);
  if (touched.length === 0)
    return { isUndone: true, says: 'what was decided holds no longer; nothing had been changed by it' };
  return {
    isUndone: true,
    says: `${touched.length} image sets are as they were before ${journal.decidedAt}`,
  };
}

/** Image sets that the journal's work gave new versions. */
const touchedBy = ({ merges, corrections, superseded }: MergeJournal): string[] => [
  ...new Set([
    ...merges.flatMap((merge) => [merge.destination, ...merge.sources.map((source) => source.imageSetId)]),
    ...Object.keys(corrections ?? {}),
    ...Object.keys(superseded ?? {}),
  ]),
];

/** What is gone does not come back by versions, and what joined since would go with the later versions. */
async function whyNot(
  deps: MergeDeps,
  journal: MergeJournal,
  merges: readonly Merge[],
): Promise<string | undefined> {
  for (const { imageSetId } of merges.flatMap(({ sources }) => sources)) {
    const imageSet = await atRest(deps, imageSetId);
    if (!imageSet) return `image set ${imageSetId} was deleted when its grace was over; nothing was changed`;
    if (imageSet.state === 'LOCKED') return `image set ${imageSetId} is being written to`;
  }
  const destinations = merges.map(({ destination }) => destination);
  for (const imageSetId of new Set([...destinations, ...touchedBy(journal)])) {
    const imageSet = await atRest(deps, imageSetId);
    const isPromoted = journal.before[imageSetId] === undefined;
    // An earlier try gave back what it held, and deleted it.
    if (!imageSet && isPromoted) continue;
    if (!imageSet || imageSet.state === 'LOCKED')
      return `image set ${imageSetId} is gone or being written to; nothing was changed`;
    const later = Object.keys(await laterIn(deps, journal, imageSetId)).length;
    // A promoted image set gives them back, unless that would make them another patient's.
    if (later > 0 && !(isPromoted && Object.keys(journal.corrections ?? {}).length === 0))
      return `${plural(later, 'instance')} joined image set ${imageSetId} since; nothing was changed`;
  }
  return undefined;
}

/** The image set once the write that it is under has ended, or as it is when that takes long. */
async function atRest(deps: MergeDeps, imageSetId: string): Promise<ImageSet | undefined> {
  for (let tries = 1; ; tries++) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (imageSet?.state !== 'LOCKED' || tries >= TRIES) return imageSet;
    await deps.clock.sleep(1000);
  }
}

/** Instances that came to an image set after the journal was written, with their forms. */
async function laterIn(
  deps: MergeDeps,
  journal: MergeJournal,
  imageSetId: string,
): Promise<Record<string, string>> {
  const known = new Set(Object.values(journal.before).flatMap(({ instances }) => Object.keys(instances)));
  const now = instancesIn(await deps.imaging.metadata(imageSetId), journal.seriesInstanceUID);
  return Object.fromEntries(Object.entries(now).filter(([sop]) => !known.has(sop)));
}

async function forgetDue(deps: MergeDeps, executionId: string, series: string): Promise<void> {
  const { workBucket } = deps.settings;
  const ending = workKeys.dueMerge('', executionId, series).slice(workKeys.dueMerges.length);
  for await (const { key } of deps.objects.list(workBucket, workKeys.dueMerges))
    if (key.endsWith(ending)) await deps.objects.remove(workBucket, [{ key }]);
}

/** Seconds that a write may take before we say that it did not end. */
const PATIENCE_SECONDS = 60;

/** Undefined when the set is as it was, else why it is not. */
async function revertTo(
  deps: MergeDeps,
  journal: MergeJournal,
  imageSetId: string,
): Promise<string | undefined> {
  const before = journal.before[imageSetId];
  const replaced = journal.superseded?.[imageSetId] ?? {};
  const wanted = JSON.stringify(Object.entries(before?.instances ?? {}).sort());
  let isAsked = false;
  for (let waited = 0; waited < PATIENCE_SECONDS; waited++) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet || !before) return `image set ${imageSetId} is gone`;
    if (imageSet.state === 'ACTIVE') {
      if (imageSet.versionId === before.versionId) return undefined;
      const now = instancesIn(await deps.imaging.metadata(imageSetId), journal.seriesInstanceUID);
      const held = Object.entries(now).filter(([sop, form]) => replaced[sop] !== form);
      if (isAsked && JSON.stringify(held.sort()) === wanted) return undefined;
      if (!isAsked) await deps.imaging.revert(imageSet, before.versionId);
      isAsked = true;
    }
    await deps.clock.sleep(1000);
  }
  return `image set ${imageSetId}: the revert did not end within ${PATIENCE_SECONDS} seconds`;
}

/** What a promoted image set got since goes to the one that it was made from; then it is deleted. */
async function copyBack(
  deps: MergeDeps,
  journal: MergeJournal,
  promoted: string,
  original: string,
): Promise<string | undefined> {
  const series = journal.seriesInstanceUID;
  for (let waited = 0; waited < PATIENCE_SECONDS; waited++) {
    const [from, to] = [await deps.imaging.imageSet(promoted), await deps.imaging.imageSet(original)];
    if (!from) return undefined;
    if (!to) return `image set ${original} is gone`;
    if (from.state === 'ACTIVE' && to.state === 'ACTIVE') {
      const later = await laterIn(deps, journal, promoted);
      const { Instances = {} } = (await deps.imaging.metadata(promoted)).Study.Series[series] ?? {};
      const listed = instancesIn(await deps.imaging.metadata(original), series);
      const lacking = Object.entries(Instances).filter(
        ([sop]) => later[sop] !== undefined && listed[sop] !== later[sop],
      );
      const [copy] = cutCopies(lacking) ?? [];
      if (copy) await deps.imaging.copy(from, to, series, copy);
      else {
        const merge = { destination: original, sources: [{ imageSetId: promoted }] };
        await repointInstances(deps, series, { [promoted]: { instances: later } }, merge);
        await deps.imaging.delete(promoted);
      }
    }
    await deps.clock.sleep(1000);
  }
  return `image set ${promoted}: copying back did not end within ${PATIENCE_SECONDS} seconds`;
}
