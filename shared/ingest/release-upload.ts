/** ReleaseUpload: gives the leases back, then lists; what came meanwhile starts the next ingest (no lost wake-up). */
import { forgetAttempts } from './attempts.ts';
import { concurrently } from './concurrently.ts';
import { releaseLease, uploadLease } from './leases.ts';
import { exists, readLines } from './ndjson.ts';
import type { ExecutionRef, PipelineDeps } from './pipeline-deps.ts';
import { objectsOf, startNextIngest, uploadName } from './uploads.ts';
import { workKeys } from './work-keys.ts';

export interface ReleaseRequest extends ExecutionRef {
  readonly executionArn: string;
}

/** Safe to repeat. */
export async function releaseUpload(deps: PipelineDeps, request: ReleaseRequest): Promise<void> {
  await releaseSeries(deps, request);
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  await releaseLease(leaseDeps, uploadLease(request.uploadId), request.executionArn);
  const upload = await uploadName(deps, request.uploadId);
  if (upload === undefined) return;
  for await (const _ of objectsOf(deps.objects, deps.settings.inboxBucket, upload)) {
    await startNextIngest(deps, request.uploadId);
    return;
  }
}

/** After all is accounted for and cleared: what failed before is forgotten. Safe to repeat. */
export async function finishUpload(deps: PipelineDeps, request: ReleaseRequest): Promise<void> {
  await forgetAttempts(deps, request.uploadId);
  await releaseUpload(deps, request);
}

/** Gives back the leases of the series and studies of this execution. */
export async function releaseSeries(deps: PipelineDeps, request: ReleaseRequest): Promise<void> {
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  const key = workKeys.leases(request.executionId);
  if (!(await exists(deps.objects, leaseDeps.workBucket, key))) return;
  const names: string[] = [];
  for await (const name of readLines<string>(deps.objects, leaseDeps.workBucket, key)) names.push(name);
  await concurrently(names, 32, (name) => releaseLease(leaseDeps, name, request.executionArn));
}
