/** StartImportJob and CheckImportJob: one HealthImaging job for each attempt of a batch, however often they run. */
import type { JobStatus } from '../ports/imaging-service.ts';
import { sha256 } from './digest.ts';
import { readJson, writeOnce } from './ndjson.ts';
import type { ImagingDeps, PipelineDeps } from './pipeline-deps.ts';
import type { WaitNote } from './wake-import-batch.ts';
import { workKeys } from './work-keys.ts';

export interface BatchRef {
  readonly executionId: string;
  readonly planExecutionId: string;
  readonly batchId: string;
}

/** Equal for the same attempt of the same batch, whoever asks. */
export const clientTokenOf = (ref: BatchRef, attempt: number): string =>
  sha256(`${ref.planExecutionId}\u0001${ref.batchId}\u0001${attempt}`);

/** Nothing of the batch could be staged: HealthImaging need not be asked. */
export const NO_JOB = { jobId: 'none', jobStatus: 'COMPLETED' } as const;

async function isEmpty(deps: ImagingDeps, { planExecutionId, batchId }: BatchRef): Promise<boolean> {
  const prefix = workKeys.staged(planExecutionId, batchId);
  for await (const _ of deps.objects.list(deps.settings.workBucket, prefix)) return false;
  return true;
}

interface JobNote {
  readonly jobId?: string;
}

/** Notes the attempt before it asks, so that a successor knows that a job may run. Safe to repeat. */
export async function startImportJob(
  deps: ImagingDeps,
  ref: BatchRef & { readonly attempt: number },
): Promise<{ jobId: string; jobStatus: JobStatus }> {
  const { workBucket } = deps.settings;
  const { planExecutionId, batchId, attempt } = ref;
  const key = workKeys.job(planExecutionId, batchId, attempt);
  const note = await readJson<JobNote>(deps.objects, workBucket, key);
  if (note?.value.jobId) return { jobId: note.value.jobId, jobStatus: 'SUBMITTED' };
  if (await isEmpty(deps, ref)) return NO_JOB;
  if (!note) await writeOnce(deps.objects, workBucket, key, '{}');
  const { jobId } = await deps.imaging.startImportJob({
    inputS3Uri: `s3://${workBucket}/${workKeys.staged(planExecutionId, batchId)}`,
    outputS3Uri: `s3://${workBucket}/${workKeys.importOutput(planExecutionId)}`,
    clientToken: clientTokenOf(ref, attempt),
    jobName: `isocenter-${batchId}-${attempt}`,
  });
  await deps.objects.write({ bucket: workBucket, key }, JSON.stringify({ jobId } satisfies JobNote));
  return { jobId, jobStatus: 'SUBMITTED' };
}

/**
 * Leaves the token of the task that waits, then looks: a job that ended before is answered at once, one that ends later
 * by its event (wake-import-batch.ts). Safe to repeat: the newest token stands.
 */
export async function checkImportJob(
  deps: PipelineDeps,
  ref: BatchRef & { readonly jobId: string; readonly taskToken: string },
): Promise<{ jobId: string; jobStatus: JobStatus }> {
  const { jobId, taskToken } = ref;
  const hasJob = jobId !== NO_JOB.jobId;
  if (hasJob) await noteWait(deps, ref);
  const { jobStatus } = hasJob ? await deps.imaging.importJob(jobId) : NO_JOB;
  if (jobStatus === 'COMPLETED' || jobStatus === 'FAILED')
    await deps.executions.succeed(taskToken, { jobId, jobStatus });
  return { jobId, jobStatus };
}

async function noteWait(deps: ImagingDeps, ref: BatchRef & WaitNote): Promise<void> {
  const { planExecutionId, batchId, jobId, taskToken } = ref;
  const to = { bucket: deps.settings.workBucket, key: workKeys.waiting(planExecutionId, batchId) };
  await deps.objects.write(to, JSON.stringify({ jobId, taskToken } satisfies WaitNote));
}
