/** Verdicts: the shared material line by line, both profiles' limits at their edges, and any bytes whatever. */
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ByteSource } from '../../shared/dicom/byte-source.ts';
import {
  COUNT_LIMITS,
  LENGTH_LIMITS,
  PROFILES,
  type Profile,
  SIZE_LIMITS,
} from '../../shared/dicom/constraints.ts';
import { lookUp, tagOf } from '../../shared/dicom/dictionary.ts';
import { TRANSFER_SYNTAXES } from '../../shared/dicom/transfer-syntaxes.ts';
import { representation } from '../../shared/dicom/value-representations.ts';
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';
import { inspectObject, type Verdict } from '../../shared/ingest/inspect.ts';
import { OUTCOMES } from '../../shared/ingest/outcomes.ts';
import { hasSharedDicom, readShared, sharedDicom } from '../shared-material.ts';
import { bufferSource, countingSource, hollowSource } from './corpus.ts';

const GOLDEN = fileURLToPath(new URL('verdicts.golden.json', import.meta.url));
const EXPLICIT = '1.2.840.10008.1.2.1';

const sound: WriteElements = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
  PatientID: 'P1',
  PatientName: 'Test^Name',
  StudyID: '7',
  SeriesNumber: '3',
  Modality: 'OT',
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 2,
  Columns: 2,
  BitsAllocated: 16,
  BitsStored: 16,
  HighBit: 15,
  PixelRepresentation: 0,
};

function inspect(bytes: Uint8Array, profile: Profile = 'current', key = 'u/a.dcm'): Promise<Verdict> {
  return inspectObject(bufferSource(bytes), { key, profile });
}

function inspectElements(changes: WriteElements, profile: Profile = 'current'): Promise<Verdict> {
  const elements = { ...sound, ...changes };
  return inspect(writeP10({ transferSyntaxUID: EXPLICIT, elements, pixelData: new Uint8Array(8) }), profile);
}

const codeOf = (verdict: Verdict) => (verdict.verdict === 'rejected' ? verdict.code : 'accepted');
const warningsOf = (verdict: Verdict) =>
  verdict.verdict === 'accepted' ? verdict.warnings.map(({ code }) => code) : [];

describe.skipIf(!hasSharedDicom)('inspectObject on the shared material', () => {
  it('gives the verdicts of the golden table', async () => {
    const paths = readdirSync(sharedDicom, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(sharedDicom, join(entry.parentPath, entry.name)))
      .sort();
    const table: Record<string, string> = {};
    for (const path of paths) {
      const bytes = readShared(path);
      const lines = await Promise.all(PROFILES.map((profile) => inspect(bytes, profile, path)));
      const [old, now] = lines.map((verdict) => [codeOf(verdict), ...warningsOf(verdict)].join(' '));
      table[path] = old === now ? `${now}` : `2024: ${old}; current: ${now}`;
    }
    if (process.env.UPDATE_GOLDEN) writeFileSync(GOLDEN, `${JSON.stringify(table, null, 1)}\n`);
    expect(table).toEqual(JSON.parse(readFileSync(GOLDEN, 'utf8')));
  });
});

