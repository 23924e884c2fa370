/** The metadata document: typing by the rules seen in the service's documents, and values judged by dcmtk's dcm2json. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hexTag, lookUp, tagOf } from '../../shared/dicom/dictionary.ts';
import { type DicomJson, type DicomJsonValue, keyOf, toMetadata } from '../../shared/dicom/metadata.ts';
import { levelOf, NORMALISED } from '../../shared/dicom/normalisation.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';
import { hasSharedDicom, readManifest, readShared, sharedDicom } from '../shared-material.ts';
import { bufferSource } from './corpus.ts';

const SYNTAXES = ['', '.1', '.2', '.1.99'].map((suffix) => `1.2.840.10008.1.2${suffix}`);

async function metadataOf(elements: WriteElements, transferSyntaxUID = '1.2.840.10008.1.2.1') {
  return toMetadata(await readP10(bufferSource(writeP10({ transferSyntaxUID, elements }))));
}

describe('toMetadata', () => {
  it('types values by VR, makes arrays by the dictionary, and lifts what is normalised', async () => {
    const metadata = await metadataOf({
      PatientName: 'Müller^Jürg',
      PatientBirthDate: null,
      StudyInstanceUID: '1.2',
      AccessionNumber: null,
      SeriesInstanceUID: '1.2.3',
      Modality: 'CT',
      SoftwareVersions: '3.1.62',
      PixelPaddingValue: { vr: 'SS', value: -2000 },
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
      SOPInstanceUID: '1.2.3.4',
      ImageType: ['ORIGINAL', 'PRIMARY', ''],
      PatientOrientation: null,
      WindowCenter: '0',
      SliceThickness: '1.50',
      Rows: 2,
      FrameIncrementPointer: 0x00181063,
      RealWorldValueSlope: 2,
      RedPaletteColorLookupTableData: Uint8Array.of(1, 0),
      DerivationCodeSequence: [{ CodeValue: 'A', CodeMeaning: 'é' }, {}],
      ReferencedImageSequence: [],
      '7FDF0010': { vr: 'LO', value: 'ISOCENTER' },
      '7FDF1001': { vr: 'UN', value: Uint8Array.of(1, 0) },
      '7FDF1002': { vr: 'UN', value: null },
      '7FDF1003': { vr: 'US', value: [1, 2] },
    });
    expect(metadata.Patient).toEqual({ PatientName: 'Müller^Jürg', PatientBirthDate: null });
    expect(metadata.Study).toEqual({ StudyInstanceUID: '1.2', AccessionNumber: null });
    expect(metadata.Series).toEqual({
      SeriesInstanceUID: '1.2.3',
      Modality: 'CT',
      SoftwareVersions: ['3.1.62'],
      PixelPaddingValue: -2000,
    });
    expect(metadata.Instance).toMatchObject({
      FileMetaInformationVersion: 'AAE=',
      TransferSyntaxUID: '1.2.840.10008.1.2.1',
      SpecificCharacterSet: ['ISO_IR 192'],
      ImageType: ['ORIGINAL', 'PRIMARY', ''],
      PatientOrientation: null,
      WindowCenter: ['0 '],
      SliceThickness: '1.50',
      Rows: 2,
      FrameIncrementPointer: ['00181063'],
      RealWorldValueSlope: 2,
      RedPaletteColorLookupTableData: 'AQA=',
      DerivationCodeSequence: [{ CodeValue: 'A', CodeMeaning: 'é' }, {}],
      ReferencedImageSequence: null,
      '7FDF0010': 'ISOCENTER',
      '7FDF1001': 'AQA=',
      '7FDF1002': '',
      '7FDF1003': [1, 2],
    });
    expect(metadata.DICOMVRs).toEqual({
      '7FDF0010': 'LO',
      '7FDF1001': 'UN',
      '7FDF1002': 'UN',
      '7FDF1003': 'US',
    });
  });

  it('says the same in every encoding, but for group 0002 and the VRs of private elements', async () => {
    const elements: WriteElements = {
      PatientName: '山田',
      Rows: 2,
      PixelRepresentation: 1,
      PixelPaddingValue: -5,
      RealWorldValueSlope: 0.25,
      RedPaletteColorLookupTableData: Uint8Array.of(1, 0, 2, 0),
      DerivationCodeSequence: [{ CodeValue: 'A' }],
    };
    const documents = await Promise.all(SYNTAXES.map((syntax) => metadataOf(elements, syntax)));
    const withoutMeta = documents.map(({ Instance, ...rest }) => {
      const kept = Object.entries(Instance).filter(([key]) => (tagOf(key) ?? 0) >>> 16 !== 2);
      return { ...rest, Instance: Object.fromEntries(kept) };
    });
    for (const document of withoutMeta) expect(document).toEqual(withoutMeta[0]);
  });

  it('keeps the second overlay apart from the first', () => {
    expect([keyOf(0x60000010), keyOf(0x60020010), keyOf(0x00091001), keyOf(0x7fe00010)]).toEqual([
      'OverlayRows',
      '60020010',
      '00091001',
      'PixelData',
    ]);
  });

  it('knows every element of the normalisation lists, each at one level', () => {
    const all = Object.values(NORMALISED).flat();
    expect(new Set(all).size).toBe(all.length);
    expect(all.filter((tag) => !lookUp(tag)).map(hexTag)).toEqual([]);
    expect([levelOf(0x00101010), levelOf(0x00185100), levelOf(0x00100010), levelOf(0x00080005)]).toEqual([
      'Study',
      'Series',
      'Patient',
      'Instance',
    ]);
  });
});

const hasJudge = spawnSync('dcm2json', ['--version']).status === 0;
if (!hasJudge) console.warn('skipped: no dcm2json to judge the metadata');

interface JudgedElement {
  vr: string;
  Value?: unknown[];
  InlineBinary?: string;
}
type Judged = Record<string, JudgedElement>;

/** dcm2json copies IS and DS as they stand: `007` is no JSON. */
function parseJudged(output: string): Judged {
  try {
    return JSON.parse(output) as Judged;
  } catch {
    return JSON.parse(output.replaceAll(/^(\s*-?)0+(\d)/gm, '$1$2')) as Judged;
  }
}

