/** Objects that are odd but legal, or wrong in ways that readers can repair, each with what must come out of it. */
import { type WriteElements, type WriteP10, writeDataSet, writeP10 } from '../../shared/dicom/write.ts';

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = `${IMPLICIT}.1`;
const BIG = `${IMPLICIT}.2`;
const RLE = `${IMPLICIT}.5`;

const sound: WriteElements = {
  SOPClassUID: '1.2.840.10008.5.1.4.1.1.7',
  SOPInstanceUID: '1.2.3.1.1',
  StudyInstanceUID: '1.2.3',
  SeriesInstanceUID: '1.2.3.1',
  PatientID: 'P1',
  PatientName: 'Test^Name',
  Modality: 'OT',
  SamplesPerPixel: 1,
  PhotometricInterpretation: 'MONOCHROME2',
  Rows: 3,
  Columns: 5,
  BitsAllocated: 8,
  BitsStored: 8,
  HighBit: 7,
  PixelRepresentation: 0,
};
const PIXELS = Uint8Array.from({ length: 15 }, (_, index) => index * 17);
const padded = (bytes: Uint8Array) => (bytes.length % 2 ? Buffer.concat([bytes, Buffer.alloc(1)]) : bytes);

function write(changes: WriteElements = {}, object: Partial<WriteP10> = {}): Buffer {
  const elements = { ...sound, ...changes };
  return Buffer.from(
    writeP10({ transferSyntaxUID: EXPLICIT, elements, pixelData: padded(PIXELS), ...object }),
  );
}

/** An RLE frame of one segment of literals. */
function rle(pixels: Uint8Array): Uint8Array {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(1, 0);
  header.writeUInt32LE(64, 4);
  return padded(Buffer.concat([header, Buffer.from([pixels.length - 1]), pixels]));
}

const little = { explicit: true, littleEndian: true };
const explicitElements = (elements: WriteElements) => Buffer.from(writeDataSet(elements, little, false));
const implicitElements = (elements: WriteElements) =>
  Buffer.from(writeDataSet(elements, { explicit: false, littleEndian: true }, false));

/** What stands in front of the first element of this tag (8 hex digits as in the file). */
function insertBefore(file: Buffer, tagInFile: string, inserted: Uint8Array): Buffer {
  const at = file.indexOf(Buffer.from(tagInFile, 'hex'), 132);
  if (at < 0) throw new Error(`no ${tagInFile}`);
  return Buffer.concat([file.subarray(0, at), inserted, file.subarray(at)]);
}

function without(file: Buffer, tagInFile: string, bytes: number): Buffer {
  const at = file.indexOf(Buffer.from(tagInFile, 'hex'), 132);
  return Buffer.concat([file.subarray(0, at), file.subarray(at + bytes)]);
}

