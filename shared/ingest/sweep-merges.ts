/** The grace of merged sources: when it is over they are read once more, compared with their destination, and deleted. */
import { deleteSources, type MergeDeps, type MergeJournal } from './merge-series.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** Deletes what is due; what cannot be deleted safely stays, and its note goes, so that a person decides. */
export async function sweepMerges(deps: MergeDeps): Promise<{ due: number; deleted: number }> {
  const { workBucket } = deps.settings;
  const now = new Date(deps.clock.now()).toISOString();
  let due = 0;
  let deleted = 0;
  for await (const { key, etag } of deps.objects.list(workBucket, workKeys.dueMerges)) {
    if (key.slice(workKeys.dueMerges.length) > now) break;
    due++;
    const note = await readJson<{ executionId: string; series: string }>(deps.objects, workBucket, key);
    if (!note) continue;
    const journalKey = workKeys.mergeJournal(note.value.executionId, note.value.series);
    const journal = (await readJson<MergeJournal>(deps.objects, workBucket, journalKey))?.value;
    const ends = await Promise.all(
      (journal?.merges ?? []).map((merge) => deleteSources(deps, journal!, merge)),
    );
    if (ends.includes('wait')) continue;
    if (ends.every((end) => end === 'done')) deleted++;
    await deps.objects.remove(workBucket, [{ key, etag }]);
  }
  return { due, deleted };
}
