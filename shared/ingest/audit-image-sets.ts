/**
 * The daily audit: a sample of the image sets, another one each day, is proven again as it is stored. Reads only, but
 * for the tag on what cannot be proven. Ends in time for its function, and says whether it came to the end.
 */
import type { ImageSetLister } from '../ports/imaging-service.ts';
import { sha256 } from './digest.ts';
import { readSeries } from './ledger.ts';
import { verifyImageSets, type WalkedImageSet } from './verify-datastore.ts';
import type { VerifyDeps } from './verify-frames.ts';
import type { VerifyProblem } from './verify-image-set.ts';
import { addCounts, type FrameCounts, NO_FRAMES } from './verify-lines.ts';

export interface AuditDeps extends VerifyDeps {
  readonly imaging: VerifyDeps['imaging'] & ImageSetLister;
  /** One line for each image set that differs: UIDs, codes and numbers. */
  readonly log: (line: string) => void;
}

export interface Audit {
  readonly imageSets: number;
  readonly counts: FrameCounts;
  readonly problems: number;
  /** False where the time ended before the sample did. */
  readonly isWhole: boolean;
}

/** No image set is begun after so long; the function has 15 minutes. */
const BUDGET_MS = 10 * 60_000;
const SHOWN_PROBLEMS = 10;

/** Safe to repeat: on one day the same image sets are drawn. */
export async function auditImageSets(deps: AuditDeps): Promise<Audit> {
  const { auditPercent } = deps.settings;
  let audit: Audit = { imageSets: 0, counts: NO_FRAMES, problems: 0, isWhole: true };
  if (auditPercent === 0) return audit;
  const startedAt = deps.clock.now();
  const day = new Date(startedAt).toISOString().slice(0, 10);

  async function* drawn(): AsyncGenerator<WalkedImageSet> {
    for await (const imageSet of deps.imaging.listImageSets()) {
      if (deps.clock.now() - startedAt > BUDGET_MS) {
        audit = { ...audit, isWhole: false };
        return;
      }
      if (isDrawn(imageSet.imageSetId, day, auditPercent)) yield imageSet;
    }
  }

  const knownInstances = async (series: string) => (await readSeries(deps, series))?.instances;
  await verifyImageSets(
    { ...deps, knownInstances },
    drawn(),
    { percent: 100, seed: day },
    async ({ imageSetId }, verified) => {
      if (!verified) return;
      audit = {
        ...audit,
        imageSets: audit.imageSets + 1,
        counts: addCounts(audit.counts, verified.counts),
        problems: audit.problems + verified.problems.length,
      };
      if (verified.problems.length > 0) await tell(deps, imageSetId, verified.problems);
    },
  );
  return audit;
}

function isDrawn(imageSetId: string, day: string, percent: number): boolean {
  return Number.parseInt(sha256(`${day}/${imageSetId}`).slice(0, 8), 16) / 2 ** 32 < percent / 100;
}

async function tell(deps: AuditDeps, imageSetId: string, problems: readonly VerifyProblem[]): Promise<void> {
  const shown = problems
    .slice(0, SHOWN_PROBLEMS)
    .map(({ sop, frame, code, what }) => ({ sop, frame, code, what }));
  deps.log(JSON.stringify({ audit: 'differs', imageSetId, problems: problems.length, shown }));
  const imageSet = await deps.imaging.imageSet(imageSetId);
  if (imageSet) await deps.imaging.tag(imageSet.arn, { 'isocenter:unverified': 'true' });
}
