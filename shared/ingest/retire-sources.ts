/** The end of a merge: when its destination is complete the sources go, at once or when their grace is over. */
import type { ImageSetMetadata } from '../ports/imaging-service.ts';
import { checkLease, seriesLease } from './leases.ts';
import type { Merge } from './merge-decision.ts';
import { instancesIn, type MergeDeps, type MergeJournal, type MergeRequest } from './merge-journal.ts';
import { afterFailure, type Stepped } from './merge-step.ts';
import { writeOnce } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** Instances of any side that the destination does not hold as they were: dataset and frame checksums. Pure. */
export function missingIn(journal: MergeJournal, merge: Merge, destination: ImageSetMetadata): number {
  const now = instancesIn(destination, journal.seriesInstanceUID);
  const sides = [merge.destination, ...merge.sources.map((source) => source.imageSetId)];
  const wanted = sides.flatMap((side) => Object.entries(journal.before[side]?.instances ?? {}));
  return wanted.filter(([sop, form]) => now[sop] !== form).length;
}

/** What a person decided can be undone for a week, whatever the grace of automatic merges is. */
const HUMAN_GRACE_SECONDS = 604_800;

/** With a grace the sources wait for the sweep; without one they go now. */
export async function retireSources(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  merge: Merge,
): Promise<Stepped> {
  const { seriesInstanceUID: series, executionId } = request;
  if (merge.sources.length === 0) return 'done';
  const isByPerson = journal.heldBy !== undefined;
  if (!isByPerson) await checkExecutionLease(deps, request);
  if (deps.settings.mergeGraceSeconds === 0 && !isByPerson) return deleteSources(deps, journal, merge);
  const graceSeconds = Math.max(deps.settings.mergeGraceSeconds, isByPerson ? HUMAN_GRACE_SECONDS : 0);
  const dueAt = new Date(Date.parse(journal.decidedAt) + graceSeconds * 1000);
  const key = workKeys.dueMerge(dueAt.toISOString(), executionId, series);
  await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify({ executionId, series }));
  return 'done';
}

const checkExecutionLease = (deps: MergeDeps, { seriesInstanceUID, executionId }: MergeRequest) =>
  checkLease(
    { objects: deps.objects, workBucket: deps.settings.workBucket },
    seriesLease(seriesInstanceUID),
    deps.executions.arnOf(executionId),
  );

/** Only sources that hold nothing that the destination lacks; both are read again. */
export async function deleteSources(
  deps: Pick<MergeDeps, 'imaging'>,
  journal: MergeJournal,
  merge: Merge,
): Promise<Stepped> {
  const series = journal.seriesInstanceUID;
  let destination: ImageSetMetadata | undefined;
  let isUnderWay = false;
  for (const { imageSetId } of merge.sources) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    isUnderWay = true;
    if (imageSet.state === 'LOCKED') continue;
    destination ??= await deps.imaging.metadata(merge.destination);
    const kept = instancesIn(destination, series);
    const replaced = journal.superseded?.[imageSetId] ?? {};
    const lost = Object.entries(instancesIn(await deps.imaging.metadata(imageSetId), series)).filter(
      ([sop, form]) => kept[sop] !== form && replaced[sop] !== form,
    );
    if (lost.length > 0)
      return afterFailure(`the source holds ${lost.length} instances that the destination lacks`);
    if (missingIn(journal, merge, destination) > 0) return afterFailure('the destination changed');
    await deps.imaging.delete(imageSetId);
  }
  return isUnderWay ? 'wait' : 'done';
}
