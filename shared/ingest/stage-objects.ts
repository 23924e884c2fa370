/**
 * StageObjects: server-side copies of the very bytes that were inspected, with their SHA-256; a suspected duplicate is
 * copied aside for its digest alone, and settled by it before anything is imported.
 */
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import type { ObjectDeps } from './pipeline-deps.ts';
import type { StageLine, StagingLine } from './plan-lines.ts';
import { runShard, type ShardRef } from './shards.ts';
import { workKeys } from './work-keys.ts';

/** Copies asked for at once. */
const COPIES_AT_ONCE = 24;

/** Safe to repeat: a copy made twice is the same copy. */
export async function stageShard(deps: ObjectDeps, ref: ShardRef): Promise<void> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  await runShard<StageLine>(shardDeps, 'stage', ref, (lines) =>
    concurrently(lines, COPIES_AT_ONCE, (line) => stageObject(deps, ref.executionId, line)),
  );
}

async function stageObject(deps: ObjectDeps, executionId: string, line: StageLine): Promise<StagingLine> {
  const { inboxBucket, workBucket } = deps.settings;
  try {
    const copyTo = (to: string) =>
      deps.objects.copy(
        { bucket: inboxBucket, key: line.key, etag: line.etag, sizeBytes: line.sizeBytes },
        { bucket: workBucket, key: to },
      );
    const { batchId, replaces } = line;
    if (batchId === undefined || replaces?.sha256 !== undefined) {
      const suspect = workKeys.suspect(executionId, line.key);
      const { sha256 } = await copyTo(suspect);
      await deps.objects.remove(workBucket, [{ key: suspect }]);
      if (batchId === undefined) return settle(line, sha256);
      // A job imports all that lies in its folder: what nobody decided for never gets there.
      if (sha256 !== replaces?.sha256) return conflict(line, sha256);
    }
    const { sha256 } = await copyTo(workKeys.stagedObject(executionId, batchId, line.key));
    return { n: line.n, outcome: 'staged', sha256 };
  } catch (error) {
    if (error instanceof PreconditionFailed || error instanceof NoSuchObject)
      return {
        n: line.n,
        outcome: 'failed',
        code: 'ChangedDuringIngest',
        message: 'the object changed or went between its inspection and its copying',
      };
    throw error;
  }
}

/** What a suspect's digest says. Pure. */
export function settle(line: StageLine, sha256: string): StagingLine {
  const { n, expected } = line;
  const twin = line.twinOf === undefined ? {} : { twinOf: line.twinOf };
  if (!expected) return { n, outcome: 'twin', sha256, ...twin };
  if (expected.sha256 !== sha256) return conflict(line, sha256);
  const outcome = expected.isSettled ? 'duplicate' : 'reverify';
  return { n, outcome, sha256, imageSetId: expected.imageSetId, ...twin };
}

const conflict = ({ n }: StageLine, sha256: string): StagingLine => ({
  n,
  outcome: 'rejected',
  sha256,
  code: 'InstanceConflict',
  message: 'the instance that is stored under this SOP Instance UID has other pixels or another encoding',
});

export const crashedStaging = (line: { readonly n: number }): StagingLine => ({
  n: line.n,
  outcome: 'failed',
  code: 'HandlerCrashed',
  message: 'copying this object ended the handler, alone in its shard',
});
