/**
 * Merging the image sets of one series, a step at a time: each call looks at how things stand in HealthImaging, does the
 * next thing that is missing, and says whether to wait. What was decided is written down first and stands, so that a
 * kill between any two calls leaves something that goes on. Sources are deleted only when the destination is complete.
 */
import { NotConsistentYet, NotInDataStore, Throttled } from '../ports/imaging-service.ts';
import { bringOver } from './bring-over.ts';
import { removeSuperseded, rightPatients } from './decided-edits.ts';
import { repointInstances } from './ledger.ts';
import type { Merge } from './merge-decision.ts';
import { journalOf, type MergeDeps, type MergeJournal, type MergeRequest } from './merge-journal.ts';
import { writeOutcome } from './merge-outcome.ts';
import { afterFailure, type Stepped, unlessRefused } from './merge-step.ts';
import { readJson } from './ndjson.ts';
import { promoteDestination } from './promote-destination.ts';
import { missingIn, retireSources } from './retire-sources.ts';
import { workKeys } from './work-keys.ts';

export type Advanced =
  | { readonly status: 'waiting'; readonly waitSeconds: number }
  | { readonly status: 'done'; readonly waitSeconds: 0 };

const WAIT: Advanced = { status: 'waiting', waitSeconds: 1 };
const DONE: Advanced = { status: 'done', waitSeconds: 0 };
/** Steps after which a series that does not come to an end is reported as failed; nothing is deleted then. */
const MAX_STEPS = 400;

/** Milliseconds between two looks within one call: most writes are done in a moment, and a call costs more than a look. */
const LOOKS_MS = [20, 40, 80, 160, 320, 640, 1280, 2000] as const;
/** Pauses of one call in all; its function has two minutes. */
const PAUSES_MS = 10_000;

/** Safe to repeat, and to go on with after a kill. */
export async function advanceMerge(given: MergeDeps, request: MergeRequest): Promise<Advanced> {
  const { workBucket } = given.settings;
  const outcomeKey = workKeys.mergeOutcome(request.executionId, request.seriesInstanceUID);
  if (await readJson(given.objects, workBucket, outcomeKey)) return DONE;
  const journal = await unlessPutOff(() => journalOf(given, request));
  if (!journal) return WAIT;
  if ('status' in journal) return journal;
  let looks = 0;
  const deps = onWrites(given, () => {
    looks = 0; // what was begun may be done soon
  });
  for (let pausedMs = 0; pausedMs < PAUSES_MS; looks++) {
    const advanced = await unlessPutOff(() => advanceOnce(deps, request, journal));
    if (advanced.status === 'done' || advanced.waitSeconds > 1) return advanced;
    const pauseMs = LOOKS_MS[Math.min(looks, LOOKS_MS.length - 1)] ?? 0;
    await deps.clock.sleep(pauseMs);
    pausedMs += pauseMs;
  }
  return WAIT;
}

const WRITES = ['update', 'removeInstances', 'copy', 'promote', 'delete'] as const;

/** The same ports; `note` is called when a write has begun. */
function onWrites(deps: MergeDeps, note: () => void): MergeDeps {
  const noted = WRITES.map((name) => {
    const write = deps.imaging[name] as (...args: unknown[]) => Promise<unknown>;
    return [
      name,
      async (...args: unknown[]) => {
        const answer = await write(...args);
        note();
        return answer;
      },
    ];
  });
  return { ...deps, imaging: { ...deps.imaging, ...Object.fromEntries(noted) } };
}

async function advanceOnce(deps: MergeDeps, request: MergeRequest, journal: MergeJournal): Promise<Advanced> {
  const failures = await advanceAll(deps, request, journal);
  if (failures === 'wait') return WAIT;
  await writeOutcome(deps, request, journal, failures);
  return DONE;
}

/** What the service puts off is tried again by the next call. */
async function unlessPutOff<T>(step: () => Promise<T>): Promise<T | Advanced> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Throttled) return { status: 'waiting', waitSeconds: 4 };
    if (error instanceof NotConsistentYet || error instanceof NotInDataStore)
      return { status: 'waiting', waitSeconds: 2 };
    throw error;
  }
}

/** Why each of the journal's merges failed, undefined where it did not; 'wait' as long as one is under way. */
async function advanceAll(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
): Promise<'wait' | (string | undefined)[]> {
  const all = (failure: string | undefined) =>
    journal.merges.length === 0 && failure !== undefined ? [failure] : journal.merges.map(() => failure);
  if (request.step > MAX_STEPS) return all('it did not come to an end');
  const first = await unlessRefused(async () => {
    const patients = await rightPatients(deps, journal);
    return patients === 'done' ? removeSuperseded(deps, journal) : patients;
  });
  if (first !== 'done') return first === 'wait' ? 'wait' : all(first.failure);
  const failures: (string | undefined)[] = [];
  for (const merge of journal.merges) {
    const stepped = await advanceOne(deps, request, journal, merge);
    if (stepped === 'wait') return 'wait';
    failures.push(stepped === 'done' ? undefined : stepped.failure);
  }
  return failures;
}

/** One destination with its sources: aligns, copies, verifies, promotes where decided, deletes. */
async function advanceOne(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  merge: Merge,
): Promise<Stepped> {
  const series = request.seriesInstanceUID;
  const destination = await deps.imaging.imageSet(merge.destination);
  if (destination?.state === 'LOCKED') return 'wait';
  // A promoted destination is deleted last; what remained to do then was done.
  if (destination) {
    const to = await deps.imaging.metadata(merge.destination);
    const isForced = merge.isForced === true;
    for (const source of merge.sources) {
      const brought = await unlessRefused(() =>
        bringOver(deps, journal, { ...source, isForced }, destination, to),
      );
      if (brought !== 'done') return brought;
    }
    const missing = missingIn(journal, merge, to);
    if (missing > 0) return afterFailure(`the destination lacks ${missing} instances as they were`);
    await repointInstances(deps, series, journal.before, merge);
  }
  const promoted = await promoteDestination(deps, request, journal, merge);
  if (promoted === 'wait') return 'wait';
  if (!destination && promoted.destination === merge.destination)
    return afterFailure('the destination is gone');
  return retireSources(deps, request, journal, promoted);
}
