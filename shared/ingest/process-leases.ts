/**
 * Leases of work that is no execution: a person's `resolve` or undo, the sweep that deletes merged sources. Step
 * Functions cannot say whether such a holder lives, so it says so itself, every half minute; one that has been silent for
 * two minutes is taken over. That is safe, because all that these holders write is conditional on the version that they
 * saw, and they look at the lease again before they delete.
 */
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { checkLease, endedExecution, isAlive, type Lease, type LeaseDeps, SeriesBusy } from './leases.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** A lease lives so long after its holder's last word. */
const ALIVE_SECONDS = 120;
const REFRESH_SECONDS = 30;

export const processHolder = (id: string): string => `process:${id}`;

/** Runs `work` with all these leases, given back at the end whatever it is. Throws SeriesBusy when one is held. */
export async function whileHolding<T>(
  deps: LeaseDeps,
  names: readonly string[],
  id: string,
  work: () => Promise<T>,
): Promise<T> {
  const sorted = [...new Set(names)].sort();
  const held: string[] = [];
  const refresh = setInterval(() => {
    for (const name of held) void say(deps, name, id).catch(() => undefined); // the next one may get through
  }, REFRESH_SECONDS * 1000);
  refresh.unref();
  try {
    for (const name of sorted) {
      await take(deps, name, id);
      held.push(name);
    }
    return await work();
  } finally {
    clearInterval(refresh);
    for (const name of held.reverse()) await giveBack(deps, name, id);
  }
}

/** Throws LeaseLost unless this process holds it. */
export const checkProcessLease = (
  deps: Pick<LeaseDeps, 'objects' | 'workBucket'>,
  name: string,
  id: string,
): Promise<void> => checkLease(deps, name, processHolder(id));

const leaseOf = (deps: LeaseDeps, id: string, found: Lease | undefined): Lease => ({
  executionArn: processHolder(id),
  executionId: id,
  predecessors: [],
  aliveUntil: new Date(deps.clock.now() + ALIVE_SECONDS * 1000).toISOString(),
  ...(found ? { found } : {}),
});

async function take(deps: LeaseDeps, name: string, id: string): Promise<void> {
  const key = workKeys.lease(name);
  for (let tries = 0; tries < 5; tries++) {
    const standing = await readJson<Lease>(deps.objects, deps.workBucket, key);
    const isOurs = standing?.value.executionArn === processHolder(id);
    if (standing && !isOurs && (await isAlive(deps, standing.value))) break;
    const lease = leaseOf(deps, id, standing && endedExecution(standing.value));
    const condition = standing ? { ifMatch: standing.etag } : { ifNoneMatch: '*' as const };
    try {
      await deps.objects.write({ bucket: deps.workBucket, key }, JSON.stringify(lease), condition);
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  throw new SeriesBusy('a lease of the series or study: expected it free, got a holder that works');
}

async function say(deps: LeaseDeps, name: string, id: string): Promise<void> {
  const key = workKeys.lease(name);
  const standing = await readJson<Lease>(deps.objects, deps.workBucket, key);
  if (standing?.value.executionArn !== processHolder(id)) return;
  const lease = leaseOf(deps, id, standing.value.found);
  await deps.objects.write({ bucket: deps.workBucket, key }, JSON.stringify(lease), {
    ifMatch: standing.etag,
  });
}

/** An execution's lease that was found comes back as it was: its half-done work is still to be adopted. */
async function giveBack(deps: LeaseDeps, name: string, id: string): Promise<void> {
  const key = workKeys.lease(name);
  for (let tries = 0; tries < 5; tries++) {
    const standing = await readJson<Lease>(deps.objects, deps.workBucket, key);
    if (standing?.value.executionArn !== processHolder(id)) return;
    const { etag } = standing;
    const { found } = standing.value;
    try {
      if (!found) await deps.objects.remove(deps.workBucket, [{ key, etag }]);
      else
        await deps.objects.write({ bucket: deps.workBucket, key }, JSON.stringify(found), { ifMatch: etag });
      return;
    } catch (error) {
      // Our own refresh may have been faster.
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
}
