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
  /** The instance that a `replace` is about, and the refused object (`refusedId`) that takes its place. */
  readonly sop?: string;
  readonly object?: string;
  /** For what was refused what a `leave-out` leaves out. */
  readonly code?: HeldCode;
  /** Of a `leave-out`: when what is meant was refused (ISO 8601, UTC); early decisions mean all that was before them. */
  readonly since?: string;
  readonly until?: string;
}

export interface DecisionOnRecord extends HumanDecision, About {
  readonly decision: SeriesDecision;
}

/** The one content that may take the place of a stored instance. */
export interface Replacement {
  readonly sop: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

export interface Resolution {
  readonly seriesInstanceUID: string;
  /** Nothing merges the image sets of this series by itself. */
  readonly keepApart?: HumanDecision;
  /** What stored instances give way to, one for each; early decisions name the SOP Instance UID alone: any content. */
  readonly replace?: readonly (Replacement | string)[];
  /** All decisions, the oldest first. */
  readonly history: readonly DecisionOnRecord[];
}

export interface ResolutionDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string };
}

export const readResolution = async (
  deps: ResolutionDeps,
  seriesInstanceUID: string,
): Promise<Resolution | undefined> =>
  (await readJson<Resolution>(deps.objects, deps.settings.workBucket, workKeys.resolution(seriesInstanceUID)))
    ?.value;

/**
 * `keep-apart` and `undo` stop automatic merging of the series; `merge-into` ends that; `replace` comes with what it allows,
 * which it does once: carried out again after a break, it does not allow again what was used up.
 */
export async function recordDecision(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  decision: SeriesDecision,
  by: HumanDecision,
  about: About = {},
  allowed?: Replacement,
): Promise<void> {
  const entry: DecisionOnRecord = { ...by, decision, ...about };
  await change(deps, seriesInstanceUID, (found) => {
    const history = onRecord(found?.history ?? [], entry);
    const replace = found?.replace ?? [];
    return {
      seriesInstanceUID,
      ...keepApartAfter(decision, by, found?.keepApart),
      replace:
        allowed === undefined || history === found?.history
          ? replace
          : [...replace.filter((one) => sopOf(one) !== allowed.sop), allowed],
      history,
    };
  });
}

const sopOf = (replacement: Replacement | string) =>
  typeof replacement === 'string' ? replacement : replacement.sop;

/** With the decision, which is there already when it is carried out once more after a break. Pure. */
export function onRecord<T extends HumanDecision & About & { readonly decision: string }>(
  history: readonly T[],
  entry: T,
): readonly T[] {
  const isThere = history.some(
    ({ decision, at, actor, reason, sop, object, code }) =>
      decision === entry.decision &&
      at === entry.at &&
      actor === entry.actor &&
      reason === entry.reason &&
      sop === entry.sop &&
      object === entry.object &&
      code === entry.code,
  );
  return isThere ? history : [...history, entry];
}

/** These were made, or cannot be: they are allowed no longer. */
export async function endReplacements(
  deps: ResolutionDeps,
  seriesInstanceUID: string,
  ended: readonly Pick<Replacement, 'sop' | 'sha256'>[],
): Promise<void> {
  if (ended.length === 0) return;
  const isEnded = (one: Replacement | string) =>
    ended.some(({ sop, sha256 }) => sop === sopOf(one) && (typeof one === 'string' || one.sha256 === sha256));
  await change(deps, seriesInstanceUID, (found) => ({
    ...(found ?? { seriesInstanceUID, history: [] }),
    replace: (found?.replace ?? []).filter((one) => !isEnded(one)),
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
