/** Which merges of a series can still be undone. */
import type { MergeDeps } from '../ingest/merge-journal.ts';
import { readJson } from '../ingest/ndjson.ts';
import { workKeys } from '../ingest/work-keys.ts';
import type { SeriesState } from './api.ts';

/** Merges of the series whose sources wait for the end of their grace. */
export async function undoableMerges(deps: MergeDeps, series: string): Promise<SeriesState['undoable']> {
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
