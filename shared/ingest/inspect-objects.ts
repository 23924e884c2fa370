/** InspectObjects: one verdict for every object of a shard. What cannot be read as DICOM is data, not an error. */
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import { inspectObject, type Verdict } from './inspect.ts';
import { objectSource } from './object-source.ts';
import type { InventoryLine, ObjectDeps } from './pipeline-deps.ts';
import { runShard, type ShardRef } from './shards.ts';

/** Heads read at once: the work is waiting for the store. */
const HEADS_AT_ONCE = 24;

export interface FailedVerdict {
  readonly verdict: 'failed';
  readonly code: string;
  readonly message: string;
}

export type InspectedLine = InventoryLine & { readonly inspected: Verdict | FailedVerdict };

/** Safe to repeat. */
export async function inspectShard(deps: ObjectDeps, ref: ShardRef): Promise<void> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  await runShard<InventoryLine>(shardDeps, 'inspect', ref, (lines) =>
    concurrently(lines, HEADS_AT_ONCE, async (line) => ({ ...line, inspected: await inspect(deps, line) })),
  );
}

async function inspect(deps: ObjectDeps, line: InventoryLine): Promise<Verdict | FailedVerdict> {
  const source = objectSource(deps.objects, { ...line, bucket: deps.settings.inboxBucket });
  try {
    return await inspectObject(source, { key: line.key, profile: deps.settings.constraintProfile });
  } catch (error) {
    if (error instanceof PreconditionFailed || error instanceof NoSuchObject) return CHANGED;
    throw error;
  }
}

/** The object that was listed is not there any more; what is there now belongs to the next ingest. */
export const CHANGED: FailedVerdict = {
  verdict: 'failed',
  code: 'ChangedDuringIngest',
  message: 'the object changed or went between its listing and its reading',
};

/** The line of an object that crashed its handler, alone. */
export const crashedInspection = (line: object): object => ({
  ...line,
  inspected: {
    verdict: 'failed',
    code: 'HandlerCrashed',
    message: 'reading this object ended the handler, alone in its shard',
  } satisfies FailedVerdict,
});