describe('inspectObject accepts', () => {
  it('a sound image, with whose it is and where it belongs', async () => {
    expect(await inspectElements({ IssuerOfPatientID: 'HOSPITAL ' })).toMatchObject({
      verdict: 'accepted',
      sopInstanceUID: '1.2.3.4',
      studyInstanceUID: '1.2.3',
      modality: 'OT',
      identity: { patientID: 'P1', issuerOfPatientID: 'HOSPITAL', birthDate: '', name: 'Test^Name' },
      grouping: { StudyID: '7', SeriesNumber: '3', StudyDate: '' },
      frames: 1,
      hasPixelData: true,
      warnings: [],
    });
  });

  it('objects without pixels, as having no frames', async () => {
    const { Rows: _rows, Columns: _columns, ...elements } = sound;
    const verdict = await inspect(writeP10({ transferSyntaxUID: EXPLICIT, elements }));
    expect(verdict).toMatchObject({ verdict: 'accepted', frames: 0, hasPixelData: false, warnings: [] });
  });

  it('every transfer syntax that the profile lists, others as a blob today and not in 2024', async () => {
    const listed = { 2024: 0, current: 0 };
    for (const syntax of [
      ...TRANSFER_SYNTAXES,
      { uid: '1.2.3.99', encapsulated: true, 2024: 'refuse', current: 'blob' },
    ]) {
      const pixelData = syntax.encapsulated ? { fragments: [new Uint8Array(8)] } : new Uint8Array(8);
      const bytes = writeP10({ transferSyntaxUID: syntax.uid, elements: sound, pixelData });
      for (const profile of PROFILES) {
        const verdict = await inspect(bytes, profile);
        const treatment = syntax[profile];
        if (treatment === 'transcode' || treatment === 'keep') listed[profile]++;
        expect(codeOf(verdict)).toBe(treatment === 'refuse' ? 'UnsupportedTransferSyntax' : 'accepted');
        expect(warningsOf(verdict)).toEqual(treatment === 'blob' ? ['B120'] : []);
      }
    }
    expect(listed[2024]).toBe(16);
  });
});

describe('inspectObject holds the limits', () => {
  for (const profile of PROFILES)
    for (const limit of LENGTH_LIMITS) {
      it(`${limit.keyword} in ${profile}: ${limit[profile]} characters and no more`, async () => {
        const entry = lookUp(tagOf(limit.keyword) ?? 0);
        const letter = representation(entry?.vr ?? '').usesCharacterSet ? 'é' : 'x';
        const sized = (length: number) =>
          entry?.vr === 'UI' ? `1.${'2'.repeat(length - 2)}` : letter.repeat(length);
        const at = await inspectElements({ [limit.keyword]: sized(limit[profile]) }, profile);
        const above = await inspectElements({ [limit.keyword]: sized(limit[profile] + 1) }, profile);
        expect([codeOf(at), codeOf(above)]).toEqual(['accepted', 'ElementTooLong']);
        expect(warningsOf(at)).toEqual(
          profile === 'current' && limit.current > limit.standard ? ['B202'] : [],
        );
        if (above.verdict === 'rejected')
          expect(above.message).toBe(
            `${limit.keyword}: expected at most ${limit[profile]} characters, got ${limit[profile] + 1}`,
          );
      });
    }

  it('does not count trailing padding, and counts characters, not bytes', async () => {
    expect(codeOf(await inspectElements({ PatientID: `${'山'.repeat(64)}${' '.repeat(500)}` }, '2024'))).toBe(
      'accepted',
    );
  });

  for (const profile of PROFILES)
    for (const { keyword, [profile]: limit } of COUNT_LIMITS) {
      it(`${keyword} in ${profile}: ${limit} and no more`, async () => {
        expect(codeOf(await inspectElements({ [keyword]: String(limit) }, profile))).toBe('accepted');
        expect(codeOf(await inspectElements({ [keyword]: String(limit + 1) }, profile))).toBe(
          'CountTooLarge',
        );
      });
    }

  for (const profile of PROFILES) {
    it(`file size in ${profile}`, async () => {
      const limit = SIZE_LIMITS.fileBytes[profile];
      const object = { transferSyntaxUID: EXPLICIT, elements: { ...sound, Rows: 20_000, Columns: 50_000 } };
      const head = writeP10({ ...object, pixelData: new Uint8Array(0) });
      // The pixels reach to the end, as far as 32 bits go; zeros follow where the object is longer.
      const sized = (sizeBytes: number) => {
        const length = Math.min(sizeBytes - head.length, 0xfffffffe);
        new DataView(head.buffer, head.byteOffset).setUint32(head.length - 4, length, true);
        return hollowSource(head, sizeBytes);
      };
      const verdictOf = async (sizeBytes: number) =>
        codeOf(await inspectObject(sized(sizeBytes), { key: 'a', profile }));
      expect(await verdictOf(Math.min(limit, 0xfffffff0))).toBe('accepted');
      expect(await verdictOf(limit + 1)).toBe('FileTooLarge');
    });
  }

  it('metadata size, big private values aside', async () => {
    const limit = SIZE_LIMITS.metadataBytes.current;
    for (const [name, code] of [
      ['EncapsulatedDocument', 'MetadataTooLarge'],
      ['00431010', 'accepted'],
    ] as const) {
      const { Rows: _rows, Columns: _columns, ...elements } = sound;
      const value = { vr: 'OB', value: new Uint8Array(0) };
      const head = writeP10({ transferSyntaxUID: EXPLICIT, elements: { ...elements, [name]: value } });
      new DataView(head.buffer, head.byteOffset).setUint32(head.length - 4, limit, true);
      const verdict = await inspectObject(hollowSource(head, head.length + limit), {
        key: 'a',
        profile: 'current',
      });
      expect([name, codeOf(verdict)]).toEqual([name, code]);
    }
  });
});

