/** What every write to an image set checks first: it is there, ACTIVE, at the version the caller saw, within quota. */
import { conflict, quotaExceeded } from '../errors.ts';
import { requireImageSet, type Service } from '../service.ts';
import type { ImageSetRecord, VersionRecord } from '../store/records.ts';
import { type PendingWrite, pendingWrites } from './pending.ts';

export interface ImageSetAt {
  readonly set: ImageSetRecord;
  readonly version: VersionRecord;
}

/** Throws ResourceNotFoundException, ConflictException. Call it holding the set's lock. */
export async function requireWritable(
  service: Service,
  datastoreId: string,
  imageSetId: string,
  latestVersionId?: string,
): Promise<ImageSetAt> {
  const { set, version } = await requireImageSet(service, { datastoreId, imageSetId });
  if (version.imageSetState === 'LOCKED') {
    throw conflict(`Image set ${imageSetId} is LOCKED: ${version.imageSetWorkflowStatus}`);
  }
  if (version.imageSetState === 'DELETED') throw conflict(`Image set ${imageSetId} was deleted`);
  if (latestVersionId !== undefined && Number(latestVersionId) !== set.latestVersion) {
    throw conflict(
      `The latest version of image set ${imageSetId} is ${set.latestVersion}, not ${latestVersionId}`,
    );
  }
  return { set, version };
}

/** Throws ServiceQuotaExceededException when too many writes of this kind are under way in the data store. */
export async function checkConcurrency(
  service: Service,
  datastoreId: string,
  kind: PendingWrite['kind'],
): Promise<void> {
  const limit = service.quotas.concurrentWrites;
  let running = 0;
  for await (const write of pendingWrites(service.store, datastoreId)) {
    if (write.kind === kind && ++running >= limit) {
      throw quotaExceeded(`Data store ${datastoreId} has ${limit} requests of ${kind} under way`);
    }
  }
}

/** Runs `work` holding the locks of all these image sets, taken in one order so that none waits for another. */
export function lockSets<T>(
  service: Service,
  imageSetIds: readonly string[],
  work: () => Promise<T>,
): Promise<T> {
  const [first, ...rest] = [...new Set(imageSetIds)].sort();
  if (first === undefined) return work();
  return service.locks.run(`set ${first}`, () => lockSets(service, rest, work));
}
