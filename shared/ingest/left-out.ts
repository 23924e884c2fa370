/** What a person left out: refused objects that are not to come in, and wait for nobody any more. */
import { concurrently } from './concurrently.ts';
import type { HeldCode } from './held-codes.ts';
import { type DecisionOnRecord, type ResolutionDeps, readResolution } from './resolutions.ts';

/** Of a refused object: with which code, of which series, and when. */
export interface Refusal {
  readonly code: HeldCode;
  readonly seriesInstanceUID: string;
  /** End of the ingest that refused it; ISO 8601, UTC. */
  readonly finishedAt: string;
}

const RESOLUTIONS_AT_ONCE = 32;

/** Those that still wait for a decision. */
export async function withoutLeftOut<T>(
  deps: ResolutionDeps,
  found: readonly T[],
  refusalOf: (one: T) => Refusal,
): Promise<T[]> {
  const series = [...new Set(found.map((one) => refusalOf(one).seriesInstanceUID))];
  const read = await concurrently(series, RESOLUTIONS_AT_ONCE, (uid) => readResolution(deps, uid));
  const decisions = new Map(series.map((uid, n) => [uid, read[n]?.history ?? []]));
  return found.filter((one) => {
    const refusal = refusalOf(one);
    return !decisions.get(refusal.seriesInstanceUID)?.some((decision) => isLeftOut(decision, refusal));
  });
}

const isLeftOut = (
  { decision, code, at, since = '', until = at }: DecisionOnRecord,
  refusal: Refusal,
): boolean =>
  decision === 'leave-out' &&
  code === refusal.code &&
  since <= refusal.finishedAt &&
  refusal.finishedAt <= until;
