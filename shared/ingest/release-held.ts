/**
 * Releasing what was refused as another patient's (docs/decisions/0013). A person decides about the identities of one
 * study: either they are one patient, and one of them is the right identity, which stored image sets get now and what
 * comes in gets after its import; or they are different patients, and what was held comes in as image sets of its own,
 * where the service does not join them. Then the held objects go back into the inbox, and the next ingest takes them.
 */
import { concurrently } from './concurrently.ts';
import { joinedWith, WOULD_BE_JOINED } from './decide-identities.ts';
import { differingKeywords, type Identity, identityDigest, patientKey } from './identity.ts';
import { inspectObject } from './inspect.ts';
import { seriesLease, studyLease } from './leases.ts';
import { withoutLeftOut } from './left-out.ts';
import { type MergeDeps, type MergeJournal, readVariants } from './merge-journal.ts';
import { objectSource } from './object-source.ts';
import {
  correctionOf,
  identityOf,
  patientDecisionOf,
  recordOnePatient,
  recordOtherPatients,
} from './patient-decisions.ts';
import { whileHolding } from './process-leases.ts';
import { type RefusedInstance, refusedObjects } from './refused-objects.ts';
import type { HumanDecision } from './resolutions.ts';
import { CannotResolve, carryOut, unlessBusy } from './resolve-series.ts';
import { type Retried, retryObjects } from './retry-objects.ts';
import { workKeys } from './work-keys.ts';

/** One identity of a study. `label` names it without its values. */
export interface PatientView {
  readonly label: string;
  /** Values of a patient: for the eyes of the person who decides, not for logs. */
  readonly identity: Identity;
  readonly imageSets: readonly string[];
  /** Objects that are held back under this identity. */
  readonly held: number;
}

/** What a person looks at before deciding about the patients of a study. */
export interface HeldView {
  readonly studyInstanceUID: string;
  readonly patients: readonly PatientView[];
  /** In what they differ beyond spelling. */
  readonly keywords: readonly string[];
  /** Why what is held cannot come in beside what is stored; absent where it can. */
  readonly mixedUp?: string;
}

export interface Released {
  /** `undo` takes it. */
  readonly resolutionId: string;
  /** Stored image sets whose patient was corrected. */
  readonly corrected: number;
  /** Held objects, put back into the inbox upload by upload. */
  readonly retried: readonly Retried[];
}

interface HeldObject {
  readonly executionId: string;
  readonly key: string;
  readonly seriesInstanceUID: string;
  readonly identity: Identity;
}

interface Study {
  readonly studyInstanceUID: string;
  readonly held: readonly HeldObject[];
  readonly stored: readonly {
    readonly imageSetId: string;
    readonly series: string;
    /** Only today's service has primaries; it is the one that joins. */
    readonly isPrimary: boolean;
    readonly identity: Identity;
  }[];
}

const labelOf = (identity: Identity) => identityDigest(identity).slice(0, 8);

/** Undefined when nothing is held back under the series' study. */
export async function viewHeld(deps: MergeDeps, series: string): Promise<HeldView | undefined> {
  const study = await studyOf(deps, series);
  return study && viewOf(study, deps);
}

function viewOf(study: Study, deps: MergeDeps): HeldView {
  const { studyInstanceUID, held, stored } = study;
  const mixedUp = wouldMix(study, deps);
  const all = [...stored, ...held].map(({ identity }) => identity);
  const distinct = [...new Map(all.map((identity) => [labelOf(identity), identity])).values()];
  return {
    studyInstanceUID,
    keywords: differingKeywords(distinct),
    ...(mixedUp === undefined ? {} : { mixedUp }),
    patients: distinct.map((identity) => ({
      label: labelOf(identity),
      identity,
      imageSets: stored
        .filter((set) => labelOf(set.identity) === labelOf(identity))
        .map((set) => set.imageSetId),
      held: held.filter((object) => labelOf(object.identity) === labelOf(identity)).length,
    })),
  };
}

/** Which series' study; `study` names it for a decision that goes on after a break, when nothing may be held any more. */
interface Request {
  readonly series: string;
  readonly study?: string | undefined;
  /** Labels of the patients that the person looked at: nobody decides about another one. */
  readonly seen: readonly string[];
  readonly resolutionId: string;
}