export interface Expected {
  /** `accepted`, or a code; by profile where they differ. */
  readonly verdict?: string;
  readonly in2024?: string;
  readonly warnings?: readonly string[];
  /** Pixels of every frame; left out: none are looked at. */
  readonly frames?: readonly Uint8Array[];
  /** Elements of the document, at any level. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

const frameOf = (seed: number) => Uint8Array.from(PIXELS, (value) => (value + seed) & 0xff);
const F = [frameOf(0), frameOf(50), frameOf(100)];
const R = F.map(rle);
const offsetsOf = (fragments: readonly Uint8Array[]) => {
  let at = 0;
  return fragments.map(({ length }) => {
    const here = at;
    at += 8 + length;
    return here;
  });
};
const threeFrames = { NumberOfFrames: '3' };
const word64 = (values: readonly number[]) => {
  const out = Buffer.alloc(8 * values.length);
  for (const [index, value] of values.entries()) out.writeBigUInt64LE(BigInt(value), 8 * index);
  return out;
};
const words = (values: readonly number[]) => new Uint8Array(Uint16Array.from(values).buffer);
const PIXEL_TAG = 'e07f1000';

export const oddFiles: [name: string, file: Buffer, expected: Expected][] = [
  ['a plain one', write(), { frames: [PIXELS] }],
  [
    'private transfer syntax',
    write({}, { transferSyntaxUID: '1.2.840.113619.5.2' }),
    { warnings: ['B120'], in2024: 'UnsupportedTransferSyntax' },
  ],
  [
    'transfer syntax UID padded with a space',
    write({}, { meta: { TransferSyntaxUID: `${EXPLICIT} ` } }),
    { frames: [PIXELS] },
  ],
  [
    'UN of undefined length, its items in implicit VR',
    insertBefore(
      write(),
      PIXEL_TAG,
      Buffer.concat([
        Buffer.from('e97f1010554e0000ffffffff', 'hex').subarray(0, 0),
        Buffer.from('297f1010554e0000ffffffff', 'hex'),
        Buffer.from('feff00e0ffffffff', 'hex'),
        implicitElements({ PatientID: 'inner' }),
        Buffer.from('feff0de000000000feffdde000000000', 'hex'),
      ]),
    ),
    { frames: [PIXELS] },
  ],
  [
    'empty fragments among the full ones',
    write(threeFrames, {
      transferSyntaxUID: RLE,
      pixelData: { fragments: [R[0]!, new Uint8Array(), R[1]!, R[2]!] },
    }),
    { frames: F },
  ],
  [
    'a table of right offsets, two fragments a frame',
    write(threeFrames, {
      transferSyntaxUID: RLE,
      pixelData: {
        fragments: R.flatMap((r) => [r.subarray(0, 70), r.subarray(70)]),
        offsetTable: offsetsOf(R.flatMap((r) => [r.subarray(0, 70), r.subarray(70)])).filter(
          (_, i) => i % 2 === 0,
        ),
      },
    }),
    { frames: F },
  ],
  [
    'a table of wrong offsets, a fragment a frame',
    write(threeFrames, { transferSyntaxUID: RLE, pixelData: { fragments: R, offsetTable: [0, 3, 7] } }),
    { frames: F },
  ],
  [
    'a table that counts from the item of the table',
    write(threeFrames, {
      transferSyntaxUID: RLE,
      pixelData: { fragments: R, offsetTable: offsetsOf(R).map((o) => o + 20) },
    }),
    { frames: F },
  ],
  [
    'a table of one entry for three frames',
    write(threeFrames, { transferSyntaxUID: RLE, pixelData: { fragments: R, offsetTable: [0] } }),
    { frames: F },
  ],
  [
    'a table of zeros',
    write(threeFrames, { transferSyntaxUID: RLE, pixelData: { fragments: R, offsetTable: [0, 0, 0] } }),
    { frames: F },
  ],
  [
    'extended offset table',
    write(
      {
        ...threeFrames,
        ExtendedOffsetTable: { vr: 'OV', value: word64(offsetsOf(R)) },
        ExtendedOffsetTableLengths: { vr: 'OV', value: word64(R.map((r) => r.length)) },
      },
      { transferSyntaxUID: RLE, pixelData: { fragments: R } },
    ),
    { frames: F },
  ],
  [
    'extended offset table that lies',
    write(
      {
        ...threeFrames,
        ExtendedOffsetTable: { vr: 'OV', value: word64([0, 2 ** 40, 5]) },
        ExtendedOffsetTableLengths: { vr: 'OV', value: word64([1, 1, 1]) },
      },
      { transferSyntaxUID: RLE, pixelData: { fragments: R } },
    ),
    { frames: F },
  ],
  [
    'trailing padding',
    Buffer.concat([write(), Buffer.from('fcfffcff4f42000004000000', 'hex'), Buffer.alloc(4)]),
    { frames: [PIXELS] },
  ],
  [
    'zeros after the data set',
    Buffer.concat([write(), Buffer.alloc(2048)]),
    { frames: [PIXELS], warnings: ['TrailingBytes'] },
  ],
  [
    'three zeros after the data set',
    Buffer.concat([write(), Buffer.alloc(3)]),
    { frames: [PIXELS], warnings: ['TrailingBytes'] },
  ],
  ['an odd length of pixel data', write({}, { pixelData: PIXELS }), { frames: [PIXELS] }],
  [
    'an odd length of a text',
    insertBefore(write(), PIXEL_TAG, Buffer.from('280005114c4f0300616263', 'hex')),
    { frames: [PIXELS] },
  ],
  [
    'group 0002 in the data set',
    insertBefore(write(), '08001600', explicitElements({ ImplementationVersionName: 'AGAIN' })),
    { frames: [PIXELS], warnings: ['DuplicateElement', 'WrongMetaLength'] },
  ],
  [
    'a tag twice',
    insertBefore(write(), PIXEL_TAG, explicitElements({ PatientID: 'P2' })),
    { frames: [PIXELS], warnings: ['DuplicateElement'], metadata: { PatientID: 'P2' } },
  ],
  [
    'tags out of order',
    insertBefore(without(write(), '10002000', 10), PIXEL_TAG, explicitElements({ PatientID: 'P1' })),
    { frames: [PIXELS], metadata: { PatientID: 'P1' } },
  ],
  [
    'elements after the pixel data',
    Buffer.concat([write(), explicitElements({ DigitalSignaturesSequence: [{ MACIDNumber: 1 }] })]),
    { frames: [PIXELS] },
  ],
  [
    'group lengths',
    insertBefore(
      insertBefore(write(), '10001000', Buffer.from('10000000554c0400ff000000', 'hex')),
      PIXEL_TAG,
      Buffer.from('e07f0000554c040018000000', 'hex'),
    ),
    { frames: [PIXELS] },
  ],
  [
    '8 bits as OW in big endian',
    write({}, { transferSyntaxUID: BIG, pixelData: padded(PIXELS) }),
    { frames: [PIXELS] },
  ],
  [
    '16 bits in big endian',
    write(
      { BitsAllocated: 16, BitsStored: 16, HighBit: 15 },
      { transferSyntaxUID: BIG, pixelData: words([...PIXELS].map((v) => v * 257)) },
    ),
    { frames: [words([...PIXELS].map((v) => v * 257))] },
  ],
  ['NumberOfFrames empty', write({ NumberOfFrames: null }), { frames: [PIXELS] }],
  [
    'NumberOfFrames padded with NUL',
    write({ NumberOfFrames: { vr: 'IS', value: Buffer.from('1\0', 'latin1') } }),
    { frames: [PIXELS] },
  ],
  ['NumberOfFrames 0', write({ NumberOfFrames: '0' }), { frames: [PIXELS] }],
  ['NumberOfFrames with spaces and a sign', write({ NumberOfFrames: ' +1 ' }), { frames: [PIXELS] }],
  ['no PixelRepresentation', write({ PixelRepresentation: undefined }), { frames: [PIXELS] }],
  ['no BitsStored and HighBit', write({ BitsStored: undefined, HighBit: undefined }), { frames: [PIXELS] }],
  ['no SamplesPerPixel', write({ SamplesPerPixel: undefined }), { frames: [PIXELS] }],
  ['no PhotometricInterpretation', write({ PhotometricInterpretation: undefined }), { frames: [PIXELS] }],
  [
    'HighBit that does not fit',
    write({ HighBit: 0 }),
    { warnings: ['B110'], in2024: 'UnsupportedPixelData' },
  ],
  [
    'one bit, frames not on bytes',
    write(
      { ...threeFrames, BitsAllocated: 1, BitsStored: 1, HighBit: 0 },
      { pixelData: Buffer.from([0b10110101, 0b01111010, 0b00110011, 0b11001100, 0b10101010, 0b00010101]) },
    ),
    {
      in2024: 'UnsupportedPixelData',
      frames: [0, 15, 30].map((first) =>
        Uint8Array.from(
          { length: 15 },
          (_, i) =>
            ([0b10110101, 0b01111010, 0b00110011, 0b11001100, 0b10101010, 0b00010101][(first + i) >> 3]! >>
              ((first + i) & 7)) &
            1,
        ),
      ),
    },
  ],
  [
    'RGB of 16 bits by plane',
    write(
      {
        SamplesPerPixel: 3,
        PhotometricInterpretation: 'RGB',
        PlanarConfiguration: 1,
        BitsAllocated: 16,
        BitsStored: 16,
        HighBit: 15,
      },
      { pixelData: words(Array.from({ length: 45 }, (_, i) => i * 1000)) },
    ),
    { frames: [words(Array.from({ length: 45 }, (_, i) => (Math.floor(i / 3) + 15 * (i % 3)) * 1000))] },
  ],
  [
    'a palette of 16-bit entries',
    write({
      PhotometricInterpretation: 'PALETTE COLOR',
      RedPaletteColorLookupTableDescriptor: [256, 0, 16],
      GreenPaletteColorLookupTableDescriptor: [256, 0, 16],
      BluePaletteColorLookupTableDescriptor: [256, 0, 16],
      RedPaletteColorLookupTableData: Buffer.alloc(512, 1),
      GreenPaletteColorLookupTableData: Buffer.alloc(512, 2),
      BluePaletteColorLookupTableData: Buffer.alloc(512, 3),
    }),
    { frames: [PIXELS] },
  ],
  [
    'a name with escapes in its groups',
    write({
      SpecificCharacterSet: ['', 'ISO 2022 IR 87'],
      PatientName: {
        vr: 'PN',
        value: Buffer.concat([
          Buffer.from(
            'Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B',
            'latin1',
          ),
        ]),
      },
    }),
    { frames: [PIXELS], metadata: { PatientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' } },
  ],
  [
    'Latin 1 by its code alone',
    write({
      SpecificCharacterSet: 'ISO_IR 100',
      PatientName: { vr: 'PN', value: Buffer.from('Müller^Ä ', 'latin1') },
    }),
    { metadata: { PatientName: 'Müller^Ä' } },
  ],
  ['an unknown character set', write({ SpecificCharacterSet: 'ISO_IR 999' }), { frames: [PIXELS] }],
  [
    'misspelt character set',
    write({
      SpecificCharacterSet: 'ISO IR 100',
      PatientName: { vr: 'PN', value: Buffer.from('Müller', 'latin1') },
    }),
    { metadata: { PatientName: 'Müller' } },
  ],
  [
    'UTF-8 without a character set',
    write({
      PatientName: { vr: 'PN', value: Buffer.from('Müller^X', 'utf8') },
      SpecificCharacterSet: undefined,
    }),
    { frames: [PIXELS] },
  ],
  [
    'sequences of undefined length',
    write({ ReferencedImageSequence: [{ ReferencedSOPInstanceUID: '1.2' }, {}] }, { undefinedLengths: true }),
    { frames: [PIXELS] },
  ],
  [
    'an empty sequence of undefined length',
    insertBefore(
      write(),
      PIXEL_TAG,
      Buffer.from('280050515351 0000ffffffff feffdde000000000'.replaceAll(' ', ''), 'hex'),
    ),
    { frames: [PIXELS] },
  ],
  [
    'implicit VR',
    write({}, { transferSyntaxUID: IMPLICIT, pixelData: padded(PIXELS) }),
    { frames: [PIXELS] },
  ],
  [
    'more bytes than the frames take',
    write({}, { pixelData: Buffer.concat([padded(PIXELS), Buffer.alloc(400)]) }),
    { frames: [PIXELS] },
  ],
  ['a UID padded with spaces', write({ StudyInstanceUID: '1.2.3 ' }), { frames: [PIXELS] }],
  [
    'pixel data of no bytes',
    write({}, { pixelData: new Uint8Array() }),
    { verdict: 'PixelDataTruncated', in2024: 'PixelDataTruncated' },
  ],
  [
    'encapsulated without a fragment',
    write({}, { transferSyntaxUID: RLE, pixelData: { fragments: [] } }),
    { verdict: 'PixelDataTruncated', in2024: 'PixelDataTruncated' },
  ],
  [
    'encapsulated in a native syntax',
    write({}, { transferSyntaxUID: EXPLICIT, pixelData: { fragments: [R[0]!] } }),
    { warnings: ['B110'], in2024: 'UnsupportedPixelData' },
  ],
  [
    'native in an encapsulated syntax',
    write({}, { transferSyntaxUID: RLE }),
    { warnings: ['B110'], in2024: 'UnsupportedPixelData' },
  ],
  [
    'more frames than fragments',
    write({ NumberOfFrames: '5' }, { transferSyntaxUID: RLE, pixelData: { fragments: R } }),
    { warnings: ['B111'], in2024: 'PixelDataTruncated' },
  ],
  [
    'more fragments than frames, of a syntax without markers',
    write({ NumberOfFrames: '2' }, { transferSyntaxUID: RLE, pixelData: { fragments: R } }),
    { warnings: ['B111'], in2024: 'PixelDataTruncated' },
  ],
  [
    'a patient id over the length of the standard',
    write({ PatientID: 'x'.repeat(80) }),
    { in2024: 'ElementTooLong', warnings: ['B202'] },
  ],
  [
    'a UID with a leading zero',
    write({ StudyInstanceUID: '1.2.03' }),
    { in2024: 'InvalidUid', warnings: ['B201'] },
  ],
  [
    'a name over the length of the standard',
    write({ PatientName: `${'y'.repeat(100)}^${'z'.repeat(100)}` }),
    { frames: [PIXELS] },
  ],
];
