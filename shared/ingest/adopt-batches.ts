/**
 * Batches that a crashed predecessor started and did not see through: their job may have imported what no ledger knows.
 * A successor takes them up unchanged, under the same client tokens.
 */
import { sha256 } from './digest.ts';
import { readLease, seriesLease, studyLease, uploadLease } from './leases.ts';
import { allLines, exists, readJson } from './ndjson.ts';
import type { ExecutionRef, PipelineDeps } from './pipeline-deps.ts';
import type { Plan, PlannedBatch, StageLine } from './plan-lines.ts';
import type { AdoptedInstance } from './plan-series.ts';
import { instanceKey } from './plan-studies.ts';
import { workKeys } from './work-keys.ts';

export interface Adoption {
  readonly batches: readonly PlannedBatch[];
  /** By series and SOP Instance UID. */
  readonly instances: ReadonlyMap<string, AdoptedInstance>;
}

/** Executions that held one of the leases before this one and did not give it back. */
export async function predecessorsOf(
  deps: PipelineDeps,
  request: ExecutionRef,
  fromLeases: readonly string[],
): Promise<string[]> {
  const lease = await readLease(deps.objects, deps.settings.workBucket, uploadLease(request.uploadId));
  const all = new Set([...(lease?.predecessors ?? []), ...fromLeases]);
  all.delete(request.executionId);
  return [...all].sort();
}

export async function adoptBatches(
  deps: PipelineDeps,
  request: ExecutionRef,
  predecessors: readonly string[],
): Promise<Adoption> {
  const batches = new Map<string, PlannedBatch>();
  const instances = new Map<string, AdoptedInstance>();
  for (const predecessor of predecessors) {
    const plan = await readJson<Plan>(deps.objects, deps.settings.workBucket, workKeys.plan(predecessor));
    for (const batch of plan?.value.batches ?? []) {
      const id = `${batch.planExecutionId}/${batch.batchId}`;
      if (batches.has(id) || !(await isUnfinished(deps, batch))) continue;
      const name = `${request.executionId}-${sha256(id).slice(0, 12)}`;
      batches.set(id, { ...batch, name });
      await collectInstances(deps, batch, instances);
    }
  }
  return { batches: [...batches.values()], instances };
}

/** Started (the first attempt's note is written before HealthImaging is asked), and not read to its end. */
async function isUnfinished(deps: PipelineDeps, batch: PlannedBatch): Promise<boolean> {
  const { planExecutionId, batchId } = batch;
  const { workBucket } = deps.settings;
  if (!(await exists(deps.objects, workBucket, workKeys.job(planExecutionId, batchId, 1)))) return false;
  return !(await exists(deps.objects, workBucket, workKeys.batchResult(planExecutionId, batchId)));
}

async function collectInstances(
  deps: PipelineDeps,
  { planExecutionId, batchId }: PlannedBatch,
  into: Map<string, AdoptedInstance>,
): Promise<void> {
  const key = workKeys.batch(planExecutionId, batchId);
  for (const line of await allLines<StageLine>(deps.objects, deps.settings.workBucket, key))
    into.set(instanceKey(line.series, line.sop), {
      planExecutionId,
      batchId,
      n: line.n,
      key: line.key,
      etag: line.etag,
    });
}

/** The names of the leases that a plan needs: of its series and studies, sorted. */
export const leaseNames = (series: Iterable<string>, studies: Iterable<string>): string[] =>
  [...[...series].map(seriesLease), ...[...studies].map(studyLease)].sort();
