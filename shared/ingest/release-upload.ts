/** ReleaseUpload: gives the leases back, then lists; what came meanwhile starts the next ingest (no lost wake-up). */
import { countAttempt, forgetAttempts } from './attempts.ts';
import type { ClearedLine } from './clear-inbox.ts';
import { concurrently } from './concurrently.ts';
import { releaseLease, uploadLease } from './leases.ts';
import { exists, readLines } from './ndjson.ts';
import type { ExecutionDeps, ExecutionRef } from './pipeline-deps.ts';
import { resultLines } from './shards.ts';
import { noteRelease, objectsOf, startNextIngest, uploadName } from './uploads.ts';
import { workKeys } from './work-keys.ts';

export interface ReleaseRequest extends ExecutionRef {
  readonly executionArn: string;
}

/** Safe to repeat. */
export async function releaseUpload(deps: ExecutionDeps, request: ReleaseRequest): Promise<void> {
  await releaseLeases(deps, request);
  const upload = await uploadName(deps, request.uploadId);
  if (upload === undefined) return;
  for await (const _ of objectsOf(deps.objects, deps.settings.inboxBucket, upload)) {
    await startNextIngest(deps, request.uploadId);
    return;
  }
}

/**
 * After all is accounted for: what failed before is forgotten. An execution that took nothing out of the inbox, though,
 * counts as a failed one, and after a second one the sweep goes on with its pauses: objects that change or cannot be
 * moved must not make executions follow each other for ever. Safe to repeat.
 */
export async function finishUpload(deps: ExecutionDeps, request: ReleaseRequest): Promise<void> {
  if (await hasCleared(deps, request.executionId)) await forgetAttempts(deps, request.uploadId);
  else if ((await countIdle(deps, request)) > 1) return releaseLeases(deps, request);
  await releaseUpload(deps, request);
}

async function hasCleared(deps: ExecutionDeps, executionId: string): Promise<boolean> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  for await (const line of resultLines<ClearedLine>(shardDeps, executionId, 'clear'))
    if (line.cleared) return true;
  return false;
}

/** Attempts so far. */
async function countIdle(deps: ExecutionDeps, request: ReleaseRequest): Promise<number> {
  const { attempts } = await countAttempt(deps, request.uploadId, {
    upload: (await uploadName(deps, request.uploadId)) ?? '',
    executionId: request.executionId,
    failedAt: new Date(deps.clock.now()).toISOString(),
    maxAttempts: deps.settings.maxAttempts,
  });
  return attempts;
}

async function releaseLeases(deps: ExecutionDeps, request: ReleaseRequest): Promise<void> {
  await releaseSeries(deps, request);
  await noteRelease(deps, request.executionId);
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  await releaseLease(leaseDeps, uploadLease(request.uploadId), request.executionArn);
}

/** Gives back the leases of the series and studies of this execution. */
export async function releaseSeries(deps: ExecutionDeps, request: ReleaseRequest): Promise<void> {
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  const key = workKeys.leases(request.executionId);
  if (!(await exists(deps.objects, leaseDeps.workBucket, key))) return;
  const names: string[] = [];
  for await (const name of readLines<string>(deps.objects, leaseDeps.workBucket, key)) names.push(name);
  await concurrently(names, 32, (name) => releaseLease(leaseDeps, name, request.executionArn));
}
