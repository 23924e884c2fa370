/** Reading P10 objects: the manifest's facts, ranged reads, truncation, hostile lengths. */
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { DicomError, integer, type P10Limits, readP10, text } from '../../shared/dicom/p10.ts';
import { type WriteElements, writeDataSet, writeP10 } from '../../shared/dicom/write.ts';
import { hasSharedDicom, readManifest, readShared } from '../shared-material.ts';
import { bufferSource, countingSource, hollowSource } from './corpus.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const SYNTAXES = ['1.2.840.10008.1.2', EXPLICIT, '1.2.840.10008.1.2.2'];
const little = { explicit: true, littleEndian: true };

const elements: WriteElements = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.4',
  PatientID: 'P1',
  ReferencedStudySequence: [{ ReferencedSOPInstanceUID: '1.2' }, {}],
  Rows: 2,
  Columns: 2,
  BitsAllocated: 16,
};

/** A P10 object whose data set is the given bytes. */
function withBody(body: Uint8Array, transferSyntaxUID: string = EXPLICIT): Uint8Array {
  return Buffer.concat([writeP10({ transferSyntaxUID, elements: {} }), body]);
}

async function codeOf(bytes: Uint8Array, limits: Partial<P10Limits> = {}): Promise<string> {
  try {
    await readP10(bufferSource(bytes), limits);
    return 'read';
  } catch (error) {
    if (error instanceof DicomError) return error.code;
    throw error;
  }
}

describe.skipIf(!hasSharedDicom)('readP10 on the shared material', () => {
  const refused: Record<string, string> = {
    'broken/3gb-bulk-data-truncated.dcm': 'PixelDataTruncated',
    'broken/MR_truncated.dcm': 'PixelDataTruncated',
    'broken/emri_small_jpeg_2k_lossless_too_short.dcm': 'PixelDataTruncated',
    'broken/meta_missing_tsyntax.dcm': 'NoTransferSyntax',
    'broken/no_meta.dcm': 'NotP10',
    'broken/rtplan_truncated.dcm': 'TruncatedHeader',
  };
  const manifest = hasSharedDicom ? readManifest().files : [];

  it('agrees with the manifest on every file that it reads, and reads all but the cut ones', async () => {
    const differences: string[] = [];
    for (const file of manifest) {
      const bytes = readShared(file.path);
      const code = await codeOf(bytes);
      expect([file.path, code]).toEqual([file.path, refused[file.path] ?? 'read']);
      if (code !== 'read') continue;
      const p10 = await readP10(bufferSource(bytes));
      const facts: [string, unknown, unknown][] = [
        ['transferSyntaxUID', p10.hasFileMeta ? p10.meta.transferSyntaxUID : null, file.transferSyntaxUID],
        ['SOPInstanceUID', text(p10, 'SOPInstanceUID'), file.sopInstanceUID],
        ['Rows', integer(p10, 'Rows'), file.rows],
        ['Columns', integer(p10, 'Columns'), file.columns],
        ['NumberOfFrames', integer(p10, 'NumberOfFrames'), file.frames],
        ['BitsStored', integer(p10, 'BitsStored'), file.bitsStored],
        ['PhotometricInterpretation', text(p10, 'PhotometricInterpretation'), file.photometricInterpretation],
      ];
      for (const [name, got, wanted] of facts)
        if ((got ?? null) !== (wanted ?? null))
          differences.push(`${file.path} ${name}: ${got}, not ${wanted}`);
    }
    expect(differences).toEqual([]);
  });

  it('gives the same elements whatever the size of the first read', async () => {
    for (const path of [
      'modalities/CT_small.dcm',
      'multiframe/emri_small_RLE.dcm',
      'charsets/chrSQEncoding.dcm',
    ]) {
      const bytes = readShared(path);
      const whole = await readP10(bufferSource(bytes));
      for (const firstReadBytes of [1, 7, 13, 300, 4096]) {
        const pieces = await readP10(bufferSource(bytes), { firstReadBytes });
        expect([...pieces.dataset.elements.keys()]).toEqual([...whole.dataset.elements.keys()]);
        expect(pieces.pixelData).toEqual(whole.pixelData);
        for (const [tag, element] of whole.dataset.elements)
          expect(pieces.dataset.elements.get(tag)?.value).toEqual(element.value);
      }
    }
  });

  it('notices a cut at every byte of small files, or stops at a whole element', async () => {
    for (const path of ['broken/no-meta-length-test.dcm', 'constraints/GH223.dcm', 'broken/priv_SQ.dcm']) {
      const bytes = readShared(path);
      const whole = await readP10(bufferSource(bytes));
      const ends = new Set([...whole.dataset.elements.values()].map(({ offset, length }) => offset + length));
      for (let cut = 133; cut < bytes.length; cut++) {
        const code = await codeOf(bytes.subarray(0, cut));
        if (
          code === 'read' &&
          !ends.has(cut) &&
          cut > (whole.dataset.elements.values().next().value?.offset ?? 0)
        ) {
          const delimited = bytes.subarray(cut - 8, cut);
          expect([path, cut, Buffer.from(delimited).toString('hex')]).toEqual([
            path,
            cut,
            'feffdde000000000',
          ]);
        }
      }
    }
  });
});