/** All of these are one patient, and the identity of that label is right. Throws CannotResolve. */
export async function releaseAsOnePatient(
  deps: MergeDeps,
  request: Request & { readonly label: string },
  by: HumanDecision,
): Promise<Released> {
  const { label, resolutionId } = request;
  return holdingStudy(deps, request, by, async (study) => {
    const all = viewOf(study, deps).patients.map(({ identity }) => identity);
    const stands = all.filter((identity) => labelOf(identity) === label);
    if (stands.length !== 1)
      throw new CannotResolve(`patient ${label}: expected one of ${all.map(labelOf).join(', ')}`);
    const journals = await correctionJournals(deps, study, stands[0]!, { resolutionId, by });
    await recordOnePatient(deps, study.studyInstanceUID, { stands: stands[0]!, of: all }, by);
    const outcomes = await carryOut(deps, resolutionId, journals);
    const failed = outcomes.flatMap(({ reports }) => reports).filter(({ outcome }) => outcome === 'failed');
    if (failed[0])
      throw new CannotResolve(
        `series ${failed[0].seriesInstanceUID}: ${failed[0].reason}; ${failed.length} of ${journals.length} series could not be corrected, and nothing came in. The decision is on record: make it again to go on, or another one`,
      );
    const corrected = journals.reduce((n, journal) => n + Object.keys(journal.corrections ?? {}).length, 0);
    return { resolutionId, corrected, retried: await putBack(deps, study.held) };
  });
}

/** What is held is of other patients, and may come in beside what is stored. Throws CannotResolve. */
export async function releaseAsOtherPatients(
  deps: MergeDeps,
  request: Request,
  by: HumanDecision,
): Promise<Released> {
  const { resolutionId } = request;
  return holdingStudy(deps, request, by, async (study) => {
    const mixedUp = wouldMix(study, deps);
    if (mixedUp !== undefined) throw new CannotResolve(mixedUp);
    await recordOtherPatients(deps, study.studyInstanceUID, heldPatients(study), by);
    return { resolutionId, corrected: 0, retried: await putBack(deps, study.held) };
  });
}

const heldPatients = ({ held }: Study): Identity[] => [
  ...new Map(held.map(({ identity }) => [patientKey(identity), identity])).values(),
];

/** Why the service would put what is held into another patient's image set, or undefined where it would not. */
function wouldMix(study: Study, { settings }: MergeDeps): string | undefined {
  const others = heldPatients(study);
  const beside = [...study.stored.map(({ identity }) => identity), ...others];
  const isJoining =
    study.stored.some((set) => set.isPrimary) ||
    (study.stored.length === 0 && settings.constraintProfile === 'current');
  return isJoining && others.some((identity) => joinedWith(identity, beside).length > 0)
    ? `${WOULD_BE_JOINED}; have PatientID or the UIDs corrected at the source`
    : undefined;
}

/** With the leases of the study and of all its series, as an ingest takes them; the objects go back after that. */
async function holdingStudy(
  deps: MergeDeps,
  { series, study: asked, seen, resolutionId }: Request,
  by: HumanDecision,
  decide: (study: Study) => Promise<Released>,
): Promise<Released> {
  const found = await studyOf(deps, series);
  if (!found && asked !== undefined && (await isDecided(deps, asked, by)))
    return { resolutionId, corrected: 0, retried: [] };
  if (!found) throw new CannotResolve('no object waits for a decision about the patients of this study');
  const all = [
    series,
    ...found.stored.map((set) => set.series),
    ...found.held.map((held) => held.seriesInstanceUID),
  ];
  const names = [studyLease(found.studyInstanceUID), ...all.map(seriesLease)];
  const leaseDeps = { ...deps, workBucket: deps.settings.workBucket };
  return unlessBusy(() =>
    whileHolding(leaseDeps, names, resolutionId, async () => {
      const study = await studyOf(deps, series);
      if (!study) throw new CannotResolve('somebody was faster: nothing is held back any more');
      const unseen = viewOf(study, deps).patients.filter(({ label }) => !seen.includes(label));
      if (unseen[0]) throw new CannotResolve(`patient ${unseen[0].label} came meanwhile: look again`);
      return decide(study);
    }),
  );
}

/** This very decision is on record: what was held went back before a break. */
async function isDecided(deps: MergeDeps, study: string, by: HumanDecision): Promise<boolean> {
  const { history = [] } = (await patientDecisionOf(deps, study)) ?? {};
  return history.some(({ at, actor, reason }) => at === by.at && actor === by.actor && reason === by.reason);
}

/** Objects whose heads are read at once. */
const HEADS_AT_ONCE = 16;

