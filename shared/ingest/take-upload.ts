/** TakeUpload: the lease, the quiet, and the snapshot of the listing in shards (design section 3). */
import { holdSecondsLeft } from './holds.ts';
import { acquireLease, uploadLease } from './leases.ts';
import { exists } from './ndjson.ts';
import type { ExecutionDeps, ExecutionRef, InventoryLine } from './pipeline-deps.ts';
import { releaseUpload } from './release-upload.ts';
import { writeShardList, writeShards } from './shards.ts';
import { objectsOf, uploadName } from './uploads.ts';
import { workKeys } from './work-keys.ts';

/** Objects in one inventory shard: each shard is a child, which is counted; its heads are read in some ten seconds. */
const OBJECTS_PER_SHARD = 500;

export interface TakeRequest extends ExecutionRef {
  readonly executionArn: string;
  /** ISO 8601. */
  readonly executionStartedAt: string;
}

export interface Taken {
  readonly status: 'taken' | 'waiting' | 'coalesced' | 'empty';
  readonly waitSeconds: number;
}

/** An object is younger than the quiet time: the upload still grows. */
class StillGrowing extends Error {
  readonly waitSeconds: number;
  constructor(waitSeconds: number) {
    super('the upload still grows');
    this.waitSeconds = waitSeconds;
  }
}

/** Safe to repeat: the shard list is written once, and the snapshot that it names stands. */
export async function takeUpload(deps: ExecutionDeps, request: TakeRequest): Promise<Taken> {
  const { inboxBucket, workBucket } = deps.settings;
  const upload = await uploadName(deps, request.uploadId);
  if (upload === undefined) return { status: 'empty', waitSeconds: 0 };
  const leaseDeps = { ...deps, workBucket };
  const acquired = await acquireLease(leaseDeps, uploadLease(request.uploadId), request);
  if (!acquired.held) return { status: 'coalesced', waitSeconds: 0 };
  const shardDeps = { objects: deps.objects, workBucket };
  if (await exists(deps.objects, workBucket, workKeys.shardList(request.executionId, 'inspect', 0)))
    return { status: 'taken', waitSeconds: 0 };

  const waitedSeconds = (deps.clock.now() - Date.parse(request.executionStartedAt)) / 1000;
  const mayWait = waitedSeconds < deps.settings.maxWaitSeconds;
  const held = mayWait ? await holdSecondsLeft(leaseDeps, request.uploadId, deps.clock.now()) : 0;
  if (held > 0) return waiting(Math.min(held, deps.settings.quietSeconds));
  const run = deps.clock.now().toString(36);
  try {
    const shards = await writeShards<InventoryLine>(
      shardDeps,
      { executionId: request.executionId, folder: 'inventory', prefix: `${run}-`, size: OBJECTS_PER_SHARD },
      inventory(deps, inboxBucket, upload, mayWait),
    );
    if (shards.length === 0) {
      await releaseUpload(deps, request);
      return { status: 'empty', waitSeconds: 0 };
    }
    await writeShardList(shardDeps, request.executionId, 'inspect', shards);
    return { status: 'taken', waitSeconds: 0 };
  } catch (error) {
    if (error instanceof StillGrowing) return waiting(error.waitSeconds);
    throw error;
  }
}

const waiting = (seconds: number): Taken => ({
  status: 'waiting',
  waitSeconds: Math.max(1, Math.ceil(seconds)),
});

/** How far a listing is read on for the newest object, once one was found that is too young. */
const LOOK_ON = 10_000;

/** The listing, numbered; ends with StillGrowing soon after the first object that is too young. */
async function* inventory(
  deps: ExecutionDeps,
  bucket: string,
  upload: string,
  mayWait: boolean,
): AsyncGenerator<InventoryLine> {
  const { quietSeconds } = deps.settings;
  const now = deps.clock.now();
  let n = 0;
  let newestSeconds = quietSeconds;
  let lookOn = LOOK_ON;
  for await (const { key, sizeBytes, etag, lastModified } of objectsOf(deps.objects, bucket, upload)) {
    newestSeconds = Math.min(newestSeconds, (now - Date.parse(lastModified)) / 1000);
    if (!mayWait || newestSeconds >= quietSeconds) yield { n: n++, key, sizeBytes, etag, lastModified };
    else if (--lookOn === 0) break;
  }
  // Waits for the newest, not for the first that was met: each look costs three transitions.
  if (mayWait && newestSeconds < quietSeconds) throw new StillGrowing(quietSeconds - newestSeconds);
}