describe('readP10 reads the head only', () => {
  it('steps over native pixels without reading them, and reads what follows', async () => {
    const pixelBytes = 1024 ** 3;
    const trailer = writeDataSet({ '7FE10010': { vr: 'LO', value: 'ISOCENTER' } }, little, false);
    const head = writeP10({ transferSyntaxUID: EXPLICIT, elements, pixelData: new Uint8Array(0) });
    new DataView(head.buffer, head.byteOffset).setUint32(head.length - 4, pixelBytes, true);
    const source = hollowSource(head, head.length + pixelBytes + trailer.length);
    const read = source.read.bind(source);
    const withTrailer = {
      ...source,
      read: async (start: number, end: number) =>
        start >= head.length + pixelBytes
          ? trailer.subarray(start - head.length - pixelBytes)
          : read(start, end),
    };
    const p10 = await readP10(withTrailer);
    expect(p10.pixelData?.lengthBytes).toBe(pixelBytes);
    expect(text(p10, 0x7fe10010)).toBe('ISOCENTER');
    expect(source.bytesRead()).toBeLessThan(200_000);
  });

  it('steps over big fragments by their headers', async () => {
    const fragments = Array.from({ length: 4 }, () => new Uint8Array(600_000));
    const bytes = writeP10({ transferSyntaxUID: '1.2.840.10008.1.2.5', elements, pixelData: { fragments } });
    const source = countingSource(bytes);
    const p10 = await readP10(source);
    expect(p10.pixelData?.fragments).toHaveLength(5);
    expect(source.bytesRead()).toBeLessThan(700_000);
    const skipped = await readP10(bufferSource(bytes), { fragments: 1000 });
    expect([skipped.pixelData?.fragments, skipped.pixelData?.endBytes]).toEqual([undefined, bytes.length]);
  });

  it('fails, and goes on no longer, when the source gives less than it has', async () => {
    const bytes = writeP10({ transferSyntaxUID: EXPLICIT, elements });
    const short = {
      sizeBytes: bytes.length,
      read: async (start: number) => bytes.subarray(start, start + 3),
    };
    await expect(readP10(short)).rejects.toThrow(/source: expected \d+ bytes at byte 0, got 3/);
  });

  it('leaves big binary values in the source', async () => {
    const value = new Uint8Array(200_000).fill(7);
    const bytes = writeP10({
      transferSyntaxUID: EXPLICIT,
      elements: { ...elements, EncapsulatedDocument: value },
    });
    const element = (await readP10(bufferSource(bytes))).dataset.elements.get(0x00420011);
    expect([element?.value, element?.length]).toEqual([undefined, 200_000]);
  });
});

describe('readP10 repairs what writers get wrong', () => {
  for (const declared of SYNTAXES)
    for (const actual of SYNTAXES) {
      it(`reads ${actual} under a header that says ${declared}`, async () => {
        const flags = { explicit: actual !== SYNTAXES[0], littleEndian: actual !== SYNTAXES[2] };
        const p10 = await readP10(bufferSource(withBody(writeDataSet(elements, flags, false), declared)));
        expect([text(p10, 'PatientID'), integer(p10, 'Rows')]).toEqual(['P1', 2]);
        expect(p10.warnings.length > 0).toBe(declared !== actual);
      });
    }

  it('takes UN of known elements and UN sequences for what they are (CP-246)', async () => {
    const inner = writeDataSet(
      { ReferencedSOPInstanceUID: '1.9' },
      { explicit: false, littleEndian: true },
      false,
    );
    const item = Buffer.from([0xfe, 0xff, 0, 0xe0, inner.length, 0, 0, 0, ...inner]);
    const body = writeDataSet(
      {
        PatientID: { vr: 'UN', value: Buffer.from('P2') },
        ReferencedStudySequence: { vr: 'UN', value: item },
      },
      little,
      false,
    );
    const p10 = await readP10(bufferSource(withBody(body)));
    expect(text(p10, 'PatientID')).toBe('P2');
    const [only] = p10.dataset.elements.get(0x00081110)?.items ?? [];
    expect(only && text(only, 'ReferencedSOPInstanceUID')).toBe('1.9');
  });

  it('keeps an UN value that only looks like a sequence as bytes', async () => {
    const lie = Buffer.from([0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0x7f, 1, 2, 3, 4]);
    const body = writeDataSet({ ReferencedStudySequence: { vr: 'UN', value: lie }, Rows: 9 }, little, false);
    const p10 = await readP10(bufferSource(withBody(body)));
    expect(p10.dataset.elements.get(0x00081110)?.value).toEqual(new Uint8Array(lie));
    expect(integer(p10, 'Rows')).toBe(9);
  });

  it('does without preamble, and without a group length', async () => {
    const bytes = writeP10({ transferSyntaxUID: EXPLICIT, elements });
    const bare = await readP10(bufferSource(bytes.subarray(132)));
    expect([bare.hasPreamble, bare.hasFileMeta, text(bare, 'PatientID')]).toEqual([false, true, 'P1']);
    const noLength = Buffer.concat([bytes.subarray(0, 132), bytes.subarray(144)]);
    expect((await readP10(bufferSource(noLength))).warnings.map(({ code }) => code)).toEqual([
      'NoMetaLength',
    ]);
  });
});

