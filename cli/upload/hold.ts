/**
 * Holds an upload while we send: an object in the work bucket that TakeUpload respects while it is less than two
 * minutes old, so that one `ingest` gives one execution and one report.
 */
import { createHash } from 'node:crypto';
import type { ObjectStore } from '../../shared/ports/object-store.ts';

const REFRESH_MS = 30_000;

export interface Hold {
  /** Ends the hold; the execution starts after the quiet time. */
  release(): Promise<void>;
}

export async function holdUpload(store: ObjectStore, workBucket: string, upload: string): Promise<Hold> {
  const key = `holds/${createHash('sha256').update(upload).digest('hex')}`;
  const refresh = () =>
    store.write({ bucket: workBucket, key }, JSON.stringify({ holder: 'isocenter ingest' }));
  await refresh();
  // A missed refresh is made up by the next; three in a row are needed before the hold looks old.
  const timer = setInterval(() => void refresh().catch(() => undefined), REFRESH_MS);
  timer.unref();
  return {
    async release() {
      clearInterval(timer);
      await store.remove(workBucket, [{ key }]);
    },
  };
}
