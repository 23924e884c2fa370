/**
 * Undoing merges while their sources are still there (the grace): the destination and what was aligned go back to the
 * versions from before, the ledger with them, and the series stays apart until somebody allows merging again.
 */
import { NotConsistentYet, Throttled } from '../ports/imaging-service.ts';
import { isLeaseHeld, seriesLease } from './leases.ts';
import { restoreSources } from './ledger.ts';
import type { Merge } from './merge-decision.ts';
import { instancesIn, type MergeDeps, type MergeJournal } from './merge-series.ts';
import type { MergeItem } from './merge-variants.ts';
import { readJson } from './ndjson.ts';
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
  const patientOnes = ['imageSet', 'metadata', 'revert'].map((name) => {
    const method = Reflect.get(port, name) as (...args: unknown[]) => Promise<unknown>;
    return [name, (...args: unknown[]) => wait(() => Reflect.apply(method, port, args))];
  });
  return { ...port, ...Object.fromEntries(patientOnes) };
}

/** Every merge of the execution. Safe to repeat. */
export async function undoMerges(
  given: MergeDeps,
  executionId: string,
  by: HumanDecision,
): Promise<Undone[]> {
  const deps = { ...given, imaging: patient(given.imaging, given.clock.sleep) };
  const { workBucket } = deps.settings;
  const list = await readJson<MergeItem[]>(deps.objects, workBucket, workKeys.mergeList(executionId));
  const undone: Undone[] = [];
  for (const { seriesInstanceUID } of list?.value ?? []) {
    const key = workKeys.mergeJournal(executionId, seriesInstanceUID);
    const journal = (await readJson<MergeJournal>(deps.objects, workBucket, key))?.value;
    if (!journal || journal.merges.length === 0) continue;
    undone.push({ seriesInstanceUID, ...(await undoSeries(deps, executionId, journal, by)) });
  }
  return undone;
}

type End = Omit<Undone, 'seriesInstanceUID'>;
const cannot = (says: string): End => ({ isUndone: false, says });

async function undoSeries(
  deps: MergeDeps,
  executionId: string,
  journal: MergeJournal,
  by: HumanDecision,
): Promise<End> {
  const series = journal.seriesInstanceUID;
  const leaseDeps = { ...deps, workBucket: deps.settings.workBucket };
  if (await isLeaseHeld(leaseDeps, seriesLease(series)))
    return cannot('an ingest works on the series now; try again when it has ended');
  for (const merge of journal.merges) {
    const refusal = await whyNot(deps, journal, merge);
    if (refusal) return cannot(refusal);
  }
  await recordDecision(deps, series, 'undo', by);
  await forgetDue(deps, executionId, series);
  for (const merge of journal.merges) {
    for (const imageSetId of [merge.destination, ...merge.sources.map((source) => source.imageSetId)]) {
      const end = await revertTo(deps, journal, imageSetId);
      if (end) return cannot(end);
    }
    await restoreSources(deps, series, journal.before, merge);
  }
  const sets = journal.merges.reduce((sum, merge) => sum + 1 + merge.sources.length, 0);
  return { isUndone: true, says: `${sets} image sets are as they were before ${journal.decidedAt}` };
}

/** A source that is gone, or instances that came since, cannot be undone by versions. */
async function whyNot(deps: MergeDeps, journal: MergeJournal, merge: Merge): Promise<string | undefined> {
  for (const { imageSetId } of merge.sources) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) return `image set ${imageSetId} was deleted when its grace was over; nothing was changed`;
    if (imageSet.state === 'LOCKED') return `image set ${imageSetId} is being written to`;
  }
  const destination = await deps.imaging.imageSet(merge.destination);
  if (!destination || destination.state === 'LOCKED')
    return `image set ${merge.destination} is gone or being written to`;
  const sides = [merge.destination, ...merge.sources.map((source) => source.imageSetId)];
  const known = new Set(sides.flatMap((side) => Object.keys(journal.before[side]?.instances ?? {})));
  const now = instancesIn(await deps.imaging.metadata(merge.destination), journal.seriesInstanceUID);
  const later = Object.keys(now).filter((sop) => !known.has(sop)).length;
  if (later > 0) return `${later} instances joined image set ${merge.destination} since; nothing was changed`;
  return undefined;
}

async function forgetDue(deps: MergeDeps, executionId: string, series: string): Promise<void> {
  const { workBucket } = deps.settings;
  const ending = workKeys.dueMerge('', executionId, series).slice(workKeys.dueMerges.length);
  for await (const { key } of deps.objects.list(workBucket, workKeys.dueMerges))
    if (key.endsWith(ending)) await deps.objects.remove(workBucket, [{ key }]);
}

/** Seconds that a revert may take before we say that it did not end. */
const PATIENCE_SECONDS = 60;

/** Undefined when the set is as it was, else why it is not. */
async function revertTo(
  deps: MergeDeps,
  journal: MergeJournal,
  imageSetId: string,
): Promise<string | undefined> {
  const before = journal.before[imageSetId];
  const wanted = JSON.stringify(Object.entries(before?.instances ?? {}).sort());
  let isAsked = false;
  for (let waited = 0; waited < PATIENCE_SECONDS; waited++) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet || !before) return `image set ${imageSetId} is gone`;
    if (imageSet.state === 'ACTIVE') {
      if (imageSet.versionId === before.versionId) return undefined;
      const now = instancesIn(await deps.imaging.metadata(imageSetId), journal.seriesInstanceUID);
      if (isAsked && JSON.stringify(Object.entries(now).sort()) === wanted) return undefined;
      if (!isAsked) await deps.imaging.revert(imageSet, before.versionId);
      isAsked = true;
    }
    await deps.clock.sleep(1000);
  }
  return `image set ${imageSetId}: the revert did not end within ${PATIENCE_SECONDS} seconds`;
}
