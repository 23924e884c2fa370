/**
 * HealthImaging's own event at the end of an import job wakes the batch that waits for it. The event may come late, twice
 * or never: the batch looks for itself after a while (CheckImportJob), and who comes second finds nobody waiting.
 */
import { readJson } from './ndjson.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { batchOfStaged, workKeys } from './work-keys.ts';

/** The batch that waits for a job, and the token with which it is answered. */
export interface WaitNote {
  readonly jobId: string;
  readonly taskToken: string;
}

/** What the event says; jobs of others in the same data store have inputs elsewhere. */
export interface EndedJob {
  readonly jobId: string;
  readonly jobStatus: 'COMPLETED' | 'FAILED';
  readonly inputS3Uri?: string | undefined;
}

/** True when a batch was woken. Safe to repeat. */
export async function wakeImportBatch(
  deps: Pick<PipelineDeps, 'objects' | 'executions' | 'settings'>,
  { jobId, jobStatus, inputS3Uri = '' }: EndedJob,
): Promise<boolean> {
  const { workBucket } = deps.settings;
  const batch = batchOfStaged(inputS3Uri, workBucket);
  if (!batch) return false;
  const key = workKeys.waiting(batch.planExecutionId, batch.batchId);
  const note = await readJson<WaitNote>(deps.objects, workBucket, key);
  // No note: whoever writes it looks at the job afterwards. Another job's: this one's attempt is over.
  if (note?.value.jobId !== jobId) return false;
  return deps.executions.succeed(note.value.taskToken, { jobId, jobStatus });
}
