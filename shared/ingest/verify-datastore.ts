/** Walks the image sets of a data store and proves each; several at once, memory independent of their number of frames. */
import { NotInDataStore } from '../ports/imaging-service.ts';
import { concurrentlyOver } from './concurrently.ts';
import {
  type Sample,
  type VerifiedImageSet,
  type VerifyImageSetDeps,
  verifyImageSet,
} from './verify-image-set.ts';

/** One image set of the walk, at the version that was found. */
export interface WalkedImageSet {
  readonly imageSetId: string;
  readonly versionId: string;
}

const IMAGE_SETS_AT_ONCE = 8;
/** Frames fetched or decoded at once over all image sets; far below the service's 1,000 a second. */
const FRAMES_AT_ONCE = 32;

/** `onVerified` gets undefined for an image set that was deleted between the search and the look. */
export async function verifyImageSets(
  deps: Omit<VerifyImageSetDeps, 'withinBound'>,
  imageSets: AsyncIterable<WalkedImageSet>,
  sample: Sample,
  onVerified: (imageSet: WalkedImageSet, verified: VerifiedImageSet | undefined) => Promise<void>,
): Promise<void> {
  const bounded = { ...deps, withinBound: bound(FRAMES_AT_ONCE) };
  await concurrentlyOver(imageSets, IMAGE_SETS_AT_ONCE, async (imageSet) => {
    await onVerified(imageSet, await verifyUnlessDeleted(bounded, imageSet, sample));
  });
}

async function verifyUnlessDeleted(
  deps: VerifyImageSetDeps,
  { imageSetId }: WalkedImageSet,
  sample: Sample,
): Promise<VerifiedImageSet | undefined> {
  try {
    return await verifyImageSet(deps, imageSetId, sample);
  } catch (error) {
    if (error instanceof NotInDataStore) return undefined;
    throw error;
  }
}

/** At most `limit` works at once; the others wait in order. */
function bound(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}
