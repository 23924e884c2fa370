/**
 * Leases (design section 3): an object made with If-None-Match that names its holder's execution. It is taken over only
 * when Step Functions says that the holder does not run, never by the clock; and it is looked at again before each
 * destructive step. One module for uploads, series and studies. People's decisions are no executions: theirs are in
 * process-leases.ts, and hold as long as their process says so.
 */
import type { Clock } from '../ports/clock.ts';
import type { Executions } from '../ports/executions.ts';
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export const uploadLease = (uploadId: string): string => `upload:${uploadId}`;
export const seriesLease = (seriesInstanceUID: string): string => `series:${seriesInstanceUID}`;
export const studyLease = (studyInstanceUID: string): string => `study:${studyInstanceUID}`;

export interface Holder {
  readonly executionArn: string;
  readonly executionId: string;
}

/** `predecessors`: executions that held it and ended without releasing it, the newest last; their work may be half done. */
export interface Lease extends Holder {
  readonly predecessors: readonly string[];
  /** ISO 8601; only where the holder is a process, which says again and again that it lives. */
  readonly aliveUntil?: string;
  /** The lease that a process found, of an execution that does not run: it is put back as it was. */
  readonly found?: Lease;
}

export interface LeaseDeps {
  readonly objects: ObjectStore;
  readonly executions: Executions;
  readonly clock: Pick<Clock, 'now'>;
  readonly workBucket: string;
}

/** Our lost work: the lease is another's now. Nothing destructive may follow. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost';
}

export type Acquired =
  | { readonly held: true; readonly predecessors: readonly string[] }
  | { readonly held: false };

/** Takes the lease, takes it over from a holder that does not run, or says that it is held. Safe to repeat. */
export async function acquireLease(deps: LeaseDeps, name: string, holder: Holder): Promise<Acquired> {
  const location = { bucket: deps.workBucket, key: workKeys.lease(name) };
  const body = (predecessors: readonly string[]) => JSON.stringify({ ...holder, predecessors });
  for (let tries = 0; tries < 5; tries++) {
    const found = await readJson<Lease>(deps.objects, location.bucket, location.key);
    if (found?.value.executionArn === holder.executionArn)
      return { held: true, predecessors: found.value.predecessors };
    if (found && (await isAlive(deps, found.value))) return { held: false };
    const ended = found && endedExecution(found.value);
    const predecessors = ended ? withNewest(ended.predecessors, ended.executionId) : [];
    try {
      await deps.objects.write(
        location,
        body(predecessors),
        found ? { ifMatch: found.etag } : { ifNoneMatch: '*' },
      );
      return { held: true, predecessors };
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  return { held: false };
}

/** Whether its holder still works: an execution that runs, or a process that said so a moment ago. */
export const isAlive = async (
  { executions, clock }: Pick<LeaseDeps, 'executions' | 'clock'>,
  lease: Lease,
): Promise<boolean> =>
  lease.aliveUntil === undefined
    ? (await executions.status(lease.executionArn)) === 'RUNNING'
    : Date.parse(lease.aliveUntil) > clock.now();

/** The execution whose work may be half done, in a lease whose holder is not alive. Pure. */
export const endedExecution = (lease: Lease): Lease | undefined =>
  lease.aliveUntil === undefined ? lease : lease.found;

const withNewest = (predecessors: readonly string[], executionId: string) => [
  ...predecessors.filter((id) => id !== executionId),
  executionId,
];

/** Whether somebody who is alive holds the lease. */
export async function isLeaseHeld(deps: LeaseDeps, name: string): Promise<boolean> {
  const found = await readJson<Lease>(deps.objects, deps.workBucket, workKeys.lease(name));
  return found !== undefined && (await isAlive(deps, found.value));
}

/** Throws LeaseLost unless `executionArn` holds it. */
export async function checkLease(
  deps: Pick<LeaseDeps, 'objects' | 'workBucket'>,
  name: string,
  executionArn: string,
): Promise<void> {
  const found = await readJson<Lease>(deps.objects, deps.workBucket, workKeys.lease(name));
  if (found?.value.executionArn !== executionArn)
    throw new LeaseLost(`lease ${workKeys.lease(name)}: expected to hold it, got another holder or none`);
}

/** Removes the lease when `executionArn` holds it. Safe to repeat. */
export async function releaseLease(
  deps: Pick<LeaseDeps, 'objects' | 'workBucket'>,
  name: string,
  executionArn: string,
): Promise<void> {
  const key = workKeys.lease(name);
  const found = await readJson<Lease>(deps.objects, deps.workBucket, key);
  if (found?.value.executionArn === executionArn)
    await deps.objects.remove(deps.workBucket, [{ key, etag: found.etag }]);
}

/** The lease as it stands, or undefined. */
export const readLease = async (
  objects: ObjectStore,
  workBucket: string,
  name: string,
): Promise<Lease | undefined> => (await readJson<Lease>(objects, workBucket, workKeys.lease(name)))?.value;

/** A running execution holds one of the leases that this one needs. Worth waiting for. */
export class SeriesBusy extends Error {
  override readonly name = 'SeriesBusy';
}

/** Leases asked for at once. */
const LEASES_AT_ONCE = 16;

/**
 * Takes every lease, in the order given (sorted, so that no two executions wait for each other): all that come before
 * the first one that is held are kept, those after it are given back. Returns the predecessors. Throws SeriesBusy.
 */
export async function acquireInOrder(
  deps: LeaseDeps,
  names: readonly string[],
  holder: Holder,
): Promise<string[]> {
  const predecessors = new Set<string>();
  for (let i = 0; i < names.length; i += LEASES_AT_ONCE) {
    const some = names.slice(i, i + LEASES_AT_ONCE);
    const acquired = await Promise.all(some.map((name) => acquireLease(deps, name, holder)));
    for (const lease of acquired)
      if (lease.held) for (const predecessor of lease.predecessors) predecessors.add(predecessor);
    const busy = acquired.findIndex((lease) => !lease.held);
    if (busy < 0) continue;
    // A predecessor's trace must not be lost with a lease given back: only those without one are.
    for (const [at, lease] of acquired.entries())
      if (at > busy && lease.held && lease.predecessors.length === 0)
        await releaseLease(deps, some[at] as string, holder.executionArn);
    throw new SeriesBusy('a lease that this plan needs: expected it free, got a running holder');
  }
  return [...predecessors];
}
