/** P10 objects for the tests: a CT slice with a gradient, and whatever a test wants to differ. */
import { type WriteElements, writeP10 } from '../../../shared/dicom/write.ts';

export const STUDY = '1.2.826.0.1.3680043.8.498.1';
export const SERIES = `${STUDY}.1`;

export interface SliceOptions {
  readonly number?: number;
  readonly size?: number;
  readonly elements?: WriteElements;
  readonly transferSyntaxUID?: string;
}

export function slicePixels(number: number, size: number): Uint16Array {
  return Uint16Array.from(
    { length: size * size },
    (_, i) => (((i % size) + Math.floor(i / size)) * 7 + number) % 4096,
  );
}

/** One CT instance of the same study and series; `number` makes its UID and its pixels. */
export function slice({
  number = 1,
  size = 64,
  elements = {},
  transferSyntaxUID,
}: SliceOptions = {}): Uint8Array {
  const pixels = slicePixels(number, size);
  return writeP10({
    transferSyntaxUID: transferSyntaxUID ?? '1.2.840.10008.1.2.1',
    elements: {
      SOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
      SOPInstanceUID: `${SERIES}.${number}`,
      StudyInstanceUID: STUDY,
      SeriesInstanceUID: SERIES,
      PatientID: 'P1',
      PatientName: 'Doe^Jane',
      PatientBirthDate: '19700101',
      PatientSex: 'F',
      StudyDate: '20240301',
      StudyTime: '101500',
      StudyID: 'S1',
      AccessionNumber: 'A1',
      Modality: 'CT',
      SeriesNumber: '1',
      InstanceNumber: String(number),
      Rows: size,
      Columns: size,
      SamplesPerPixel: 1,
      PhotometricInterpretation: 'MONOCHROME2',
      BitsAllocated: 16,
      BitsStored: 12,
      HighBit: 11,
      PixelRepresentation: 0,
      ...elements,
    },
    pixelData: new Uint8Array(pixels.buffer),
  });
}