describe('inspectObject refuses', () => {
  it('what lacks an element that the import needs, and names it', async () => {
    for (const keyword of [
      'SOPClassUID',
      'SOPInstanceUID',
      'StudyInstanceUID',
      'SeriesInstanceUID',
      'Rows',
      'Columns',
    ])
      for (const value of [undefined, null])
        for (const profile of PROFILES) {
          const verdict = await inspectElements({ [keyword]: value }, profile);
          expect(verdict).toMatchObject({ code: 'MissingElement' });
          expect(verdict.verdict === 'rejected' && verdict.message.startsWith(`${keyword}: expected`)).toBe(
            true,
          );
        }
  });

  it('UIDs by profile: today anything of digits and dots, in 2024 what PS3.5 allows', async () => {
    const cases: [uid: string, old: string, now: string][] = [
      ['1.2.3', 'accepted', 'accepted'],
      ['0.1.02', 'InvalidUid', 'accepted B201'],
      ['1..2', 'InvalidUid', 'accepted B201'],
      ['1.2.x', 'InvalidUid', 'InvalidUid'],
      ['Doe^Jane', 'InvalidUid', 'InvalidUid'],
      ['...', 'InvalidUid', 'InvalidUid'],
    ];
    for (const [uid, old, now] of cases)
      for (const profile of PROFILES) {
        const verdict = await inspectElements({ SeriesInstanceUID: uid }, profile);
        expect([uid, [codeOf(verdict), ...warningsOf(verdict)].join(' ')]).toEqual([
          uid,
          profile === '2024' ? old : now,
        ]);
      }
  });

  it('pixel data that ends before its frames do', async () => {
    expect(await inspectElements({ NumberOfFrames: '2' })).toMatchObject({
      code: 'PixelDataTruncated',
      message: 'PixelData: expected 16 bytes for 2 frames, got 8',
      sopInstanceUID: '1.2.3.4',
    });
    const fragments = [new Uint8Array(10)];
    const many = { ...sound, NumberOfFrames: '1000000' };
    const bytes = writeP10({
      transferSyntaxUID: '1.2.840.10008.1.2.5',
      elements: many,
      pixelData: { fragments },
    });
    expect(codeOf(await inspect(bytes))).toBe('PixelDataTruncated');
  });

  it('a cut of encapsulated pixels at every byte, also where they are too long to walk', async () => {
    for (const size of [20, 1_200_000]) {
      const fragments = [new Uint8Array(size).fill(1), new Uint8Array(size).fill(2)];
      const whole = writeP10({
        transferSyntaxUID: '1.2.840.10008.1.2.5',
        elements: sound,
        pixelData: { fragments },
      });
      expect(codeOf(await inspect(whole))).toBe('accepted');
      for (let cut = whole.length - 1; cut > whole.length - 30; cut--)
        expect([cut, codeOf(await inspect(whole.subarray(0, cut)))]).toEqual([cut, 'PixelDataTruncated']);
    }
  });

  it('directories and system files, as benign, by name and content', async () => {
    const directory = { SOPClassUID: '1.2.840.10008.1.3.10', DirectoryRecordSequence: [] };
    expect(codeOf(await inspect(writeP10({ transferSyntaxUID: EXPLICIT, elements: directory })))).toBe(
      'DicomDirectory',
    );
    const program = Buffer.from('MZ\u0000\u0003 a program');
    expect(codeOf(await inspect(program, 'current', 'cd/VIEWER.EXE'))).toBe('SystemFile');
    expect(codeOf(await inspect(program, 'current', 'cd/image'))).toBe('NotP10');
    expect(codeOf(await inspect(Buffer.from('[autorun]\r\n'), 'current', 'cd/AUTORUN.INF'))).toBe(
      'SystemFile',
    );
    expect(codeOf(await inspect(Buffer.from('whatever'), 'current', 'cd/.DS_Store'))).toBe('SystemFile');
    expect(codeOf(await inspect(Buffer.alloc(0), 'current', 'cd/Thumbs.db'))).toBe('SystemFile');
    expect(codeOf(await inspect(Buffer.from('whatever'), 'current', 'cd/a.exe'))).toBe('NotP10');
    expect(codeOf(await inspect(Buffer.from('PK\u0003\u0004'), 'current', 'cd/study.zip'))).toBe('NotP10');
    expect(codeOf(await inspect(Buffer.alloc(0), 'current', 'cd/a.dcm'))).toBe('Empty');
    const image = writeP10({ transferSyntaxUID: EXPLICIT, elements: sound, pixelData: new Uint8Array(8) });
    for (const key of ['Thumbs.db', '.DS_Store', 'a.exe', 'autorun.inf', 'DICOMDIR'])
      expect(codeOf(await inspect(image, 'current', key))).toBe('accepted');
  });

  it('pixels of one bit in 2024, and takes them today', async () => {
    const bits = { BitsAllocated: 1, BitsStored: 1, HighBit: 0 };
    expect(codeOf(await inspectElements(bits, '2024'))).toBe('UnsupportedPixelData');
    expect(codeOf(await inspectElements(bits))).toBe('accepted');
  });

  it('what is another format, and says which, without quoting it', async () => {
    const cases: [bytes: string, says: string][] = [
      ['PK\u0003\u0004', 'a ZIP archive'],
      ['%PDF-1.4', 'a PDF'],
      ['Jane Doe, born 1970', 'text'],
      ['\u0000\u0001', 'other bytes'],
    ];
    for (const [bytes, says] of cases) {
      const verdict = await inspect(Buffer.from(bytes, 'latin1'));
      const message = `byte 128: expected the DICM marker, got ${says} (${bytes.length} bytes)`;
      expect(verdict).toEqual({ verdict: 'rejected', code: 'NotP10', message });
    }
  });

  it('never says a value of a patient', async () => {
    const secret = 'SECRETNAME';
    const changes = {
      PatientName: secret.repeat(40),
      PatientID: secret,
      StudyInstanceUID: secret,
      SOPClassUID: null,
    };
    const verdict = await inspectElements(changes, '2024');
    expect(JSON.stringify(verdict)).not.toContain(secret);
  });
});