/** dcm2json drops empty components of names; trailing padding is no difference either. */
function nameText(value: unknown): string {
  return (
    String(value ?? '')
      .split('=')[0]
      ?.replace(/[\^ ]+$/, '') ?? ''
  );
}

/** Ours as the judge would write it, value by value; several values that we keep as one string are parted. */
function sameValue(ours: unknown, theirs: unknown, vr: string): boolean {
  if (vr === 'PN') return nameText(ours) === nameText((theirs as { Alphabetic?: string } | null)?.Alphabetic);
  if (typeof theirs !== 'number') return String(ours ?? '').trim() === String(theirs ?? '').trim();
  // dcm2json writes 32-bit floats with nine digits.
  if (vr === 'FL') return Math.fround(theirs) === ours;
  return Math.abs(Number(ours) - theirs) <= Math.abs(theirs) * 1e-14;
}

function listOf(ours: DicomJsonValue | undefined, length: number): readonly unknown[] {
  if (ours === null || ours === undefined || ours === '') return [];
  if (Array.isArray(ours)) return ours;
  return typeof ours === 'string' && length > 1 ? ours.split('\\') : [ours];
}

/** Character sets are converted for the judge; trailing padding is no metadata. */
const NOT_OURS = new Set([0x00080005, 0xfffcfffc]);

/** Where the two differ, in words. */
function differences(ours: DicomJson, judged: Judged, path = ''): string[] {
  const found: string[] = [];
  for (const [hex, element] of Object.entries(judged)) {
    const tag = Number.parseInt(hex, 16);
    if (!lookUp(tag) || tag >>> 16 === 0x7fe0 || NOT_OURS.has(tag)) continue;
    const where = `${path}${keyOf(tag)}`;
    const theirs = element.InlineBinary === undefined ? (element.Value ?? []) : [element.InlineBinary];
    const mine = listOf(ours[keyOf(tag)], theirs.length);
    const isEmpty = [
      ...mine.map((value) => (element.vr === 'PN' ? nameText(value) : value)),
      ...theirs,
    ].every((value) => !value);
    if (element.vr === 'SQ' && mine.length === theirs.length)
      theirs.forEach((item, index) => {
        found.push(...differences(mine[index] as DicomJson, item as Judged, `${where}[${index}].`));
      });
    else if (
      !isEmpty &&
      !(mine.length === theirs.length && mine.every((value, at) => sameValue(value, theirs[at], element.vr)))
    )
      found.push(
        `${where}: ${JSON.stringify(mine).slice(0, 60)}, not ${JSON.stringify(theirs).slice(0, 60)}`,
      );
  }
  return found;
}

// JUDGE_ALL=1 takes all folders of the shared material: a minute more.
describe.skipIf(!hasSharedDicom || !hasJudge)('toMetadata beside dcm2json', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'isocenter-metadata-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const files = hasSharedDicom
    ? readManifest().files.filter(
        ({ path }) => process.env.JUDGE_ALL || /^(modalities|charsets)\//.test(path),
      )
    : [];

  /** Where we and dcmtk differ, and why. */
  const known: Record<string, string[]> = {
    // dcmtk's converter does not know JIS X 0201 in an item; the bytes are the example of PS3.5 H.3.2.
    'charsets/chrSQEncoding.dcm': ['RequestedProcedureCodeSequence[0].PatientName'],
    // A code string with bytes that no code string may have: we show them as Latin-1.
    'constraints/GH1301.dcm': ['PatientSex'],
  };

  for (const { path } of files)
    it(path, async () => {
      const utf8 = join(folder, 'utf8.dcm');
      const converted = spawnSync('dcmconv', ['-q', '+U8', join(sharedDicom, path), utf8]).status === 0;
      const judge = spawnSync('dcm2json', ['-q', converted ? utf8 : join(sharedDicom, path)], {
        encoding: 'utf8',
        maxBuffer: 1e8,
      });
      // Some files dcmtk cannot write as JSON (character sets that it cannot convert, broken values).
      if (judge.status !== 0 || path === 'broken/meta_missing_tsyntax.dcm') return;
      const theirs = parseJudged(judge.stdout);
      const { Patient, Study, Series, Instance } = await toMetadata(
        await readP10(bufferSource(readShared(path))),
      );
      const found = differences({ ...Patient, ...Study, ...Series, ...Instance }, theirs);
      const expected = known[path] ?? [];
      expect(found.filter((line) => !expected.some((where) => line.startsWith(`${where}:`)))).toEqual([]);
    });
});
