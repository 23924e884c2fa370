/** StartImportJob and CheckImportJob: one HealthImaging job for each attempt of a batch, however often they run. */
import type { JobStatus } from '../ports/imaging-service.ts';
import { sha256 } from './digest.ts';
import { readJson, writeOnce } from './ndjson.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
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

async function isEmpty(deps: PipelineDeps, { planExecutionId, batchId }: BatchRef): Promise<boolean> {
  const prefix = workKeys.staged(planExecutionId, batchId);
  for await (const _ of deps.objects.list(deps.settings.workBucket, prefix)) return false;
  return true;
}

interface JobNote {
  readonly jobId?: string;
}

/** Notes the attempt before it asks, so that a successor knows that a job may run. Safe to repeat. */
export async function startImportJob(
  deps: PipelineDeps,
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

export async function checkImportJob(
  deps: PipelineDeps,
  ref: BatchRef & { readonly jobId: string },
): Promise<{ jobId: string; jobStatus: JobStatus; waitSeconds: number }> {
  if (ref.jobId === NO_JOB.jobId) return { ...NO_JOB, waitSeconds: 1 };
  const { jobStatus, submittedAt } = await deps.imaging.importJob(ref.jobId);
  const elapsedSeconds = submittedAt ? (deps.clock.now() - Date.parse(submittedAt)) / 1000 : 0;
  return { jobId: ref.jobId, jobStatus, waitSeconds: waitSecondsAfter(elapsedSeconds) };
}

/** A fifth of the time that the job has taken so far: few looks at long jobs, no long sleep after short ones. Pure. */
export const waitSecondsAfter = (elapsedSeconds: number): number =>
  Math.min(30, Math.max(1, Math.round(elapsedSeconds * 0.2)));
