/**
 * What PlanImport decides about the patients of one study (design sections 2.4 and 3, "Duplicates and conflicts"): over
 * every identity at once, in the light of what is stored and of what a person decided. Pure.
 */
import {
  differingKeywords,
  type Identity,
  identityClasses,
  identityDigest,
  patientKey,
  sameIdentity,
} from './identity.ts';
import { type PatientDecision, standingIdentity } from './patient-decisions.ts';

/**
 * One identity may come in, maybe kept apart from another one's image sets, or it is held back. `keywords`: in what it
 * differs from the others; `because`: why a person's decision could not be followed.
 */
export type IdentityDecision =
  | { readonly accepted: true; readonly keptApartBy: readonly string[] }
  | { readonly accepted: false; readonly keywords: readonly string[]; readonly because?: string };

interface Incoming {
  readonly identity: Identity;
  readonly instances: number;
}

/** Why another patient cannot come into today's service beside the first one. */
export const WOULD_BE_JOINED =
  'HealthImaging groups by PatientID and UIDs only, and would join it to the image set of the other patient';

/**
 * `stored`: what the ledger and the data store hold for the study; `incoming`: each distinct identity of the upload with
 * its number of instances. With nothing stored no side is silently the right one: 2024 makes image sets of their own for
 * each; today's service would join them, so that all but the largest group are held back, and all of them when none is
 * the largest. A person may have said that some are one patient, or that one of them is another's.
 */
export function decideIdentities(
  stored: readonly Identity[],
  incoming: readonly Incoming[],
  profile: 'current' | '2024',
  human?: PatientDecision,
): Map<string, IdentityDecision> {
  const others = new Set((human?.apart ?? []).map(patientKey));
  const isOther = (identity: Identity) => others.has(patientKey(identity));
  const known = stored.map((identity) => standingIdentity(human, identity));
  const given = incoming.map((one) => ({ ...one, stands: standingIdentity(human, one.identity) }));
  const [apart, rest] = [
    given.filter((one) => isOther(one.stands)),
    given.filter((one) => !isOther(one.stands)),
  ];
  const standing = decideStanding(
    known.filter((identity) => !isOther(identity)),
    rest.map(({ stands, instances }) => ({ identity: stands, instances })),
    profile,
  );
  const isJoining = profile === 'current';
  const decisions = new Map<string, IdentityDecision>();
  const accepted: Identity[] = [];
  for (const { identity, stands } of rest) {
    const decision = standing.get(identityDigest(stands)) as IdentityDecision;
    const isIn = isJoining ? unlessJoined(stands, known, decision) : decision;
    if (isIn.accepted) accepted.push(stands);
    decisions.set(identityDigest(identity), isIn);
  }
  const beside = [...known, ...accepted, ...apart.map(({ stands }) => stands)];
  for (const { identity, stands } of apart) {
    const keptApartBy = differingKeywords([stands, ...beside]);
    const decision: IdentityDecision = { accepted: true, keptApartBy };
    decisions.set(identityDigest(identity), isJoining ? unlessJoined(stands, beside, decision) : decision);
  }
  return decisions;
}

/** As today's service compares, or more broadly: what might be one PatientID to it is one to us. */
const groupOf = ({ patientID }: Identity) => patientID.trim().toUpperCase();

/** Those of `beside` that today's service would put into one image set with this one. Pure. */
export const joinedWith = (identity: Identity, beside: readonly Identity[]): Identity[] =>
  beside.filter((other) => groupOf(other) === groupOf(identity) && !sameIdentity([other, identity]));

/** Nothing comes in that today's service would join to another patient's image set, whoever decided what. */
function unlessJoined(
  identity: Identity,
  beside: readonly Identity[],
  decision: IdentityDecision,
): IdentityDecision {
  const joined = decision.accepted ? joinedWith(identity, beside) : [];
  if (joined.length === 0) return decision;
  return { accepted: false, keywords: differingKeywords([identity, ...joined]), because: WOULD_BE_JOINED };
}

/** The decision without a person's word about other patients. */
function decideStanding(
  stored: readonly Identity[],
  incoming: readonly Incoming[],
  profile: 'current' | '2024',
): Map<string, IdentityDecision> {
  const decisions = new Map<string, IdentityDecision>();
  const decide = (identities: readonly Identity[], decision: IdentityDecision) => {
    for (const identity of identities) decisions.set(identityDigest(identity), decision);
  };
  const storedPatients = identityClasses(stored);
  const isNew = storedPatients.length === 0;
  for (const patient of isNew ? [[]] : storedPatients) {
    const fitting = incoming.filter(({ identity }) => sameIdentity([...patient, identity]));
    contend(isNew ? incoming : fitting, (rivals, winner) => {
      if (rivals.length === 0) decide(winner, { accepted: true, keptApartBy: [] });
      else if (isNew && profile === '2024')
        decide(winner, { accepted: true, keptApartBy: differingKeywords([...winner, ...rivals]) });
      else decide(winner, { accepted: false, keywords: differingKeywords([...winner, ...rivals]) });
    });
  }
  for (const { identity } of incoming)
    if (!decisions.has(identityDigest(identity)))
      decide([identity], { accepted: false, keywords: differingKeywords([...stored, identity]) });
  return decisions;
}

/** Calls back for each patient among the candidates, with the others that are as many or more. */
function contend(
  candidates: readonly Incoming[],
  each: (rivals: readonly Identity[], patient: readonly Identity[]) => void,
): void {
  const patients = identityClasses(candidates.map((candidate) => candidate.identity));
  const size = (patient: readonly Identity[]) =>
    candidates.reduce((sum, c) => sum + (patient.includes(c.identity) ? c.instances : 0), 0);
  for (const patient of patients) {
    const rivals = patients.filter((other) => other !== patient && size(other) >= size(patient));
    each(rivals.flat(), patient);
  }
}
