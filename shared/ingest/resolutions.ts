/** What people decided about the image sets of a series, with who, when and why; the pipeline keeps to it. */
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export interface HumanDecision {
  readonly actor: string;
  readonly reason: string;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export interface Resolution {
  readonly seriesInstanceUID: string;
  /** Nothing merges the image sets of this series by itself. */
  readonly keepApart?: HumanDecision;
  /** SOP Instance UIDs whose stored instance gives way to another content. */
  readonly replace?: readonly string[];
  /** All decisions, the oldest first. */
  readonly history: readonly (HumanDecision & { readonly decision: string })[];
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
  decision: 'keep-apart' | 'undo' | 'merge-into' | 'replace',
  by: HumanDecision,
  sop?: string,
): Promise<void> {
  await change(deps, seriesInstanceUID, (found) => ({
    seriesInstanceUID,
    ...keepApartAfter(decision, by, found?.keepApart),
    replace: [...new Set([...(found?.replace ?? []), ...(sop === undefined ? [] : [sop])])].sort(),
    history: isOnRecord(found, decision, by)
      ? (found?.history ?? [])
      : [...(found?.history ?? []), { ...by, decision }],
  }));
}

/** The same decision, carried out once more after a break. */
const isOnRecord = (found: Resolution | undefined, decision: string, by: HumanDecision): boolean =>
  found?.history.some(
    (one) =>
      one.decision === decision && one.at === by.at && one.actor === by.actor && one.reason === by.reason,
  ) === true;

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
  decision: string,
  by: HumanDecision,
  before: HumanDecision | undefined,
): Pick<Resolution, 'keepApart'> {
  if (decision === 'merge-into') return {};
  const keepApart = decision === 'replace' ? before : by;
  return keepApart ? { keepApart } : {};
}
