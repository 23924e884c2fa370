/** How one series' merging ended, for the report: image sets, keywords and counts, never values. */
import type { Merge } from './merge-decision.ts';
import type { MergeDeps, MergeJournal, MergeOutcome, MergeRequest } from './merge-journal.ts';
import { writeOnce } from './ndjson.ts';
import { promotedMerge } from './promote-destination.ts';
import type { MergeReport } from './report.ts';
import { workKeys } from './work-keys.ts';

/** `failures`: of each merge, undefined where it is done. Written once: the first one stands. */
export async function writeOutcome(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  failures: readonly (string | undefined)[],
): Promise<void> {
  const reports: MergeReport[] = [];
  const merged: Record<string, string> = {};
  const destinations: { imageSetId: string; versionId: string }[] = [];
  for (const [i, decided] of journal.merges.entries()) {
    const merge = await promotedMerge(deps, request, decided);
    reports.push(mergeReport(journal, merge, countOf(journal, decided.sources), failures[i]));
    if (failures[i] !== undefined) continue;
    for (const { imageSetId } of merge.sources) merged[imageSetId] = merge.destination;
    const imageSet = await deps.imaging.imageSet(merge.destination);
    if (imageSet) destinations.push({ imageSetId: merge.destination, versionId: imageSet.versionId });
  }
  if (journal.merges.length === 0 && failures[0] !== undefined)
    reports.push(mergeReport(journal, NO_MERGE, 0, failures[0]));
  if (journal.keptApart.length > 0) reports.push(keptApartReport(journal));
  const outcome: MergeOutcome = { reports, merged, destinations, keptApart: journal.keptApart };
  const key = workKeys.mergeOutcome(request.executionId, request.seriesInstanceUID);
  await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify(outcome));
}

const NO_MERGE: Merge = { destination: '', sources: [], keywords: [] };

const instancesOf = (journal: MergeJournal, imageSetId: string) =>
  Object.keys(journal.before[imageSetId]?.instances ?? {}).length;

const countOf = (journal: MergeJournal, sets: readonly { readonly imageSetId: string }[]) =>
  sets.reduce((sum, { imageSetId }) => sum + instancesOf(journal, imageSetId), 0);

function mergeReport(
  journal: MergeJournal,
  merge: Merge,
  instances: number,
  failure: string | undefined,
): MergeReport {
  const { keywords, sources, destination } = merge;
  return {
    seriesInstanceUID: journal.seriesInstanceUID,
    outcome: failure === undefined ? 'merged' : 'failed',
    reason:
      failure ?? merge.reason ?? (keywords.length > 0 ? 'aligned, then merged' : 'the same in all elements'),
    keywords,
    sources: sources.map((source) => source.imageSetId),
    destination,
    instances,
  };
}

function keptApartReport(journal: MergeJournal): MergeReport {
  const apart = journal.keptApart;
  const rest = Object.keys(journal.before).filter((id) => !apart.some((kept) => kept.imageSetId === id));
  return {
    seriesInstanceUID: journal.seriesInstanceUID,
    outcome: 'keptApart',
    reason: [...new Set(apart.map((kept) => kept.reason))].join('; '),
    keywords: [...new Set(apart.flatMap((kept) => kept.keywords))].sort(),
    sources: apart.map((kept) => kept.imageSetId),
    destination: journal.merges[0]?.destination ?? rest.sort()[0] ?? '',
    instances: countOf(journal, apart),
  };
}
