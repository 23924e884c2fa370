/**
 * The daily audit: a part of the image sets, another one each day until all were drawn, is proven again as it is stored
 * and against the staged copies that are still there. Writes only the tag on what cannot be proven, and its own place.
 * Ends in time for its function, says whether it came to the end, and goes on there the next day.
 */
import type { ImageSetLister } from '../ports/imaging-service.ts';
import {
  type AuditCursor,
  createWatermark,
  isDigestInWindow,
  isInWindow,
  nextWindow,
  readCursor,
  writeCursor,
} from './audit-cursor.ts';
import { readSeries } from './ledger.ts';
import { missingOf, seriesLedgers } from './missing-image-sets.ts';
import { openStaged } from './open-source.ts';
import { sumOfUnproven } from './unproven-instance.ts';
import { verifyImageSets, type WalkedImageSet } from './verify-datastore.ts';
import type { VerifyDeps } from './verify-frames.ts';
import type { VerifiedImageSet, VerifyProblem } from './verify-image-set.ts';
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
  /** Frames with nothing to prove them by; the same ones each time, so no problem of the day. */
  readonly unproven: number;
  /** False where the time ended before the sample did. */
  readonly isWhole: boolean;
}

/** No image set is begun after so long; the function has 15 minutes. */
const BUDGET_MS = 10 * 60_000;
/** How often it is noted how far the walk has come: what ends the function early loses no more. */
const NOTE_EVERY_MS = 30_000;
const SHOWN_PROBLEMS = 10;

/** Safe to repeat: until the window is done, the same image sets are drawn. */
export async function auditImageSets(deps: AuditDeps): Promise<Audit> {
  const { auditPercent } = deps.settings;
  let audit: Audit = { imageSets: 0, counts: NO_FRAMES, problems: 0, unproven: 0, isWhole: true };
  if (auditPercent === 0) return audit;
  const startedAt = deps.clock.now();
  const cursor = await readCursor(deps);
  const walk = createWatermark();
  let notedAt = startedAt;

  async function* drawn(): AsyncGenerator<WalkedImageSet> {
    const { createdFrom } = cursor;
    for await (const imageSet of deps.imaging.listImageSets(createdFrom ? { createdFrom } : {})) {
      if (deps.clock.now() - startedAt > BUDGET_MS) {
        audit = { ...audit, isWhole: false };
        return;
      }
      if (!isInWindow(cursor, auditPercent, imageSet.imageSetId)) continue;
      walk.begin(imageSet.imageSetId, imageSet.createdAt);
      yield imageSet;
    }
  }

  const reached = (): AuditCursor => {
    const createdFrom = walk.reached();
    return createdFrom ? { ...cursor, createdFrom } : cursor;
  };

  await verifyImageSets(
    {
      ...deps,
      knownInstances: async (series) => (await readSeries(deps, series))?.instances,
      openStaged: (recorded) => openStaged(deps.objects, deps.settings.workBucket, recorded),
    },
    drawn(),
    { percent: 100, seed: '' },
    async ({ imageSetId }, verified) => {
      if (verified) audit = withImageSet(audit, verified);
      if (verified && verified.problems.length > 0) await tell(deps, imageSetId, verified.problems);
      walk.end(imageSetId);
      if (deps.clock.now() - notedAt < NOTE_EVERY_MS) return;
      notedAt = deps.clock.now();
      await writeCursor(deps, reached());
    },
  );
  if (audit.isWhole) audit = await withMissing(deps, audit, cursor);
  await writeCursor(deps, audit.isWhole ? nextWindow(cursor, auditPercent) : reached());
  return audit;
}

/** Image sets that were imported and are gone altogether: by the ledgers of the series in the window. */
async function withMissing(deps: AuditDeps, audit: Audit, cursor: AuditCursor): Promise<Audit> {
  let { problems } = audit;
  const isWanted = (digest: string) => isDigestInWindow(cursor, deps.settings.auditPercent, digest);
  for await (const series of seriesLedgers(deps, isWanted))
    for await (const problem of missingOf(deps.imaging, series)) {
      problems += 1;
      await tell(deps, problem.imageSetId, [problem]);
    }
  return { ...audit, problems };
}

const withImageSet = (audit: Audit, verified: VerifiedImageSet): Audit => ({
  ...audit,
  imageSets: audit.imageSets + 1,
  counts: addCounts(audit.counts, verified.counts),
  problems: audit.problems + verified.problems.length,
  unproven: audit.unproven + sumOfUnproven(verified.unproven),
});

async function tell(deps: AuditDeps, imageSetId: string, problems: readonly VerifyProblem[]): Promise<void> {
  const shown = problems
    .slice(0, SHOWN_PROBLEMS)
    .map(({ sop, frame, code, what }) => ({ sop, frame, code, what }));
  deps.log(JSON.stringify({ audit: 'differs', imageSetId, problems: problems.length, shown }));
  const imageSet = await deps.imaging.imageSet(imageSetId);
  if (imageSet) await deps.imaging.tag(imageSet.arn, { 'isocenter:unverified': 'true' });
}