describe('inspectObject ends in a verdict', () => {
  const codes = new Set(Object.keys(OUTCOMES));

  it('for any bytes and any key', async () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 400 }),
      fc
        .uint8Array({ maxLength: 400 })
        .map((body) => Buffer.concat([Buffer.alloc(128), Buffer.from('DICM'), body])),
    );
    await fc.assert(
      fc.asyncProperty(anyBytes, fc.string(), fc.constantFrom(...PROFILES), async (bytes, key, profile) => {
        const verdict = await inspect(bytes, profile, key);
        expect(verdict.verdict === 'accepted' || codes.has(verdict.code)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  it('with few reads of small ranges for a big object', async () => {
    const elements = { ...sound, Rows: 2000, Columns: 2000 };
    const bytes = writeP10({ transferSyntaxUID: EXPLICIT, elements, pixelData: new Uint8Array(8_000_000) });
    const source = countingSource(bytes);
    await inspectObject(source, { key: 'a', profile: 'current' });
    expect(source.reads.length).toBe(1);
    expect(source.bytesRead()).toBeLessThan(100_000);
  });

  it('with a deadline: a source that drips ends in a reject, by the clock that is given', async () => {
    const nested = { ReferencedImageSequence: Array.from({ length: 40_000 }, () => ({ PatientID: 'x' })) };
    const bytes = writeP10({ transferSyntaxUID: EXPLICIT, elements: { ...sound, ...nested } });
    let milliseconds = 0;
    const source: ByteSource = {
      sizeBytes: bytes.length,
      read: async (start, end) => {
        milliseconds += 20_000;
        return bytes.subarray(start, end);
      },
    };
    const deadline = { seconds: 30, now: () => milliseconds };
    const verdict = await inspectObject(source, { key: 'a', profile: 'current', deadline });
    expect(verdict).toMatchObject({ verdict: 'rejected', code: 'InspectionTimeout' });
    milliseconds = 0;
    const patient = { seconds: 3000, now: () => milliseconds };
    expect(codeOf(await inspectObject(source, { key: 'a', profile: 'current', deadline: patient }))).toBe(
      'accepted',
    );
  });

  it('also while a deflated data set is inflated', async () => {
    const bytes = writeP10({
      transferSyntaxUID: '1.2.840.10008.1.2.1.99',
      elements: { ...sound, EncapsulatedDocument: randomBytes(4_000_000) },
    });
    let milliseconds = 0;
    const source: ByteSource = {
      sizeBytes: bytes.length,
      read: async (start, end) => {
        milliseconds += 20_000;
        return bytes.subarray(start, end);
      },
    };
    const deadline = { seconds: 30, now: () => milliseconds };
    const verdict = await inspectObject(source, { key: 'a', profile: 'current', deadline });
    expect(codeOf(verdict)).toBe('InspectionTimeout');
  });
});

describe('an image without pixel data', () => {
  it('comes in with a warning that says what is missing', async () => {
    for (const profile of PROFILES) {
      const verdict = await inspect(writeP10({ transferSyntaxUID: EXPLICIT, elements: sound }), profile);
      expect(warningsOf(verdict)).toEqual(['NoPixelData']);
      expect(verdict).toMatchObject({ frames: 0, hasPixelData: false });
      expect(JSON.stringify(verdict)).toContain('cut off');
    }
  });

  it('cut a byte further on is refused', async () => {
    const whole = writeP10({ transferSyntaxUID: EXPLICIT, elements: sound, pixelData: new Uint8Array(8) });
    const header = whole.length - 8 - 12;
    expect(warningsOf(await inspect(whole.subarray(0, header)))).toEqual(['NoPixelData']);
    for (let cut = header + 1; cut < whole.length; cut++)
      expect(codeOf(await inspect(whole.subarray(0, cut)))).toMatch(/^(TruncatedHeader|PixelDataTruncated)$/);
  });

  it('of a class that has none, or with a provider URL, is not called cut off', async () => {
    const provided = await inspect(
      writeP10({
        transferSyntaxUID: EXPLICIT,
        elements: { ...sound, PixelDataProviderURL: 'https://example.org/x' },
      }),
    );
    expect(warningsOf(provided)).toEqual(['NoPixelData']);
    expect(JSON.stringify(provided)).not.toContain('cut off');
  });
});
