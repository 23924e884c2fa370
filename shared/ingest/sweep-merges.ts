/** The grace of merged sources: when it is over they are read once more, compared with their destination, and deleted. */
import { SeriesBusy, seriesLease } from './leases.ts';
import type { Merge } from './merge-decision.ts';
import type { MergeDeps, MergeJournal } from './merge-journal.ts';
import type { Stepped } from './merge-step.ts';
import { readJson } from './ndjson.ts';
import { checkProcessLease, whileHolding } from './process-leases.ts';
import { promoteDestination } from './promote-destination.ts';
import { deleteSources } from './retire-sources.ts';
import { workKeys } from './work-keys.ts';

interface DueMerge {
  readonly executionId: string;
  readonly series: string;
}

/**
 * Deletes what is due; what cannot be deleted safely stays, and its note goes, so that a person decides. A series that
 * somebody works on is left for the next sweep.
 */
export async function sweepMerges(deps: MergeDeps): Promise<{ due: number; deleted: number }> {
  const { workBucket } = deps.settings;
  const now = new Date(deps.clock.now()).toISOString();
  let due = 0;
  let deleted = 0;
  for await (const { key, etag } of deps.objects.list(workBucket, workKeys.dueMerges)) {
    if (key.slice(workKeys.dueMerges.length) > now) break;
    due++;
    const note = await readJson<DueMerge>(deps.objects, workBucket, key);
    if (!note) continue;
    const end = await sweepOne(deps, note.value);
    if (end === 'wait') continue;
    if (end === 'done') deleted++;
    await deps.objects.remove(workBucket, [{ key, etag }]);
  }
  return { due, deleted };
}

async function sweepOne(deps: MergeDeps, { executionId, series }: DueMerge): Promise<Stepped> {
  const { workBucket } = deps.settings;
  const id = `sweep-${executionId}`;
  const lease = seriesLease(series);
  try {
    return await whileHolding({ ...deps, workBucket }, [lease], id, async () => {
      const journalKey = workKeys.mergeJournal(executionId, series);
      const journal = (await readJson<MergeJournal>(deps.objects, workBucket, journalKey))?.value;
      const ref = { executionId, seriesInstanceUID: series };
      let failure: Stepped | undefined;
      for (const merge of journal?.merges ?? []) {
        await checkProcessLease({ objects: deps.objects, workBucket }, lease, id);
        const end = await endMerge(deps, ref, journal!, merge);
        if (end === 'wait') return 'wait';
        if (end !== 'done') failure = end;
      }
      return failure ?? 'done';
    });
  } catch (error) {
    if (error instanceof SeriesBusy) return 'wait';
    throw error;
  }
}

/** When the sources are gone, with the series' primary maybe among them, the destination may take its place. */
async function endMerge(
  deps: MergeDeps,
  ref: { readonly executionId: string; readonly seriesInstanceUID: string },
  journal: MergeJournal,
  merge: Merge,
): Promise<Stepped> {
  const end = await deleteSources(deps, journal, merge);
  if (end !== 'done') return end;
  const promoted = await promoteDestination(deps, ref, journal, merge);
  if (promoted === 'wait') return 'wait';
  return promoted === merge ? 'done' : deleteSources(deps, journal, promoted);
}
