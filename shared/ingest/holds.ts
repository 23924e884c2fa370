/**
 * Holds: an uploader that is still busy says so, and refreshes it; an ingest waits while one is younger than two minutes.
 * The CLI and the receivers hold, TakeUpload respects.
 */
import type { ObjectStore } from '../ports/object-store.ts';
import { uploadIdOf, workKeys } from './work-keys.ts';

/** Older holds are of uploaders that died. */
export const HOLD_SECONDS = 120;

interface HoldDeps {
  readonly objects: ObjectStore;
  readonly workBucket: string;
}

/** Makes or refreshes the hold of an upload. Call it at least once a minute while uploading. */
export async function holdUpload(deps: HoldDeps, upload: string): Promise<void> {
  await deps.objects.write({ bucket: deps.workBucket, key: workKeys.hold(uploadIdOf(upload)) }, '{}');
}

/** Ends the hold. Safe to repeat. */
export async function releaseHold(deps: HoldDeps, upload: string): Promise<void> {
  await deps.objects.remove(deps.workBucket, [{ key: workKeys.hold(uploadIdOf(upload)) }]);
}

/** Seconds until the hold of the upload runs out by itself; 0 when there is none. */
export async function holdSecondsLeft(deps: HoldDeps, uploadId: string, nowMs: number): Promise<number> {
  const entry = await deps.objects.head({ bucket: deps.workBucket, key: workKeys.hold(uploadId) });
  if (!entry) return 0;
  return Math.max(0, Math.ceil(HOLD_SECONDS - (nowMs - Date.parse(entry.lastModified)) / 1000));
}
