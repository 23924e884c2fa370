/** Canonical digests: the same for every encoding of the same content, different for any other content. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { datasetDigest, normalisedDigest, normalisedElementDigests } from '../../shared/dicom/digest.ts';
import { groupingElements, patientIdentity } from '../../shared/dicom/identity.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { type WriteElements, writeDataSet, writeP10 } from '../../shared/dicom/write.ts';
import { hasSharedDicom, readManifest, readShared } from '../shared-material.ts';
import { bufferSource } from './corpus.ts';

const SYNTAXES = ['', '.1', '.2', '.1.99'].map((suffix) => `1.2.840.10008.1.2${suffix}`);

const elements: WriteElements = {
  SOPInstanceUID: '1.2.3',
  PatientName: 'Müller^Jürg',
  PatientID: 'P1',
  ImageType: ['ORIGINAL', 'PRIMARY'],
  Rows: 2,
  PixelRepresentation: 1,
  PixelPaddingValue: -5,
  RealWorldValueSlope: 0.25,
  FrameIncrementPointer: 0x00181063,
  RedPaletteColorLookupTableData: Uint8Array.of(1, 0, 2, 0),
  EncapsulatedDocument: new Uint8Array(100_000).fill(3),
  DerivationCodeSequence: [{ CodeValue: 'A' }, {}],
  '00090010': { vr: 'LO', value: 'ISOCENTER' },
  '00091001': { vr: 'US', value: [1, 2] },
};

async function digestOf(object: Parameters<typeof writeP10>[0]): Promise<string> {
  return datasetDigest(await readP10(bufferSource(writeP10(object))));
}

describe('datasetDigest', () => {
  it('does not see encoding, lengths, padding, group 0002, pixel values or the character set', async () => {
    const digests = new Set<string>();
    for (const transferSyntaxUID of SYNTAXES)
      for (const undefinedLengths of [false, true])
        for (const pixelData of [undefined, new Uint8Array(8), new Uint8Array(8).fill(9)])
          digests.add(
            await digestOf({
              transferSyntaxUID,
              elements,
              undefinedLengths,
              ...(pixelData ? { pixelData } : {}),
            }),
          );
    const latin1 = { ...elements, SpecificCharacterSet: 'ISO_IR 100' };
    const name = { vr: 'PN', value: Buffer.from('Müller^Jürg  ', 'latin1') };
    digests.add(
      await digestOf({ transferSyntaxUID: SYNTAXES[1] ?? '', elements: { ...latin1, PatientName: name } }),
    );
    const meta = { SourceApplicationEntityTitle: 'OTHER' };
    digests.add(await digestOf({ transferSyntaxUID: SYNTAXES[1] ?? '', elements, meta }));
    expect(digests.size).toBe(1);
  });

  it('sees every change of a value, a VR-less absence and an item more', async () => {
    const changes: WriteElements[] = [
      {},
      { Rows: 3 },
      { PatientID: 'P2' },
      { PatientID: 'p1' },
      { PatientID: null },
      { PatientID: undefined },
      { ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'] },
      { DerivationCodeSequence: [{ CodeValue: 'A' }] },
      { DerivationCodeSequence: [{ CodeValue: 'A' }, { CodeValue: '' }] },
      { EncapsulatedDocument: new Uint8Array(100_000).fill(4) },
      { '00091001': { vr: 'US', value: [1, 3] } },
    ];
    const transferSyntaxUID = SYNTAXES[1] ?? '';
    const all = await Promise.all(
      changes.map((change) => digestOf({ transferSyntaxUID, elements: { ...elements, ...change } })),
    );
    expect(new Set(all).size).toBe(changes.length);
  });

  it('is the same for implicit and explicit VR, whatever the text', async () => {
    const anyElements = fc.record({
      PatientName: fc.string({ unit: 'grapheme', maxLength: 20 }),
      PatientComments: fc.string({ maxLength: 40 }),
      Rows: fc.integer({ min: 0, max: 65535 }),
      SliceThickness: fc
        .double({ noNaN: true, noDefaultInfinity: true })
        .map((value) => value.toPrecision(6)),
    });
    await fc.assert(
      fc.asyncProperty(anyElements, async (some) => {
        const [implicit, explicit, big] = await Promise.all(
          SYNTAXES.slice(0, 3).map((transferSyntaxUID) => digestOf({ transferSyntaxUID, elements: some })),
        );
        expect([explicit, big]).toEqual([implicit, implicit]);
      }),
      { numRuns: 60 },
    );
  });

  it.skipIf(!hasSharedDicom)(
    'is the same for one data set in the encodings of several other writers',
    async () => {
      const groups = [
        /^syntaxes\/MR_small|^constraints\/MR_small_padded/,
        /^multiframe\/emri_small(_RLE|_big_endian|_jpeg_2k_lossless|_jpeg_ls_lossless)?\.dcm/,
        /^multiframe\/rtdose(_expb|_rle)?\.dcm/,
        /^multiframe\/liver(_expb)?\.dcm/,
        /^color\/SC_rgb(_expb|_rle|_jpeg_gdcm)?\.dcm/,
        /^syntaxes\/CTImage\.dcm_(Big|Little|Deflated|RLE|JPEG2000LosslessOnly|JPEGLSLossless)/,
      ];
      for (const group of groups) {
        const paths = readManifest().files.flatMap(({ path }) => (group.test(path) ? [path] : []));
        const digests = await Promise.all(
          paths.map(async (path) => datasetDigest(await readP10(bufferSource(readShared(path))))),
        );
        expect(paths.length).toBeGreaterThan(1);
        expect([group, new Set(digests).size]).toEqual([group, 1]);
      }
    },
  );

  it('does not depend on the order of elements in the file', async () => {
    const little = { explicit: true, littleEndian: true };
    const [a, b] = [{ PatientID: 'P' }, { Rows: 1 }].map((part) => writeDataSet(part, little, false));
    const head = writeP10({ transferSyntaxUID: SYNTAXES[1] ?? '', elements: {} });
    const bytes = [
      Buffer.concat([head, a as Uint8Array, b as Uint8Array]),
      Buffer.concat([head, b as Uint8Array, a as Uint8Array]),
    ];
    const [first, second] = await Promise.all(
      bytes.map(async (each) => datasetDigest(await readP10(bufferSource(each)))),
    );
    expect(second).toBe(first);
  });
});

describe('normalisedDigest', () => {
  const of = async (some: WriteElements) =>
    readP10(bufferSource(writeP10({ transferSyntaxUID: SYNTAXES[1] ?? '', elements: some })));

  it('sees patient, study and series elements, and nothing of the instance', async () => {
    const base = await normalisedDigest(await of(elements));
    expect(await normalisedDigest(await of({ ...elements, Rows: 9, SOPInstanceUID: '9' }))).toBe(base);
    expect(await normalisedDigest(await of({ ...elements, PatientID: 'P2' }))).not.toBe(base);
    expect(await normalisedDigest(await of({ ...elements, PixelPaddingValue: 0 }))).not.toBe(base);
  });

  it('gives one digest for each normalised element', async () => {
    const found = await normalisedElementDigests(await of(elements));
    expect([...found.keys()].sort((a, b) => a - b)).toEqual([0x00100010, 0x00100020, 0x00280120]);
  });
});

describe('identity and grouping', () => {
  it('trims trailing padding only, and says empty for what is absent', async () => {
    const bytes = writeP10({
      transferSyntaxUID: SYNTAXES[1] ?? '',
      elements: { PatientID: ' p1  ', PatientName: 'A^b ', StudyID: '7', SeriesNumber: '3' },
    });
    const p10 = await readP10(bufferSource(bytes));
    expect(patientIdentity(p10)).toEqual({
      patientID: ' p1',
      issuerOfPatientID: '',
      birthDate: '',
      sex: '',
      name: 'A^b',
    });
    expect(groupingElements(p10)).toMatchObject({
      PatientID: ' p1',
      StudyID: '7',
      SeriesNumber: '3',
      StudyDate: '',
    });
  });
});
