/** The metadata of an image set, where "not consistent yet", just after an import, is waited out. */

import type { Clock } from '../ports/clock.ts';
import { type ImageSetMetadata, type ImagingService, NotConsistentYet } from '../ports/imaging-service.ts';

/** Waits about 8 seconds in all; throws NotConsistentYet after that. */
export async function metadataPatiently(
  deps: { readonly imaging: Pick<ImagingService, 'metadata'>; readonly clock: Clock },
  imageSetId: string,
): Promise<ImageSetMetadata> {
  for (let waitMs = 250; ; waitMs = Math.min(waitMs * 2, 8000)) {
    try {
      return await deps.imaging.metadata(imageSetId);
    } catch (error) {
      if (!(error instanceof NotConsistentYet) || waitMs >= 8000) throw error;
      await deps.clock.sleep(waitMs);
    }
  }
}
