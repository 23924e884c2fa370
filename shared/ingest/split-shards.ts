/** The Split… states: another round for the shards whose child wrote nothing, with what a lone crasher's line says. */
import { crashedInspection } from './inspect-objects.ts';
import type { ObjectDeps } from './pipeline-deps.ts';
import { type Stage, splitCrashedShards } from './shards.ts';
import { crashedStaging } from './stage-objects.ts';
import type { VerifyLine } from './verify-lines.ts';
import { crashedVerification } from './verify-results.ts';

type Splittable = Exclude<Stage, 'clear'>;

const CRASHED: Readonly<Record<Splittable, (line: { readonly n: number }) => object>> = {
  inspect: crashedInspection,
  stage: crashedStaging,
  verify: (line) => crashedVerification(line as VerifyLine),
};

/** Safe to repeat. */
export async function splitShards(
  deps: ObjectDeps,
  request: { readonly executionId: string; readonly stage: Splittable; readonly round: number },
): Promise<void> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  const { executionId, stage, round } = request;
  await splitCrashedShards(shardDeps, executionId, stage, round, CRASHED[stage]);
}
