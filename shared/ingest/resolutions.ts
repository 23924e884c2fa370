/** What people decided about the image sets of a series, with who, when and why; the pipeline keeps to it. */
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import type { HeldCode } from './held-codes.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export interface HumanDecision {
  readonly actor: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

/** `leave-out`: what was refused until then is not to come in, and waits for nobody any more. */
export type SeriesDecision = 'keep-apart' | 'undo' | 'merge-into' | 'replace' | 'leave-out';

/** What a decision is about, where that is less than the series. */
export interface About {
  /** The instance that a `replace` is about. */
  readonly sop?: string;
  /** For what was refused what a `leave-out` leaves out. */
  readonly code?: HeldCode;
}

export interface DecisionOnRecord extends HumanDecision, About {
  readonly decision: SeriesDecision;
}

export interface Resolution {
  readonly seriesInstanceUID: string;
  /** Nothing merges the image sets of this series by itself. */
  readonly keepApart?: HumanDecision;
  /** SOP Instance UIDs whose stored instance gives way to another content. */
  readonly replace?: readonly string[];
  /** All decisions, the oldest first. */
  readonly history: readonly DecisionOnRecord[];
}

interface ResolutionDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string };
}

export const readResolution = async (
  deps: ResolutionDeps,
  seriesInstanceUID: string,
): Promise<Resolution | undefined> =>
  (await readJson<Resolution>(deps.objects, deps.settings.workBucket, workKeys.resolution(seriesInstanceUID)))
    ?.value;

/** `keep-apart` and `undo` stop automatic merging of the series; `merge-into` ends that; `replace` names an instance. */
export async function recordDecision(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  decision: SeriesDecision,
  by: HumanDecision,
  about: About = {},
): Promise<void> {
  const entry: DecisionOnRecord = { ...by, decision, ...about };
  await change(deps, seriesInstanceUID, (found) => ({
    seriesInstanceUID,
    ...keepApartAfter(decision, by, found?.keepApart),
    replace: [
      ...new Set([...(found?.replace ?? []), ...(about.sop === undefined ? [] : [about.sop])]),
    ].sort(),
    history: onRecord(found?.history ?? [], entry),
  }));
}

/** With the decision, which is there already when it is carried out once more after a break. Pure. */
export function onRecord<T extends HumanDecision & About & { readonly decision: string }>(
  history: readonly T[],
  entry: T,
): readonly T[] {
  const isThere = history.some(
    ({ decision, at, actor, reason, sop, code }) =>
      decision === entry.decision &&
      at === entry.at &&
      actor === entry.actor &&
      reason === entry.reason &&
      sop === entry.sop &&
      code === entry.code,
  );
  return isThere ? history : [...history, entry];
}

/** A replacement was made: the decision is used up. */
export async function useReplacements(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  sops: readonly string[],
): Promise<void> {
  if (sops.length === 0) return;
  await change(deps, seriesInstanceUID, (found) => ({
    ...(found ?? { seriesInstanceUID, history: [] }),
    replace: (found?.replace ?? []).filter((sop) => !sops.includes(sop)),
  }));
}

/** Reads, changes, writes where nobody wrote meanwhile, else again. */
async function change(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  next: (found: Resolution | undefined) => Resolution,
): Promise<void> {
  const location = { bucket: deps.settings.workBucket, key: workKeys.resolution(seriesInstanceUID) };
  for (let tries = 0; tries < 10; tries++) {
    const found = await readJson<Resolution>(deps.objects, location.bucket, location.key);
    try {
      await deps.objects.write(
        location,
        JSON.stringify(next(found?.value)),
        found ? { ifMatch: found.etag } : { ifNoneMatch: '*' },
      );
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  throw new Error('resolution: expected to write it within ten tries, got another writer each time');
}

function keepApartAfter(
  decision: SeriesDecision,
  by: HumanDecision,
  before: HumanDecision | undefined,
): Pick<Resolution, 'keepApart'> {
  if (decision === 'merge-into') return {};
  const keepApart = decision === 'keep-apart' || decision === 'undo' ? by : before;
  return keepApart ? { keepApart } : {};
}
