/**
 * Holds an upload while we send: an object in the work bucket that TakeUpload respects while it is less than two
 * minutes old, so that one `ingest` gives one execution and one report.
 */
import { uploadIdOf, workKeys } from '../../shared/ingest/work-keys.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

const REFRESH_MS = 30_000;

export interface Hold {
  readonly uploadId: string;
  /** Ends the hold; the execution starts after the quiet time. */
  release(): Promise<void>;
}

export async function holdUpload(store: ObjectStore, workBucket: string, upload: string): Promise<Hold> {
  const uploadId = uploadIdOf(upload);
  const key = workKeys.hold(uploadId);
  const refresh = () =>
    store.write({ bucket: workBucket, key }, JSON.stringify({ holder: 'isocenter ingest' }));
  await refresh();
  // A missed refresh is made up by the next; three in a row are needed before the hold looks old.
  const timer = setInterval(() => void refresh().catch(() => undefined), REFRESH_MS);
  timer.unref();
  return {
    uploadId,
    async release() {
      clearInterval(timer);
      await store.remove(workBucket, [{ key }]);
    },
  };
}
