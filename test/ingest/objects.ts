/** Small P10 objects for the tests of the pipeline: nobody's, with made-up UIDs. */
import { createHash } from 'node:crypto';
import { type WriteElements, writeP10 } from '../../shared/dicom/write.ts';

export function uid(name: string): string {
  const digest = createHash('sha256').update(name).digest('hex').slice(0, 30);
  return `2.25.${BigInt(`0x${digest}`)}`;
}

export interface Made {
  readonly study?: string;
  readonly series?: string;
  readonly sop?: string;
  readonly patient?: Partial<Record<'PatientID' | 'PatientName' | 'PatientBirthDate' | 'PatientSex', string>>;
  readonly elements?: WriteElements;
  /** Four bytes of each of two rows; none for an object without pixels. */
  readonly pixels?: number;
}

/** A 2 × 2 image of 16 bits, or a report without pixels. */
export function p10(made: Made = {}): Uint8Array {
  const { study = 'study', series = 'series', sop = 'sop', pixels } = made;
  const image =
    pixels === undefined
      ? {}
      : {
          Rows: 2,
          Columns: 2,
          SamplesPerPixel: 1,
          PhotometricInterpretation: 'MONOCHROME2',
          BitsAllocated: 16,
          BitsStored: 12,
          HighBit: 11,
          PixelRepresentation: 0,
        };
  return writeP10({
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    elements: {
      SOPClassUID: pixels === undefined ? '1.2.840.10008.5.1.4.1.1.88.11' : '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: uid(`${series}/${sop}`),
      Modality: pixels === undefined ? 'SR' : 'CT',
      PatientName: 'Nobody^Test',
      PatientID: 'N-1',
      PatientBirthDate: '19700101',
      PatientSex: 'O',
      StudyInstanceUID: uid(study),
      SeriesInstanceUID: uid(`${study}/${series}`),
      ...image,
      ...made.patient,
      ...made.elements,
    },
    ...(pixels === undefined ? {} : { pixelData: new Uint8Array(8).map((_, i) => (pixels + i) % 8) }),
  });
}
