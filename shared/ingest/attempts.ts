/**
 * Attempts at an upload: failed executions since the last new arrival. The sweep tries again with growing pauses, at
 * most `maxAttempts` times; then the upload needs attention, until something new arrives or `retry`.
 */
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export interface Attempts {
  readonly upload: string;
  readonly attempts: number;
  /** ISO 8601, UTC. */
  readonly lastFailedAt: string;
  readonly lastExecutionId: string;
  readonly needsAttention: boolean;
}

export interface AttemptDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string };
}

export const readAttempts = async (deps: AttemptDeps, uploadId: string): Promise<Attempts | undefined> =>
  (await readJson<Attempts>(deps.objects, deps.settings.workBucket, workKeys.attempts(uploadId)))?.value;

/** Counts a failed execution, once. */
export async function countAttempt(
  deps: AttemptDeps,
  uploadId: string,
  failed: { upload: string; executionId: string; failedAt: string; maxAttempts: number },
): Promise<Attempts> {
  const known = await readAttempts(deps, uploadId);
  if (known?.lastExecutionId === failed.executionId) return known;
  const attempts = (known?.attempts ?? 0) + 1;
  const next: Attempts = {
    upload: failed.upload,
    attempts,
    lastFailedAt: failed.failedAt,
    lastExecutionId: failed.executionId,
    needsAttention: attempts >= failed.maxAttempts,
  };
  await write(deps, uploadId, next);
  return next;
}

/** A person stopped the execution: nothing is tried again by itself. */
export async function parkUpload(
  deps: AttemptDeps,
  uploadId: string,
  stopped: { upload: string; executionId: string; stoppedAt: string },
): Promise<void> {
  const known = await readAttempts(deps, uploadId);
  await write(deps, uploadId, {
    upload: stopped.upload,
    attempts: known?.attempts ?? 0,
    lastFailedAt: stopped.stoppedAt,
    lastExecutionId: stopped.executionId,
    needsAttention: true,
  });
}

const write = (deps: AttemptDeps, uploadId: string, attempts: Attempts) =>
  deps.objects.write(
    { bucket: deps.settings.workBucket, key: workKeys.attempts(uploadId) },
    JSON.stringify(attempts),
  );

/** Something new arrived, or somebody asked for another try. Safe to repeat. */
export async function forgetAttempts(deps: AttemptDeps, uploadId: string): Promise<void> {
  await deps.objects.remove(deps.settings.workBucket, [{ key: workKeys.attempts(uploadId) }]);
}

/** Seconds from a failure to the next try: 1, 2, 4 … minutes, at most an hour. Pure. */
export const pauseSeconds = (attempts: number): number => Math.min(60 * 2 ** Math.max(0, attempts - 1), 3600);

/** Whether the sweep may try now. `newestMs`: the newest object of the upload. Pure. */
export function mayTryAgain(attempts: Attempts, newestMs: number, nowMs: number): boolean {
  const failedMs = Date.parse(attempts.lastFailedAt);
  if (newestMs > failedMs) return true;
  if (attempts.needsAttention) return false;
  return nowMs - failedMs >= pauseSeconds(attempts.attempts) * 1000;
}
