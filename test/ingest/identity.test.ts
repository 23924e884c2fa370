/** Patient identity: what is spelling and what is another patient, decided over whole sets. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideIdentities } from '../../shared/ingest/decide-identities.ts';
import {
  differingKeywords,
  type Identity,
  identityClasses,
  identityDigest,
  sameIdentity,
} from '../../shared/ingest/identity.ts';

const BASE: Identity = {
  patientID: 'N-1',
  issuerOfPatientID: '',
  birthDate: '19700101',
  sex: 'O',
  name: 'Nobody^Test',
};
const withOther = (other: Partial<Identity>): Identity => ({ ...BASE, ...other });

describe('spelling', () => {
  it.each([
    ['case of the name', { name: 'NOBODY^TEST' }],
    ['empty trailing components', { name: 'Nobody^Test^^^' }],
    ['padding', { name: 'Nobody^Test ', patientID: 'N-1 ' }],
    ['a missing phonetic group', { name: 'Nobody^Test==nobody' }],
    ['date separators', { birthDate: '1970.01.01' }],
    ['no birth date', { birthDate: '' }],
    ['no sex', { sex: '' }],
  ])('%s is the same patient', (_, other) => {
    expect(sameIdentity([BASE, withOther(other)])).toBe(true);
    expect(differingKeywords([BASE, withOther(other)])).toEqual([]);
  });

  it.each([
    ['PatientID', { patientID: 'N-2' }],
    ['PatientID', { patientID: '' }],
    ['PatientID', { patientID: 'n-1' }],
    ['IssuerOfPatientID', { issuerOfPatientID: 'X' }],
    ['PatientBirthDate', { birthDate: '19700102' }],
    ['PatientSex', { sex: 'F' }],
    ['PatientName', { name: 'Nobody^Tess' }],
    ['PatientName', { name: '' }],
  ])('%s makes another patient', (keyword, other) => {
    expect(sameIdentity([BASE, withOther(other)])).toBe(false);
    expect(differingKeywords([BASE, withOther(other)])).toEqual([keyword]);
  });

  it('does not chain over an empty value', () => {
    const dates = ['19700101', '', '19700102'].map((birthDate) => withOther({ birthDate }));
    expect(sameIdentity(dates)).toBe(false);
    expect(identityClasses(dates).length).toBe(3);
  });

  it('does not let two phonetic groups differ', () => {
    expect(sameIdentity([withOther({ name: 'A==x' }), withOther({ name: 'A==y' })])).toBe(false);
  });
});

describe('the decision about a study', () => {
  const incoming = (identity: Identity, instances: number) => ({ identity, instances });
  const other = withOther({ birthDate: '19710101' });

  it('keeps the larger group now, all in 2024', () => {
    const both = [incoming(BASE, 3), incoming(other, 1)];
    const now = decideIdentities([], both, 'current');
    expect(now.get(identityDigest(BASE))).toMatchObject({ accepted: true });
    expect(now.get(identityDigest(other))).toEqual({ accepted: false, keywords: ['PatientBirthDate'] });
    const then = decideIdentities([], both, '2024');
    expect(then.get(identityDigest(BASE))).toEqual({ accepted: true, keptApartBy: [] });
    expect(then.get(identityDigest(other))).toEqual({ accepted: true, keptApartBy: ['PatientBirthDate'] });
  });

  it('holds both back when neither is larger', () => {
    const decisions = decideIdentities([], [incoming(BASE, 2), incoming(other, 2)], 'current');
    expect([...decisions.values()].map((decision) => decision.accepted)).toEqual([false, false]);
  });

  it('holds back who is not the stored patient, in both', () => {
    for (const profile of ['current', '2024'] as const) {
      const decisions = decideIdentities([BASE], [incoming(other, 9), incoming(BASE, 1)], profile);
      expect(decisions.get(identityDigest(other))?.accepted).toBe(false);
      expect(decisions.get(identityDigest(BASE))?.accepted).toBe(true);
    }
  });

  const identity = fc.record({
    patientID: fc.constantFrom('1', '2', ''),
    issuerOfPatientID: fc.constantFrom('', 'X'),
    birthDate: fc.constantFrom('', '19700101', '19700102'),
    sex: fc.constantFrom('', 'O', 'F'),
    name: fc.constantFrom('A^B', 'a^b', 'A^B==x', 'C'),
  });
  const distinct = (identities: readonly Identity[]) => [
    ...new Map(identities.map((i) => [identityDigest(i), i])).values(),
  ];

  it('never lets two patients into one study of today, and decides about everyone, in any order', () => {
    fc.assert(
      fc.property(
        fc.array(identity, { maxLength: 3 }),
        fc.array(fc.tuple(identity, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 6 }),
        (stored, candidates) => {
          // What is stored is one patient: the rule under test kept it so.
          const patient = identityClasses(distinct(stored))[0] ?? [];
          const all = [...new Map(candidates.map(([i, n]) => [identityDigest(i), incoming(i, n)])).values()];
          const decisions = decideIdentities(patient, all, 'current');
          expect(decisions.size).toBe(all.length);
          const accepted = all.filter((c) => decisions.get(identityDigest(c.identity))?.accepted);
          expect(sameIdentity([...patient, ...accepted.map((c) => c.identity)])).toBe(true);
          const reversed = decideIdentities(patient, [...all].reverse(), 'current');
          for (const { identity: i } of all)
            expect(reversed.get(identityDigest(i))?.accepted).toBe(
              decisions.get(identityDigest(i))?.accepted,
            );
        },
      ),
      { numRuns: 500 },
    );
  });
});
