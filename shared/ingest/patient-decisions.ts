/**
 * What people decided about the patients of a study (docs/decisions/0013): that several identities are one patient, and
 * which of them stands; or that an identity is another patient's, whose image sets stay apart. The record has who, when,
 * why and the digests of all identities; values only of those that are needed to carry it out.
 */

import type { DicomJson, MetadataEdits } from '../ports/imaging-service.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { type Identity, identityDigest, patientKey } from './identity.ts';
import { readJson } from './ndjson.ts';
import { type HumanDecision, onRecord } from './resolutions.ts';
import { workKeys } from './work-keys.ts';

/** `stands` is the right identity, `of` are all of them. */
export interface OnePatient {
  readonly stands: Identity;
  readonly of: readonly Identity[];
  /** What was decided before it, and still holds. */
  readonly before?: OnePatient;
}

export interface PatientDecision {
  readonly studyInstanceUID: string;
  /** What was decided last about one patient under several identities. */
  readonly one?: OnePatient;
  /** Identities of other patients, which may come in, kept apart. */
  readonly apart: readonly Identity[];
  /** All decisions, the oldest first; identities as digests. */
  readonly history: readonly PatientDecisionOnRecord[];
}

export interface PatientDecisionOnRecord extends HumanDecision {
  readonly decision: 'one-patient' | 'other-patients' | 'undo';
  readonly stands?: string;
  readonly of: readonly string[];
}

interface DecisionDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string };
}

export const patientDecisionOf = async (
  deps: DecisionDeps,
  studyInstanceUID: string,
): Promise<PatientDecision | undefined> =>
  (
    await readJson<PatientDecision>(
      deps.objects,
      deps.settings.workBucket,
      workKeys.patientDecision(studyInstanceUID),
    )
  )?.value;

/**
 * Several identities are one patient; who was decided to be one of them before still is. The same decision again, after a
 * break, finds image sets that it corrected: the identities that they had are still meant.
 */
export const recordOnePatient = (
  deps: DecisionDeps,
  study: string,
  one: { readonly stands: Identity; readonly of: readonly Identity[] },
  by: HumanDecision,
): Promise<void> =>
  change(deps, study, (found) => {
    const history = onRecord(found?.history ?? [], {
      ...by,
      decision: 'one-patient',
      stands: identityDigest(one.stands),
      of: one.of.map(identityDigest).sort(),
    });
    const isAgain = history === found?.history;
    const earlier = isAgain ? found?.one?.of : undefined;
    const before = isAgain ? found?.one?.before : found?.one;
    const of = [...new Map([...(earlier ?? []), ...one.of].map((each) => [patientKey(each), each])).values()];
    const keys = new Set(of.map(patientKey));
    return {
      studyInstanceUID: study,
      one: { stands: one.stands, of, ...(before ? { before } : {}) },
      apart: (found?.apart ?? []).filter((identity) => !keys.has(patientKey(identity))),
      history,
    };
  });

/** These identities are other patients', whatever was decided about them before. */
export const recordOtherPatients = (
  deps: DecisionDeps,
  study: string,
  others: readonly Identity[],
  by: HumanDecision,
): Promise<void> =>
  change(deps, study, (found) => {
    const all = new Map(
      [...(found?.apart ?? []), ...others].map((identity) => [patientKey(identity), identity]),
    );
    const one = withoutPatients(found?.one, new Set(others.map(patientKey)));
    return {
      studyInstanceUID: study,
      ...(one ? { one } : {}),
      apart: [...all.values()],
      history: onRecord(found?.history ?? [], {
        ...by,
        decision: 'other-patients',
        of: others.map(identityDigest).sort(),
      }),
    };
  });

/** What is left of what was decided when these are other patients. Pure. */
function withoutPatients(one: OnePatient | undefined, keys: ReadonlySet<string>): OnePatient | undefined {
  if (!one) return undefined;
  const before = withoutPatients(one.before, keys);
  const of = one.of.filter((identity) => !keys.has(patientKey(identity)));
  if (of.length < 2 || keys.has(patientKey(one.stands))) return before;
  return { stands: one.stands, of, ...(before ? { before } : {}) };
}

/** What was decided last holds no longer; the record stays. */
export const withdrawPatientDecision = (
  deps: DecisionDeps,
  study: string,
  by: HumanDecision,
): Promise<void> =>
  change(deps, study, (found) => {
    const history = onRecord(found?.history ?? [], { ...by, decision: 'undo', of: [] });
    // One undo takes back one decision, over however many series it went.
    const one = history === found?.history ? found.one : found?.one?.before;
    return { studyInstanceUID: study, ...(one ? { one } : {}), apart: found?.apart ?? [], history };
  });

/** The identity that stands for this one: itself, unless a person decided that it is a spelling of another. Pure. */
export function standingIdentity(decision: PatientDecision | undefined, identity: Identity): Identity {
  const one = decision?.one;
  if (!one) return identity;
  const stood = standingIdentity({ ...decision, one: one.before } as PatientDecision, identity);
  const key = patientKey(stood);
  return one.of.some((other) => patientKey(other) === key) ? one.stands : stood;
}

const ELEMENTS = [
  ['PatientID', 'patientID'],
  ['IssuerOfPatientID', 'issuerOfPatientID'],
  ['PatientBirthDate', 'birthDate'],
  ['PatientSex', 'sex'],
  ['PatientName', 'name'],
] as const satisfies readonly (readonly [string, keyof Identity])[];

/** The identity as a metadata document holds it. */
export function identityOf(patient: Readonly<Record<string, unknown>>): Identity {
  const text = (keyword: string) => (typeof patient[keyword] === 'string' ? patient[keyword] : '');
  return Object.fromEntries(
    ELEMENTS.map(([keyword, field]) => [field, text(keyword)]),
  ) as unknown as Identity;
}

/**
 * What makes the patient level of a document the decided one, and the level as it is then; undefined when it is that, or
 * another patient. Pure.
 */
export function correctionOf(
  decision: PatientDecision,
  patient: DicomJson,
): { edits: MetadataEdits; patient: DicomJson } | undefined {
  const identity = identityOf(patient);
  const stands = standingIdentity(decision, identity);
  if (patientKey(stands) === patientKey(identity)) return undefined;
  const set: Record<string, unknown> = {};
  const remove: string[] = [];
  for (const [keyword, field] of ELEMENTS) {
    if (stands[field] === identity[field]) continue;
    if (stands[field] === '') remove.push(keyword);
    else set[keyword] = stands[field];
  }
  const after = Object.fromEntries(
    Object.entries({ ...patient, ...set }).filter(([keyword]) => !remove.includes(keyword)),
  );
  return {
    patient: after,
    edits: {
      set: { Patient: set, Study: {}, Series: {} },
      remove: { Patient: remove, Study: [], Series: [] },
    },
  };
}

/** Reads, changes, writes where nobody wrote meanwhile, else again. */
async function change(
  deps: DecisionDeps,
  study: string,
  next: (found: PatientDecision | undefined) => PatientDecision,
): Promise<void> {
  const location = { bucket: deps.settings.workBucket, key: workKeys.patientDecision(study) };
  for (let tries = 0; tries < 10; tries++) {
    const found = await readJson<PatientDecision>(deps.objects, location.bucket, location.key);
    const condition = found ? { ifMatch: found.etag } : { ifNoneMatch: '*' as const };
    try {
      await deps.objects.write(location, JSON.stringify(next(found?.value)), condition);
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  throw new Error('patient decision: expected to write it within ten tries, got another writer each time');
}
