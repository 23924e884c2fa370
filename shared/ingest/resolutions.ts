/** What people decided about the image sets of a series, with who, when and why; the pipeline keeps to it. */
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export interface HumanDecision {
  readonly actor: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface Resolution {
  readonly seriesInstanceUID: string;
  /** Nothing merges the image sets of this series by itself. */
  readonly keepApart?: HumanDecision;
  /** All decisions, the oldest first. */
  readonly history: readonly (HumanDecision & { readonly decision: string })[];
}

interface ResolutionDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string };
}

export const readResolution = async (
  deps: ResolutionDeps,
  seriesInstanceUID: string,
): Promise<Resolution | undefined> =>
  (await readJson<Resolution>(deps.objects, deps.settings.workBucket, workKeys.resolution(seriesInstanceUID)))
    ?.value;

/** `keep-apart` and `undo` stop automatic merging of the series; `merge-into` ends that. */
export async function recordDecision(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  decision: 'keep-apart' | 'undo' | 'merge-into',
  by: HumanDecision,
): Promise<void> {
  const location = { bucket: deps.settings.workBucket, key: workKeys.resolution(seriesInstanceUID) };
  for (let tries = 0; tries < 10; tries++) {
    const found = await readJson<Resolution>(deps.objects, location.bucket, location.key);
    const next: Resolution = {
      seriesInstanceUID,
      ...(decision === 'merge-into' ? {} : { keepApart: by }),
      history: [...(found?.value.history ?? []), { ...by, decision }],
    };
    try {
      await deps.objects.write(
        location,
        JSON.stringify(next),
        found ? { ifMatch: found.etag } : { ifNoneMatch: '*' },
      );
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  throw new Error('resolution: expected to write it within ten tries, got another writer each time');
}
