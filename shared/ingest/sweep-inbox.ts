/** sweep-inbox: starts what waits in the inbox and is not held: lost events, crashed and failed executions. */
import { countAttempt, forgetAttempts, mayTryAgain, readAttempts } from './attempts.ts';
import { isLeaseHeld, readLease, uploadLease } from './leases.ts';
import { exists } from './ndjson.ts';
import { nameUpload, objectsOf, startIngest, type UploadDeps, uploadsInInbox } from './uploads.ts';
import { workKeys } from './work-keys.ts';

export interface SweepDeps extends UploadDeps {
  readonly settings: UploadDeps['settings'] & { readonly maxAttempts: number };
}

/** An object this young has its event on the way. */
const EVENT_SECONDS = 60;

/** Uploads in the inbox, how many were started now, and the age of the oldest object. */
export interface Sweep {
  readonly waiting: number;
  readonly started: number;
  readonly oldestSeconds: number;
}

/** Safe to repeat. Throws the first error, when every upload was looked at. */
export async function sweepInbox(deps: SweepDeps): Promise<Sweep> {
  const uploads = await uploadsInInbox(deps.objects, deps.settings.inboxBucket);
  const now = deps.clock.now();
  let started = 0;
  let oldestMs = now;
  const errors: unknown[] = [];
  for (const upload of uploads) {
    try {
      const ages = await agesOf(deps, upload);
      oldestMs = Math.min(oldestMs, ages.oldestMs);
      if (await sweepUpload(deps, upload, ages)) started++;
    } catch (error) {
      errors.push(error); // one upload must not keep the others waiting
    }
  }
  if (errors.length > 0) throw errors[0];
  return { waiting: uploads.size, started, oldestSeconds: Math.round((now - oldestMs) / 1000) };
}

async function sweepUpload(deps: SweepDeps, upload: string, { oldestMs, newestMs }: Ages): Promise<boolean> {
  const uploadId = await nameUpload(deps, upload);
  const leaseDeps = { ...deps, workBucket: deps.settings.workBucket };
  if (await isLeaseHeld(leaseDeps, uploadLease(uploadId))) return false;
  await countAbandoned(deps, upload, uploadId);
  const attempts = await readAttempts(deps, uploadId);
  if (attempts) {
    if (!mayTryAgain(attempts, newestMs, deps.clock.now())) return false;
    if (newestMs > Date.parse(attempts.lastFailedAt)) await forgetAttempts(deps, uploadId);
  } else if (deps.clock.now() - oldestMs < EVENT_SECONDS * 1000) return false;
  return (await startIngest(deps, upload)) === 'started';
}

/** An execution that was stopped or timed out left its lease and no report: that is a failed attempt too. */
async function countAbandoned(deps: SweepDeps, upload: string, uploadId: string): Promise<void> {
  const lease = await readLease(deps.objects, deps.settings.workBucket, uploadLease(uploadId));
  if (!lease) return;
  if (await exists(deps.objects, deps.settings.workBucket, workKeys.report(lease.executionId))) return;
  await countAttempt(deps, uploadId, {
    upload,
    executionId: lease.executionId,
    failedAt: new Date(deps.clock.now()).toISOString(),
    maxAttempts: deps.settings.maxAttempts,
  });
}

/** Milliseconds since 1970. */
interface Ages {
  readonly oldestMs: number;
  readonly newestMs: number;
}

async function agesOf(deps: SweepDeps, upload: string): Promise<Ages> {
  let oldestMs = Number.POSITIVE_INFINITY;
  let newestMs = 0;
  for await (const entry of objectsOf(deps.objects, deps.settings.inboxBucket, upload)) {
    const modified = Date.parse(entry.lastModified);
    oldestMs = Math.min(oldestMs, modified);
    newestMs = Math.max(newestMs, modified);
  }
  return { oldestMs, newestMs };
}
