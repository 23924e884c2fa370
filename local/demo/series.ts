/**
 * The demonstration's sound instances: data sets of several modalities over the phantoms. Nobody was examined, nothing
 * is copied; each UID is derived from its name, so that the same demonstration comes out every time.
 */
import { createHash } from 'node:crypto';
import type { WriteElements, WriteP10 } from '../../shared/dicom/write.ts';
import { chestCt, dopplerFrame, headMr, type Matrix, plateRadiograph } from './phantom.ts';

/** What writeP10 takes. */
export type DemoInstance = WriteP10;

export const SYNTAX = {
  implicitLittle: '1.2.840.10008.1.2',
  explicitLittle: '1.2.840.10008.1.2.1',
  explicitBig: '1.2.840.10008.1.2.2',
} as const;

/** A UID under 2.25 (a UUID as a number, PS3.5 B.2) that follows from the name. */
export function uidOf(name: string): string {
  const digest = createHash('sha256').update(`isocenter demonstration ${name}`).digest('hex').slice(0, 30);
  return `2.25.${BigInt(`0x${digest}`)}`;
}

export interface DemoPatient {
  readonly id: string;
  readonly name: string;
  readonly birthDate: string;
  readonly sex: 'F' | 'M' | 'O';
}

/** What the study and series of an instance are called. */
export interface Place {
  readonly patient: DemoPatient;
  readonly study: string;
  readonly series: string;
  readonly description: string;
  /** From 1. */
  readonly instance: number;
  /** Another way to write the date of the study; a grouping element of the service. */
  readonly studyDate?: string;
}

function common(place: Place, modality: string, sopClassUID: string): WriteElements {
  const { patient, study, series, instance } = place;
  return {
    SpecificCharacterSet: 'ISO_IR 100',
    SOPClassUID: sopClassUID,
    SOPInstanceUID: uidOf(`${study}/${series}/${instance}`),
    StudyDate: place.studyDate ?? '20260131',
    SeriesDate: '20260131',
    ContentDate: '20260131',
    StudyTime: '093000',
    AccessionNumber: study.toUpperCase(),
    Modality: modality,
    Manufacturer: 'Isocenter',
    ReferringPhysicianName: '',
    StudyDescription: 'Demonstration',
    SeriesDescription: place.description,
    ManufacturerModelName: 'Phantom',
    PatientName: patient.name,
    PatientID: patient.id,
    PatientBirthDate: patient.birthDate,
    PatientSex: patient.sex,
    StudyInstanceUID: uidOf(study),
    SeriesInstanceUID: uidOf(`${study}/${series}`),
    StudyID: 'DEMO',
    SeriesNumber: '1',
    InstanceNumber: String(instance),
  };
}

function grey(matrix: Matrix, bitsStored: number, signed: boolean): WriteElements {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: matrix.rows,
    Columns: matrix.columns,
    BitsAllocated: 16,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: signed ? 1 : 0,
  };
}

function bytesOf(pixels: Int16Array): Uint8Array {
  return new Uint8Array(pixels.buffer, pixels.byteOffset, pixels.byteLength);
}

/** A CT slice, 16 bits signed in Hounsfield units. `level` 0…1 is the height in the phantom. */
export function ctInstance(place: Place, matrix: Matrix, level: number, seed = place.instance): DemoInstance {
  const spacing = 360 / matrix.columns;
  return {
    transferSyntaxUID: SYNTAX.explicitLittle,
    elements: {
      ...common(place, 'CT', '1.2.840.10008.5.1.4.1.1.2'),
      ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      BodyPartExamined: 'CHEST',
      SliceThickness: '2.5',
      KVP: '120',
      PatientPosition: 'HFS',
      ImagePositionPatient: ['-180', '-180', String(-2.5 * place.instance)],
      ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
      FrameOfReferenceUID: uidOf(`${place.study}/frame`),
      PixelSpacing: [spacing.toFixed(4), spacing.toFixed(4)],
      WindowCenter: '40',
      WindowWidth: '400',
      RescaleIntercept: '0',
      RescaleSlope: '1',
      ...grey(matrix, 16, true),
    },
    pixelData: bytesOf(chestCt(matrix, level, seed)),
  };
}

