/** What a step of a merge says, and when a write counts as refused. */
import { type ImageSet, RefusedByService } from '../ports/imaging-service.ts';
import type { MergeJournal } from './merge-journal.ts';

/** `wait`: something is under way, look again; `done`: nothing is missing; else why it ends here. */
export type Stepped = 'wait' | 'done' | { readonly failure: string };

export const afterFailure = (failure: string): Stepped => ({ failure });

/** A request that the service finds wrong ends the merge; nothing is deleted. */
export async function unlessRefused(step: () => Promise<Stepped>): Promise<Stepped> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof RefusedByService) return afterFailure('the service refused a request of the merge');
    throw error;
  }
}

/** Versions beyond the decision's that a set may take before a failing write counts as refused. */
const MAX_WRITES = 40;

/** A write failed, and not for the first time: each write, failed or not, takes a version. */
export function isGivenUp(imageSet: ImageSet, failed: string, journal: MergeJournal): boolean {
  const before = Number(journal.before[imageSet.imageSetId]?.versionId ?? 0);
  return imageSet.workflowStatus === failed && Number(imageSet.versionId) - before >= MAX_WRITES;
}
