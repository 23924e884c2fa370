/** Ten objects that no data store should take, each broken in one way that hospitals really send. */
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';
import { ctInstance, type Place, SYNTAX, uidOf } from './series.ts';

export interface BrokenObject {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** The code of the outcomes table that it gets. */
  readonly code: string;
}

const MATRIX = { rows: 64, columns: 64 };

/** `place` names the patient, study and series that the broken ones would have belonged to. */
export function brokenObjects(place: Place): BrokenObject[] {
  const nth = (instance: number) => ctInstance({ ...place, instance }, MATRIX, 0.5);
  const encoded = (instance: number, change: WriteElements = {}, syntax: string = SYNTAX.explicitLittle) => {
    const sound = nth(instance);
    return writeP10({ ...sound, elements: { ...sound.elements, ...change }, transferSyntaxUID: syntax });
  };
  const whole = encoded(1);
  return [
    { name: 'empty.dcm', bytes: new Uint8Array(0), code: 'Empty' },
    { name: 'notes.txt', bytes: text('The disc of room 2 is in the second drawer.\n'), code: 'NotP10' },
    { name: 'truncated-header.dcm', bytes: whole.subarray(0, 420), code: 'TruncatedHeader' },
    {
      name: 'truncated-pixels.dcm',
      bytes: whole.subarray(0, whole.length - 3000),
      code: 'PixelDataTruncated',
    },
    {
      name: 'no-sop-instance-uid.dcm',
      bytes: encoded(2, { SOPInstanceUID: undefined }),
      code: 'MissingElement',
    },
    {
      name: 'long-patient-id.dcm',
      bytes: encoded(3, { PatientID: 'X'.repeat(300) }),
      code: 'ElementTooLong',
    },
    { name: 'bad-uid.dcm', bytes: encoded(4, { SeriesInstanceUID: '1.2.840.abc..7' }), code: 'InvalidUid' },
    { name: 'DICOMDIR', bytes: dicomDirectory(), code: 'DicomDirectory' },
    {
      name: 'unsupported-syntax.dcm',
      bytes: encoded(5, {}, '1.2.840.10008.1.2.4.94'), // JPIP referenced: the pixels are somewhere else
      code: 'UnsupportedTransferSyntax',
    },
    { name: 'export.zip', bytes: emptyZip(), code: 'NotP10' },
  ];
}

function text(words: string): Uint8Array {
  return new TextEncoder().encode(words);
}

/** The index of a disc: legal DICOM, but no instance. */
function dicomDirectory(): Uint8Array {
  return writeP10({
    transferSyntaxUID: SYNTAX.explicitLittle,
    elements: {
      FileSetID: 'DEMO',
      OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity: 0,
      OffsetOfTheLastDirectoryRecordOfTheRootDirectoryEntity: 0,
      FileSetConsistencyFlag: 0,
      DirectoryRecordSequence: [],
    },
    meta: {
      MediaStorageSOPClassUID: '1.2.840.10008.1.3.10',
      MediaStorageSOPInstanceUID: uidOf('dicomdir'),
    },
  });
}

/** A zip archive without entries: its end record, 22 bytes, after a comment-like name. */
function emptyZip(): Uint8Array {
  const bytes = new Uint8Array(22);
  bytes.set([0x50, 0x4b, 0x05, 0x06]);
  return bytes;
}
