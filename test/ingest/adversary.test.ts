/** What a clinician would try: patients who are nearly one, names that are written otherwise, contents that are nearly the same. */
import { describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { patientIdentity } from '../../shared/dicom/identity.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { decideIdentities } from '../../shared/ingest/decide-identities.ts';
import { type Identity, identityDigest, sameIdentity } from '../../shared/ingest/identity.ts';
import { decideMerge, type Variant } from '../../shared/ingest/merge-decision.ts';
import { announcementsOf } from '../../shared/ingest/notifications.ts';
import { type MemoryPipeline, memoryPipeline } from './memory-pipeline.ts';
import { type Made, p10 } from './objects.ts';

const JANE: Identity = {
  patientID: '0042',
  issuerOfPatientID: 'Ward',
  birthDate: '19700101',
  sex: 'F',
  name: 'Doe^Jane',
};

const OTHERS: readonly [string, Partial<Identity>, Partial<Identity>?][] = [
  ['the same name under another number', { patientID: '0043' }],
  ['a number without its leading zeros', { patientID: '42' }],
  ['a number with a space before it', { patientID: ' 0042' }],
  ['a number in another case', { patientID: 'a1' }, { patientID: 'A1' }],
  ['no number', { patientID: '' }],
  ['a number of another issuer', { issuerOfPatientID: 'Clinic' }],
  ['a number without its issuer', { issuerOfPatientID: '' }],
  ['another birth date', { birthDate: '19700110' }],
  ['another sex', { sex: 'M' }],
  ['sex O beside F', { sex: 'O' }],
  ['first and last name the other way round', { name: 'Jane^Doe' }],
  ['a second first name', { name: 'Doe^Jane^Mary' }],
  ['a name in one component', { name: 'Doe Jane' }],
  ['no name', { name: '' }],
  ['another ideographic name', { name: 'Doe^Jane=山田^花子' }, { name: 'Doe^Jane=山田^太郎' }],
  ['an ideographic name alone beside a romanised one', { name: '=山田^花子' }, { name: 'Yamada^Hanako' }],
  ['an ideographic name in the place of the romanised', { name: '山田^花子' }, { name: 'Yamada^Hanako' }],
  ['an accent more', { name: 'Dœ^Jane' }],
  ['Strauß beside Strauss', { name: 'Strauß^A' }, { name: 'Strauss^A' }],
  ['a dotless i', { name: 'Aydın^A' }, { name: 'Aydin^A' }],
];

const SPELLINGS: readonly [string, Partial<Identity>, Partial<Identity>?][] = [
  ['capitals', { name: 'DOE^JANE' }],
  ['capitals with accents', { name: 'MÜLLER^Ägidia' }, { name: 'Müller^ÄGIDIA' }],
  ['a final sigma', { name: 'ΟΔΟΣ^A' }, { name: 'οδος^A' }],
  [
    'padding after number, issuer and name',
    { patientID: '0042 ', issuerOfPatientID: 'Ward ', name: 'Doe^Jane ' },
  ],
  ['empty components after the name', { name: 'Doe^Jane^^^' }],
  ['two spaces', { name: 'van  Doe^Jane' }, { name: 'van Doe^Jane' }],
  ['no birth date', { birthDate: '' }],
  ['no sex', { sex: '' }],
  ['a sex in small letters', { sex: 'f' }],
  ['the old form of a date', { birthDate: '1970.01.01' }],
  [
    'the ideographic name missing',
    { name: 'Yamada^Hanako=山田^花子=やまだ^はなこ' },
    { name: 'Yamada^Hanako' },
  ],
];

const variant = (
  imageSetId: string,
  { patientID, issuerOfPatientID, birthDate, sex, name }: Identity,
): Variant => ({
  ...{ imageSetId, isPrimary: false, createdAt: '', isProven: true },
  metadata: {
    Patient: {
      DICOM: {
        PatientID: patientID,
        IssuerOfPatientID: issuerOfPatientID,
        PatientBirthDate: birthDate,
        PatientSex: sex,
        PatientName: name,
      },
    },
    Study: {
      DICOM: {},
      Series: { s: { DICOM: {}, Instances: { [imageSetId]: { DICOM: { SOPInstanceUID: imageSetId } } } } },
    },
  },
});

describe('of two patients who are nearly one', () => {
  it.each(OTHERS)(
    '%s is another patient: held before import, kept apart after it',
    (_, other, first = {}) => {
      const [one, two] = [
        { ...JANE, ...first },
        { ...JANE, ...other },
      ];
      expect(sameIdentity([one, two])).toBe(false);
      for (const profile of ['current', '2024'] as const) {
        const decisions = decideIdentities([one], [{ identity: two, instances: 9 }], profile);
        expect(decisions.get(identityDigest(two))?.accepted).toBe(false);
      }
      const { merges, keptApart } = decideMerge([variant('a', one), variant('b', two)], 's');
      expect(merges).toEqual([]);
      expect(keptApart.length).toBe(1);
    },
  );

  it.each(SPELLINGS)('%s is spelling: joined', (_, other, first = {}) => {
    const [one, two] = [
      { ...JANE, ...first },
      { ...JANE, ...other },
    ];
    expect(sameIdentity([one, two])).toBe(true);
    const decisions = decideIdentities([one], [{ identity: two, instances: 1 }], 'current');
    expect(decisions.get(identityDigest(two))).toEqual({ accepted: true, keptApartBy: [] });
    const { merges } = decideMerge([variant('a', one), variant('b', two)], 's');
    expect(merges.length).toBe(1);
  });

  it('two patients that another tool stored under one PatientID get no third object from us', () => {
    const born = { ...JANE, birthDate: '19710101' };
    const decisions = decideIdentities([JANE, born], [{ identity: born, instances: 1 }], 'current');
    expect(decisions.get(identityDigest(born))).toMatchObject({ accepted: false });
  });

  it('is read from the bytes as it is written there, whatever the character set', async () => {
    const file = p10({
      patient: { PatientName: 'Yamada^Hanako=山田^花子' },
      elements: { SpecificCharacterSet: 'ISO_IR 192' },
    });
    expect(patientIdentity(await readP10(bufferSource(file))).name).toBe('Yamada^Hanako=山田^花子');
  });
});

async function codes(pipeline: MemoryPipeline): Promise<string[]> {
  const found: string[] = [];
  for (const report of await pipeline.reports())
    for (const { key, outcome, code } of await pipeline.objectsOf(report))
      found.push(`${key} ${code ?? outcome}`);
  return found.sort();
}

describe.each(['current', '2024'] as const)('of one SOP Instance UID with two contents, in %s', (profile) => {
  const both = async (one: Made, two: Made, isTogether: boolean) => {
    const pipeline = memoryPipeline({ profile, merge: 'auto' });
    await pipeline.put('a/1', p10(one));
    if (!isTogether) await pipeline.settle();
    await pipeline.put(isTogether ? 'a/2' : 'b/2', p10(two));
    await pipeline.settle();
    return codes(pipeline);
  };

  it.each([
    ['other pixels', { pixels: 1 }, { pixels: 2 }],
    [
      'a corrected report',
      { elements: { ContentLabel: 'FIRST' } },
      { elements: { ContentLabel: 'CORRECTED' } },
    ],
    [
      'another lookup',
      { pixels: 1, elements: { RescaleSlope: '1' } },
      { pixels: 1, elements: { RescaleSlope: '2' } },
    ],
  ] satisfies [string, Made, Made][])('%s is a conflict, and the first stays', async (_, one, two) => {
    expect(await both(one, two, false)).toEqual(['a/1 ingested', 'b/2 InstanceConflict']);
    expect((await both(one, two, true)).map((line) => line.slice(4)).sort()).toEqual([
      'InstanceConflict',
      'ingested',
    ]);
  });
});

describe('what is said of variants', () => {
  it('names keywords, never values: in reports, lines, messages and what executions are given', async () => {
    const pipeline = memoryPipeline({ profile: '2024', merge: 'auto' });
    const CANARY = 'Kanarienvogel';
    for (const [i, name] of [`${CANARY}^Test`, `${CANARY}^TEST`, `${CANARY}^Else`].entries()) {
      const patient = { PatientName: name, PatientID: `${CANARY}-${i === 2 ? 2 : 1}` };
      const elements = { SeriesDescription: `${CANARY} ${i === 1 ? 'b' : 'a'}` };
      await pipeline.put(`all/${i}`, p10({ sop: `${i}`, pixels: i, patient, elements }));
    }
    await pipeline.settle();
    const [report] = await pipeline.reports();
    expect(report?.merges.map(({ outcome }) => outcome)).toContain('keptApart');
    expect(report?.merges.flatMap(({ keywords }) => keywords)).toContain('PatientID');
    const announced = announcementsOf(report!);
    expect(announced.map(({ detailType }) => detailType)).toContain('Variants Kept Apart');
    const said = JSON.stringify([report, await pipeline.objectsOf(report!), announced, pipeline.inputs]);
    expect(said).not.toContain(CANARY);
  });
});
