/** The writer, judged by our reader (every encoding) and by dcmtk's dcmdump where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { integer, numbers, readP10, text, texts } from '../../shared/dicom/p10.ts';
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';

const elements: WriteElements = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.4',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
  PatientName: 'Müller^Jürg=山田^太郎',
  ImageType: ['ORIGINAL', 'PRIMARY'],
  Rows: 2,
  Columns: 3,
  BitsAllocated: 16,
  PixelRepresentation: 1,
  PixelPaddingValue: -5,
  SmallestImagePixelValue: null,
  WindowCenter: ['40', '400'],
  FrameIncrementPointer: 0x00181063,
  RequestAttributesSequence: [{ ScheduledProcedureStepID: 'A' }, { ScheduledProcedureStepID: 'Bé' }],
  '00090010': { vr: 'LO', value: 'ISOCENTER TEST' },
  '00091001': { vr: 'FD', value: [1.5, -2.25] },
};
const pixels = Uint8Array.from({ length: 12 }, (_, at) => at);
const syntaxes = ['', '.1', '.1.99', '.2'].map((suffix) => `1.2.840.10008.1.2${suffix}`);
const dcmdump = spawnSync('dcmdump', ['--version']).status === 0;
if (!dcmdump) console.warn('skipped: no dcmdump to judge the writer');

describe('writeP10', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'isocenter-write-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  for (const transferSyntaxUID of syntaxes)
    for (const undefinedLengths of [false, true]) {
      it(`reads back what it wrote in ${transferSyntaxUID}, ${undefinedLengths ? 'un' : ''}defined lengths`, async () => {
        const bytes = writeP10({ transferSyntaxUID, elements, pixelData: pixels, undefinedLengths });
        const p10 = await readP10(bufferSource(bytes));
        expect(p10.warnings).toEqual([]);
        expect(text(p10, 'PatientName')).toBe('Müller^Jürg=山田^太郎');
        expect(texts(p10, 'ImageType')).toEqual(['ORIGINAL', 'PRIMARY']);
        expect(numbers(p10, 'WindowCenter')).toEqual([40, 400]);
        expect(integer(p10, 'PixelPaddingValue')).toBe(-5);
        const items = p10.dataset.elements.get(0x00400275)?.items ?? [];
        expect(items.map((item) => text(item, 'ScheduledProcedureStepID'))).toEqual(['A', 'Bé']);
        const { offset, endBytes, lengthBytes } = p10.pixelData ?? { offset: 0, endBytes: 0, lengthBytes: 0 };
        expect([lengthBytes, endBytes]).toEqual([12, p10.source.sizeBytes]);
        const stored = await p10.source.read(offset, endBytes);
        const isBigEndian = transferSyntaxUID.endsWith('.2') && transferSyntaxUID.length > 17;
        expect([...stored.subarray(0, 2)]).toEqual(isBigEndian ? [1, 0] : [0, 1]);
      });

      it.skipIf(!dcmdump)(`writes what dcmdump reads: ${transferSyntaxUID} ${undefinedLengths}`, () => {
        const path = join(folder, 'a.dcm');
        writeFileSync(path, writeP10({ transferSyntaxUID, elements, pixelData: pixels, undefinedLengths }));
        const dump = execFileSync('dcmdump', ['-q', '+U8', path], { encoding: 'utf8' });
        expect(dump).toContain('[Müller^Jürg=山田^太郎]');
        expect(dump).toContain('SS -5');
        expect(dump).toContain('[Bé]');
      });
    }

  it('writes encapsulated fragments with an offset table, padded to even lengths', async () => {
    const fragments = [Uint8Array.of(1, 2, 3), Uint8Array.of(4)];
    const bytes = writeP10({
      transferSyntaxUID: '1.2.840.10008.1.2.5',
      elements: { ...elements, NumberOfFrames: '2' },
      pixelData: { fragments, offsetTable: [0, 12] },
    });
    const p10 = await readP10(bufferSource(bytes));
    expect(p10.pixelData?.encapsulated).toBe(true);
    expect(p10.pixelData?.fragments?.map(({ length }) => length)).toEqual([8, 4, 2]);
    expect(p10.pixelData?.endBytes).toBe(bytes.length);
  });

  it('refuses a private element without a VR', () => {
    const object = { transferSyntaxUID: '1.2.840.10008.1.2.1', elements: { '00091001': 'x' } };
    expect(() => writeP10(object)).toThrow(/00091001: expected a VR/);
  });
});