async function studyOf(deps: MergeDeps, series: string): Promise<Study | undefined> {
  const studyInstanceUID = await studyWithHeld(deps, series);
  if (studyInstanceUID === undefined) return undefined;
  const refused: RefusedInstance[] = [];
  const isMeant = (line: RefusedInstance['line']) => line.studyInstanceUID === studyInstanceUID;
  for await (const one of refusedObjects(deps, 'IdentityConflict', isMeant)) refused.push(one);
  const waiting = await withoutLeftOut(deps, refused, ({ line, finishedAt }) => ({
    code: 'IdentityConflict',
    seriesInstanceUID: line.seriesInstanceUID ?? '',
    finishedAt,
  }));
  if (waiting.length === 0) return undefined;
  const held = await concurrently(waiting, HEADS_AT_ONCE, async ({ executionId, line }) => {
    const identity = await identityOfHeld(deps, executionId, line.key);
    return (
      identity && { executionId, key: line.key, seriesInstanceUID: line.seriesInstanceUID ?? '', identity }
    );
  });
  return {
    studyInstanceUID,
    held: held.filter((one) => one !== undefined),
    stored: await storedSets(deps, studyInstanceUID),
  };
}

async function studyWithHeld(deps: MergeDeps, series: string): Promise<string | undefined> {
  const isMeant = ({ seriesInstanceUID }: RefusedInstance['line']) => seriesInstanceUID === series;
  for await (const { line } of refusedObjects(deps, 'IdentityConflict', isMeant))
    return line.studyInstanceUID;
  return undefined;
}

/** Read again from the object itself: reports and logs have no identities. */
async function identityOfHeld(
  deps: MergeDeps,
  executionId: string,
  key: string,
): Promise<Identity | undefined> {
  const at = { bucket: deps.settings.workBucket, key: workKeys.refused('rejected', executionId, key) };
  const entry = await deps.objects.head(at);
  if (!entry) return undefined;
  const source = objectSource(deps.objects, { ...at, sizeBytes: entry.sizeBytes, etag: entry.etag });
  const verdict = await inspectObject(source, { key, profile: 'current' });
  return verdict.verdict === 'accepted' ? verdict.identity : undefined;
}

async function storedSets(deps: MergeDeps, studyInstanceUID: string): Promise<Study['stored']> {
  const stored: Study['stored'][number][] = [];
  for await (const { imageSetId } of deps.imaging.searchImageSets({ studyInstanceUID })) {
    const { Patient, Study } = await deps.imaging.metadata(imageSetId);
    const isPrimary = (await deps.imaging.imageSet(imageSetId))?.isPrimary === true;
    const identity = identityOf(Patient.DICOM);
    for (const series of Object.keys(Study.Series)) stored.push({ imageSetId, series, isPrimary, identity });
  }
  return stored;
}

/** One journal for each series, whose image sets get the identity that stands; written down before any is changed. */
async function correctionJournals(
  deps: MergeDeps,
  study: Study,
  stands: Identity,
  { resolutionId, by }: { readonly resolutionId: string; readonly by: HumanDecision },
): Promise<MergeJournal[]> {
  const { studyInstanceUID } = study;
  const of = [...study.stored, ...study.held].map(({ identity }) => identity);
  const decision = { studyInstanceUID, one: { stands, of }, apart: [], history: [] };
  const journals: MergeJournal[] = [];
  for (const series of new Set([
    ...study.stored.map((set) => set.series),
    ...study.held.map((h) => h.seriesInstanceUID),
  ])) {
    const found = await readVariants(deps, series);
    if (!found) throw new CannotResolve('an image set is being written to; try again in a moment');
    const corrections = Object.fromEntries(
      found.variants.flatMap(({ imageSetId, metadata }) => {
        const correction = correctionOf(decision, metadata.Patient.DICOM);
        return correction ? [[imageSetId, correction.edits]] : [];
      }),
    );
    journals.push({
      ...{ seriesInstanceUID: series, decidedAt: by.at, merges: [], keptApart: [] },
      ...{ before: found.before, corrections, heldBy: resolutionId, patientsOf: studyInstanceUID },
    });
  }
  return journals;
}

/** Each upload is tried again once. */
async function putBack(deps: MergeDeps, held: readonly HeldObject[]): Promise<Retried[]> {
  const retried: Retried[] = [];
  for (const executionId of new Set(held.map((object) => object.executionId))) {
    const keys = new Set(held.filter((o) => o.executionId === executionId).map((o) => o.key));
    retried.push(await retryObjects(deps, executionId, 'IdentityConflict', keys));
  }
  return retried;
}
