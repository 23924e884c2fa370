/**
 * Where a person's decision leaves a series without a primary image set, the destination of its merge becomes it, so
 * that DICOMweb shows it: today's service copies it into a new image set (reference section 14), which the rest is copied
 * into. The old one is a source then, and can come back.
 */
import type { ImageSet } from '../ports/imaging-service.ts';
import { RefusedByService } from '../ports/imaging-service.ts';
import { copyOver } from './bring-over.ts';
import { repointInstances } from './ledger.ts';
import { cutCopies, type Merge, type MergeSource } from './merge-decision.ts';
import { instancesIn, type MergeDeps, type MergeJournal } from './merge-journal.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** Which image set a destination became; none where the service refused. */
interface Promotion {
  readonly imageSetId?: string;
}

interface PromotionRef {
  readonly executionId: string;
  readonly seriesInstanceUID: string;
}

const NO_EDITS: MergeSource['edits'] = {
  set: { Patient: {}, Study: {}, Series: {} },
  remove: { Patient: [], Study: [], Series: [] },
};

/** The merge as it is after its promotion: the new image set is its destination, the old one a source more. */
export async function promotedMerge(
  deps: Pick<MergeDeps, 'objects' | 'settings'>,
  { executionId, seriesInstanceUID }: PromotionRef,
  merge: Merge,
): Promise<Merge> {
  const key = workKeys.promotion(executionId, seriesInstanceUID, merge.destination);
  const found = await readJson<Promotion>(deps.objects, deps.settings.workBucket, key);
  return found?.value.imageSetId === undefined ? merge : into(merge, found.value.imageSetId);
}

const into = (merge: Merge, destination: string): Merge => ({
  ...merge,
  destination,
  sources: [...merge.sources, { imageSetId: merge.destination, edits: NO_EDITS, copies: [] }],
});

/** The merge unchanged where nothing is promoted: not decided, not needed, not possible now, or refused. */
export async function promoteDestination(
  deps: MergeDeps,
  ref: PromotionRef,
  journal: MergeJournal,
  merge: Merge,
): Promise<Merge | 'wait'> {
  if (!merge.promotes) return merge;
  const { workBucket } = deps.settings;
  const key = workKeys.promotion(ref.executionId, ref.seriesInstanceUID, merge.destination);
  const record = async (promotion: Promotion) => {
    await deps.objects.write({ bucket: workBucket, key }, JSON.stringify(promotion));
    return 'wait' as const;
  };
  const known = (await readJson<Promotion>(deps.objects, workBucket, key))?.value;
  if (!known) {
    const begun = await begin(deps, journal, merge.destination);
    return begun === 'wait' ? 'wait' : begun === undefined ? merge : record(begun);
  }
  if (known.imageSetId === undefined) return merge;
  const promoted = await deps.imaging.imageSet(known.imageSetId);
  if (promoted?.state === 'LOCKED') return 'wait';
  if (!promoted?.isPrimary) {
    if (promoted) await deps.imaging.delete(known.imageSetId);
    return record({});
  }
  return fill(deps, journal, merge, promoted);
}

/** Starts the promotion, or finds the one that was started before a kill; undefined where there is none to make. */
async function begin(
  deps: MergeDeps,
  journal: MergeJournal,
  destination: string,
): Promise<Promotion | 'wait' | undefined> {
  const series = journal.seriesInstanceUID;
  const imageSet = await deps.imaging.imageSet(destination);
  if (!imageSet || imageSet.isPrimary) return undefined;
  if (imageSet.state === 'LOCKED') return 'wait';
  const metadata = await deps.imaging.metadata(destination);
  const held = instancesIn(metadata, series);
  const primary = await primaryOf(deps, series);
  if (primary !== undefined) {
    const forms = Object.entries(instancesIn(await deps.imaging.metadata(primary), series));
    const isOurs = journal.before[primary] === undefined && forms.every(([sop, form]) => held[sop] === form);
    return isOurs ? { imageSetId: primary } : undefined;
  }
  const [copy] = cutCopies(Object.entries(metadata.Study.Series[series]?.Instances ?? {})) ?? [];
  if (!copy) return undefined;
  try {
    return await deps.imaging.promote(imageSet, series, copy);
  } catch (error) {
    if (error instanceof RefusedByService) return {};
    throw error;
  }
}

async function primaryOf(deps: MergeDeps, series: string): Promise<string | undefined> {
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID: series }))
    if ((await deps.imaging.imageSet(imageSetId))?.isPrimary) return imageSetId;
  return undefined;
}

/** Copies what a first request could not hold; the ledger then has the instances where they are. */
async function fill(
  deps: MergeDeps,
  journal: MergeJournal,
  merge: Merge,
  promoted: ImageSet,
): Promise<Merge | 'wait'> {
  const series = journal.seriesInstanceUID;
  const after = into(merge, promoted.imageSetId);
  const from = await deps.imaging.imageSet(merge.destination);
  if (!from) return after;
  if (from.state === 'LOCKED') return 'wait';
  const metadata = await deps.imaging.metadata(merge.destination);
  const copies = cutCopies(Object.entries(metadata.Study.Series[series]?.Instances ?? {})) ?? [];
  const source = { imageSetId: merge.destination, edits: NO_EDITS, copies, isForced: false };
  const to = await deps.imaging.metadata(promoted.imageSetId);
  const stepped = await copyOver(deps, journal, source, from, promoted, to);
  if (stepped === 'wait') return 'wait';
  if (stepped !== 'done') return merge;
  const held = { [merge.destination]: { instances: instancesIn(metadata, series) } };
  await repointInstances(deps, series, held, {
    destination: promoted.imageSetId,
    sources: [{ imageSetId: merge.destination }],
  });
  return after;
}
