/**
 * What people decided about the patients of a study (docs/decisions/0013): that several identities are one patient, and
 * which of them stands; or that an identity is another patient's, whose image sets stay apart. The record has who, when,
 * why and the digests of all identities; values only of those that are needed to carry it out.
 */

import type { DicomJson, MetadataEdits } from '../ports/imaging-service.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import { NoSuchObject, PreconditionFailed } from '../ports/object-store.ts';
import { differingKeywords, type Identity, identityDigest, patientKey } from './identity.ts';
import { readJson } from './ndjson.ts';
import { type HumanDecision, onRecord } from './resolutions.ts';
import { workKeys } from './work-keys.ts';

export interface PatientDecision {
  readonly studyInstanceUID: string;
  /** One patient under several identities: `stands` is the right one, `of` are all of them. */
  readonly one?: { readonly stands: Identity; readonly of: readonly Identity[] };
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
 * Several identities are one patient; who was decided to be one of them before still is: an identity that no image set has
 * any more, since it was corrected, is known to the ledger.
 */
export const recordOnePatient = (
  deps: DecisionDeps,
  study: string,
  one: { readonly stands: Identity; readonly of: readonly Identity[] },
  by: HumanDecision,
): Promise<void> =>
  change(deps, study, (found) => {
    const of = joinedIdentities(found?.one?.of ?? [], one.of);
    const keys = new Set(of.map(patientKey));
    return {
      studyInstanceUID: study,
      one: { stands: one.stands, of },
      apart: (found?.apart ?? []).filter((identity) => !keys.has(patientKey(identity))),
      history: onRecord(found?.history ?? [], {
        ...by,
        decision: 'one-patient',
        stands: identityDigest(one.stands),
        of: one.of.map(identityDigest).sort(),
      }),
    };
  });

/** The later ones, and the earlier ones where they have a patient in common. Pure. */
function joinedIdentities(earlier: readonly Identity[], later: readonly Identity[]): readonly Identity[] {
  const keys = new Set(later.map(patientKey));
  if (!earlier.some((identity) => keys.has(patientKey(identity)))) return later;
  return [...later, ...earlier.filter((identity) => !keys.has(patientKey(identity)))];
}

/** These identities are other patients'. */
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
    return {
      ...(found ?? {}),
      studyInstanceUID: study,
      apart: [...all.values()],
      history: onRecord(found?.history ?? [], {
        ...by,
        decision: 'other-patients',
        of: others.map(identityDigest).sort(),
      }),
    };
  });

/** What was decided holds no longer; the record stays. */
export const withdrawPatientDecision = (
  deps: DecisionDeps,
  study: string,
  by: HumanDecision,
): Promise<void> =>
  change(deps, study, (found) => ({
    studyInstanceUID: study,
    apart: found?.apart ?? [],
    history: [...(found?.history ?? []), { ...by, decision: 'undo', of: [] }],
  }));

/** The identity that stands for this one: itself, unless a person decided that it is a spelling of another. Pure. */
export function standingIdentity(decision: PatientDecision | undefined, identity: Identity): Identity {
  const one = decision?.one;
  if (!one) return identity;
  const key = patientKey(identity);
  return one.of.some((other) => patientKey(other) === key) ? one.stands : identity;
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

/** In what they differ; keywords only. */
export const patientKeywords = (identities: readonly Identity[]): string[] => differingKeywords(identities);

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