describe('readP10 against hostile bytes', () => {
  /** `depth` sequences, each the only element of the item before; undefined lengths, never closed. */
  function nestingBomb(depth: number, explicit: boolean): Uint8Array {
    const level = explicit
      ? [0x08, 0, 0x10, 0x11, 0x53, 0x51, 0, 0, 0xff, 0xff, 0xff, 0xff]
      : [0x08, 0, 0x10, 0x11, 0xff, 0xff, 0xff, 0xff];
    const item = [0xfe, 0xff, 0, 0xe0, 0xff, 0xff, 0xff, 0xff];
    return Buffer.concat(Array.from({ length: depth }, () => Buffer.from([...level, ...item])));
  }

  it('refuses nesting bombs', async () => {
    expect(await codeOf(withBody(nestingBomb(50_000, true)))).toBe('MalformedDataset');
    expect(await codeOf(withBody(nestingBomb(50_000, false), SYNTAXES[0]))).toBe('MalformedDataset');
  });

  it('refuses element bombs, by number and by bytes', async () => {
    const one = writeDataSet({ PatientID: null }, little, false);
    const many = withBody(Buffer.concat(Array.from({ length: 60_000 }, () => one)));
    expect(await codeOf(many, { maxElements: 50_000 })).toBe('MetadataTooLarge');
    expect(await codeOf(many, { maxMetadataBytes: 100_000 })).toBe('MetadataTooLarge');
  });

  it('refuses a deflate bomb before it fills the memory', async () => {
    const bomb = deflateRawSync(new Uint8Array(64 * 1024 * 1024));
    // The writer deflates even an empty data set, to the two bytes that the bomb replaces.
    const bytes = Buffer.concat([withBody(Buffer.of(), '1.2.840.10008.1.2.1.99').subarray(0, -2), bomb]);
    expect(await codeOf(bytes, { maxInflatedBytes: 1024 * 1024 })).toBe('FileTooLarge');
  });

  it('reads a big deflated data set in flat memory, forward and back', async () => {
    const pixelData = new Uint8Array(40 * 1024 * 1024);
    for (let at = 0; at < pixelData.length; at += 4096) pixelData.fill((at >> 12) & 0xff, at, at + 4096);
    const bytes = writeP10({ transferSyntaxUID: '1.2.840.10008.1.2.1.99', elements, pixelData });
    const { pixelData: found, source } = await readP10(bufferSource(bytes));
    expect(found?.lengthBytes).toBe(pixelData.length);
    for (const at of [0, 20_000_000, 39_999_990, 100]) {
      const start = (found?.offset ?? 0) + at;
      expect(await source.read(start, start + 8)).toEqual(pixelData.subarray(at, at + 8));
    }
  });

  it('refuses a length beyond the file, or beyond what holds it, in every encoding', async () => {
    for (const transferSyntaxUID of SYNTAXES) {
      const flags = {
        explicit: transferSyntaxUID !== SYNTAXES[0],
        littleEndian: transferSyntaxUID !== SYNTAXES[2],
      };
      const body = writeDataSet({ PatientComments: 'x'.repeat(40), Rows: 1 }, flags, false);
      expect(await codeOf(withBody(body.subarray(0, 30), transferSyntaxUID))).toBe('TruncatedHeader');
      const nested = writeDataSet(
        { ReferencedStudySequence: [{ PatientID: 'ABCD' }], Rows: 1 },
        flags,
        false,
      );
      const at = Buffer.from(nested).indexOf('ABCD');
      nested[at - (flags.littleEndian && !flags.explicit ? 4 : flags.littleEndian ? 2 : 1)] = 0x20;
      expect(await codeOf(withBody(nested, transferSyntaxUID))).toBe('MalformedDataset');
    }
  });

  it('notices a cut at every byte of a generated file in every encoding', async () => {
    for (const transferSyntaxUID of [...SYNTAXES, '1.2.840.10008.1.2.5'])
      for (const undefinedLengths of [false, true]) {
        const isNative = transferSyntaxUID !== '1.2.840.10008.1.2.5';
        const pixelData = isNative ? new Uint8Array(8).fill(1) : { fragments: [Uint8Array.of(1, 2)] };
        const bytes = writeP10({ transferSyntaxUID, elements, pixelData, undefinedLengths });
        const whole = await readP10(bufferSource(bytes));
        const starts = [...whole.dataset.elements.values()].map(({ offset }) => offset);
        const unnoticed: number[] = [];
        for (let cut = 0; cut < bytes.length; cut++)
          if ((await codeOf(bytes.subarray(0, cut))) === 'read') unnoticed.push(cut);
        // Only where the cut falls between two elements of the data set is the rest a whole data set.
        expect(unnoticed.length).toBeLessThanOrEqual(starts.length);
        for (const cut of unnoticed)
          expect(starts.some((start) => start - cut === 8 || start - cut === 12)).toBe(true);
      }
  });
});