/** An MR slice, 12 bits signed in 16, implicit little endian. */
export function mrInstance(place: Place, matrix: Matrix, level: number): DemoInstance {
  return {
    transferSyntaxUID: SYNTAX.implicitLittle,
    elements: {
      ...common(place, 'MR', '1.2.840.10008.5.1.4.1.1.4'),
      ImageType: ['ORIGINAL', 'PRIMARY', 'R', 'IR'],
      BodyPartExamined: 'HEAD',
      ScanningSequence: 'IR',
      SequenceVariant: 'NONE',
      ScanOptions: '',
      MRAcquisitionType: '2D',
      SliceThickness: '5',
      RepetitionTime: '4000',
      EchoTime: '15',
      InversionTime: '400',
      PatientPosition: 'HFS',
      ImagePositionPatient: ['-120', '-120', String(5 * place.instance)],
      ImageOrientationPatient: ['1', '0', '0', '0', '1', '0'],
      FrameOfReferenceUID: uidOf(`${place.study}/frame`),
      PixelSpacing: ['0.9375', '0.9375'],
      ...grey(matrix, 12, true),
    },
    pixelData: bytesOf(headMr(matrix, level, place.instance)),
  };
}

/** A multi-frame ultrasound loop in RGB, pixel by pixel. */
export function usInstance(place: Place, matrix: Matrix, frames: number): DemoInstance {
  const frameBytes = matrix.rows * matrix.columns * 3;
  const pixels = new Uint8Array(frames * frameBytes);
  for (let frame = 0; frame < frames; frame += 1)
    pixels.set(dopplerFrame(matrix, frame / frames, frame + 1), frame * frameBytes);
  return {
    transferSyntaxUID: SYNTAX.explicitLittle,
    elements: {
      ...common(place, 'US', '1.2.840.10008.5.1.4.1.1.3.1'),
      ImageType: ['ORIGINAL', 'PRIMARY'],
      FrameTime: '40',
      FrameIncrementPointer: '00181063',
      SamplesPerPixel: 3,
      PhotometricInterpretation: 'RGB',
      PlanarConfiguration: 0,
      NumberOfFrames: String(frames),
      Rows: matrix.rows,
      Columns: matrix.columns,
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelRepresentation: 0,
    },
    pixelData: pixels,
  };
}

/** A radiograph from a plate, 12 bits unsigned, in the retired big-endian syntax. */
export function crInstance(place: Place, matrix: Matrix): DemoInstance {
  return {
    transferSyntaxUID: SYNTAX.explicitBig,
    elements: {
      ...common(place, 'CR', '1.2.840.10008.5.1.4.1.1.1'),
      ImageType: ['ORIGINAL', 'PRIMARY'],
      BodyPartExamined: 'HAND',
      ViewPosition: 'PA',
      ImagerPixelSpacing: ['0.4', '0.4'],
      ...grey(matrix, 12, false),
    },
    pixelData: bytesOf(plateRadiograph(matrix, place.instance)),
  };
}

/** A structured report: text in a content tree, no pixels. */
export function srInstance(place: Place): DemoInstance {
  const code = (value: string, meaning: string): WriteElements => ({
    CodeValue: value,
    CodingSchemeDesignator: 'DCM',
    CodeMeaning: meaning,
  });
  return {
    transferSyntaxUID: SYNTAX.explicitLittle,
    elements: {
      ...common(place, 'SR', '1.2.840.10008.5.1.4.1.1.88.11'),
      ContentTime: '094500',
      ValueType: 'CONTAINER',
      ConceptNameCodeSequence: [code('126000', 'Imaging Measurement Report')],
      ContinuityOfContent: 'SEPARATE',
      CompletionFlag: 'COMPLETE',
      VerificationFlag: 'UNVERIFIED',
      ContentSequence: [
        {
          RelationshipType: 'CONTAINS',
          ValueType: 'TEXT',
          ConceptNameCodeSequence: [code('121071', 'Finding')],
          TextValue: 'A phantom. It is well.',
        },
      ],
    },
  };
}
