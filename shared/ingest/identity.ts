/**
 * Patient identity (design sections 2.4 and 3): when two are one patient but for spelling, decided over a whole set at
 * once and never pairwise, so that 1 ~ empty ~ 2 does not chain. Pure; values never leave in messages, only keywords.
 */
import { sha256 } from './digest.ts';

export interface Identity {
  readonly patientID: string;
  readonly issuerOfPatientID: string;
  readonly birthDate: string;
  readonly sex: string;
  readonly name: string;
}

/** Trailing padding only: PS3.5 6.2 lets LO be padded; case counts. */
const unpadded = (value: string) => value.replace(/[ \0]+$/, '');
/** A date without the separators of the old form. */
export const dateForm = (value: string): string =>
  unpadded(value)
    .replace(/[.\-/]/g, '')
    .trim();
export const sexForm = (value: string): string => value.trim().toUpperCase();

/** One letter for one letter: as a word in capitals, ß would be SS, and Strauß and Strauss one name. */
const withoutCase = (text: string) =>
  [...text]
    .map((letter) => letter.toLowerCase())
    .join('')
    .replace(/ς/g, 'σ');

/** PS3.5 6.2: alphabetic=ideographic=phonetic, each of five components; case, padding and empty trailing ones are spelling. */
export function nameGroups(name: string): [string, string, string] {
  const group = (text: string) =>
    text
      .split('^')
      .map((component) => withoutCase(component.trim().replace(/\s+/g, ' ')))
      .join('^')
      .replace(/\^+$/, '');
  const [alphabetic = '', ideographic = '', phonetic = ''] = unpadded(name).split('=').map(group);
  return [alphabetic, ideographic, phonetic];
}

/** The parts that must be equal, empty or not. */
const firmKey = (identity: Identity) =>
  JSON.stringify([
    unpadded(identity.patientID),
    unpadded(identity.issuerOfPatientID),
    nameGroups(identity.name)[0],
  ]);

/** The parts that may be missing on one side: birth date, sex, ideographic and phonetic name. */
const looseParts = (identity: Identity): string[] => {
  const [, ideographic, phonetic] = nameGroups(identity.name);
  return [dateForm(identity.birthDate), sexForm(identity.sex), ideographic, phonetic];
};

/** Equal for what is one patient whatever else is known: all parts agree, empty ones with empty ones. */
export const patientKey = (identity: Identity): string =>
  JSON.stringify([firmKey(identity), looseParts(identity)]);

/** Equal in spelling too. */
export const identityDigest = (identity: Identity): string =>
  sha256(
    JSON.stringify([
      identity.patientID,
      identity.issuerOfPatientID,
      identity.birthDate,
      identity.sex,
      identity.name,
    ]),
  );

/** Whether all of them are one patient, but for spelling. True for none and one. */
export function sameIdentity(identities: readonly Identity[]): boolean {
  const [first] = identities;
  if (first === undefined) return true;
  if (identities.some((identity) => firmKey(identity) !== firmKey(first))) return false;
  return isLooselyEqual(identities);
}

function isLooselyEqual(identities: readonly Identity[]): boolean {
  const parts = identities.map(looseParts);
  return [0, 1, 2, 3].every((i) => new Set(parts.map((p) => p[i]).filter((v) => v !== '')).size <= 1);
}

/** Keywords in which the identities differ beyond spelling; for messages and reports. */
export function differingKeywords(identities: readonly Identity[]): string[] {
  const distinct = (of: (identity: Identity) => string) => new Set(identities.map(of)).size > 1;
  const filled = (of: (identity: Identity) => string) =>
    new Set(identities.map(of).filter((value) => value !== '')).size > 1;
  const keywords: string[] = [];
  if (distinct((i) => unpadded(i.patientID))) keywords.push('PatientID');
  if (distinct((i) => unpadded(i.issuerOfPatientID))) keywords.push('IssuerOfPatientID');
  if (filled((i) => dateForm(i.birthDate))) keywords.push('PatientBirthDate');
  if (filled((i) => sexForm(i.sex))) keywords.push('PatientSex');
  const names = identities.map((i) => nameGroups(i.name));
  const isNameDiffering =
    new Set(names.map((n) => n[0])).size > 1 ||
    [1, 2].some((g) => new Set(names.map((n) => n[g]).filter((v) => v !== '')).size > 1);
  if (isNameDiffering) keywords.push('PatientName');
  return keywords;
}

/**
 * The set cut into patients: those that agree in all firm parts are one class when their loose parts agree too,
 * else one class for each distinct value. The order of the input does not matter.
 */
export function identityClasses(identities: readonly Identity[]): Identity[][] {
  const classes: Identity[][] = [];
  for (const group of groupedBy(identities, firmKey)) {
    if (isLooselyEqual(group)) classes.push(group);
    else classes.push(...groupedBy(group, (identity) => JSON.stringify(looseParts(identity))));
  }
  return classes;
}

function groupedBy<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return [...groups.keys()].sort().map((key) => groups.get(key) as T[]);
}
