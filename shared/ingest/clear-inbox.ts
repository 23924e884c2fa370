/**
 * ClearInbox: takes out of the inbox what the report accounts for, and only the very bytes that were seen. Refused
 * objects are moved to where `retry` finds them; those that changed meanwhile stay for the next ingest.
 */
import { ServiceUnavailable, Throttled } from '../ports/imaging-service.ts';
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import { checkLease, uploadLease } from './leases.ts';
import { exists } from './ndjson.ts';
import type { ExecutionDeps, ExecutionRef } from './pipeline-deps.ts';
import { quietError } from './quiet-errors.ts';
import { runShard } from './shards.ts';
import { workKeys } from './work-keys.ts';
import type { OutcomeLine } from './write-report.ts';

export interface ClearRequest extends ExecutionRef {
  readonly shard: string;
}

/** What became of an object of the report: out of the inbox, or still there. */
export interface ClearedLine {
  readonly n: number;
  readonly cleared: boolean;
}

/** Copies asked for at once. */
const MOVES_AT_ONCE = 16;

/** Safe to repeat: what is gone is gone, what was moved is there. Throws LeaseLost, Error when there is no report. */
export async function clearShard(deps: ExecutionDeps, request: ClearRequest): Promise<void> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const { executionId } = request;
  await checkLease(
    { objects, workBucket },
    uploadLease(request.uploadId),
    deps.executions.arnOf(executionId),
  );
  if (!(await exists(objects, workBucket, workKeys.report(executionId))))
    throw new Error('report.json: expected before anything leaves the inbox, got none');
  await runShard<OutcomeLine>({ objects, workBucket }, 'clear', request, (lines) =>
    clear(deps, executionId, lines),
  );
}

async function clear(
  deps: ExecutionDeps,
  executionId: string,
  lines: readonly OutcomeLine[],
): Promise<ClearedLine[]> {
  const leaving = lines.filter((line) => !line.stays);
  const refused = leaving.filter((line) => line.outcome === 'rejected' || line.outcome === 'failed');
  const moved = await concurrently(refused, MOVES_AT_ONCE, (line) => setAside(deps, executionId, line));
  const unmoved = new Set(refused.filter((_, i) => !moved[i]).map((line) => line.n));
  const removable = leaving.filter((line) => !unmoved.has(line.n));
  const { changed, failed } = await deps.objects.remove(
    deps.settings.inboxBucket,
    removable.map(({ key, etag }) => ({ key, etag })),
  );
  const later = failed.filter(({ code }) => isPassing(code));
  if (later.length > 0)
    throw new ServiceUnavailable(`inbox: ${later.length} of ${removable.length} objects were not removed`);
  const kept = new Set([...changed, ...failed.map(({ key }) => key)]);
  return lines.map((line) => ({
    n: line.n,
    cleared: !line.stays && !unmoved.has(line.n) && !kept.has(line.key),
  }));
}

const isPassing = (code: string) => {
  const quiet = quietError({ code });
  return quiet instanceof ServiceUnavailable || quiet instanceof Throttled;
};

/** The store's definite no: HTTP 4xx, but for "slow down". */
function isRefusal(error: unknown): boolean {
  const { $metadata } = error as { $metadata?: { httpStatusCode?: number } };
  const status = $metadata?.httpStatusCode ?? 0;
  return status >= 400 && status < 500 && !(quietError(error) instanceof Throttled);
}

/**
 * Copies a refused object to where it waits. False when the inbox holds other bytes now, or bytes that nobody lets us
 * read (a key or a storage class of its own): then it stays, and the others leave all the same.
 */
async function setAside(deps: ExecutionDeps, executionId: string, line: OutcomeLine): Promise<boolean> {
  const { inboxBucket, workBucket } = deps.settings;
  const kind = line.outcome === 'rejected' ? 'rejected' : 'failed';
  const to = { bucket: workBucket, key: workKeys.refused(kind, executionId, line.key) };
  try {
    await deps.objects.copy(
      { bucket: inboxBucket, key: line.key, etag: line.etag, sizeBytes: line.sizeBytes },
      to,
    );
    return true;
  } catch (error) {
    if (error instanceof PreconditionFailed) return false;
    if (error instanceof NoSuchObject) return (await deps.objects.head(to)) !== undefined;
    if (isRefusal(error)) return false;
    throw error;
  }
}
