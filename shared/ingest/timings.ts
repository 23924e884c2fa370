/** Seconds a stage took, read off the objects that mark its beginning and its end. */
import type { ObjectDeps } from './pipeline-deps.ts';
import type { Report } from './report.ts';
import { workKeys } from './work-keys.ts';

export async function timingsOf(
  deps: ObjectDeps,
  executionId: string,
  startedAt: string,
  finishedAt: string,
): Promise<Report['timings']> {
  const at = async (key: string) => {
    const entry = await deps.objects.head({ bucket: deps.settings.workBucket, key });
    return entry ? Date.parse(entry.lastModified) : undefined;
  };
  const end = Date.parse(finishedAt);
  const merged = await at(workKeys.merges(executionId));
  const verifying = await at(workKeys.shardList(executionId, 'verify', 0));
  const planned = await at(workKeys.plan(executionId));
  const taken = await at(workKeys.shardList(executionId, 'inspect', 0));
  const seconds = (from: number | undefined, to: number | undefined) =>
    from === undefined || to === undefined ? 0 : Math.max(0, Math.round(to - from) / 1000);
  return {
    inspect: seconds(taken, planned),
    import: seconds(planned, verifying),
    verify: seconds(verifying, merged),
    merge: seconds(merged, merged === undefined ? undefined : end),
    total: seconds(Date.parse(startedAt), end),
  };
}
