/** The metadata document of an image set (reference section 7): its shape, its gzip form, and what search shows of it. */
import { promisify } from 'node:util';
import { constants, gunzip, gzip } from 'node:zlib';
import type { DicomTags } from '../store/records.ts';

export type DicomValue = string | number | null | DicomJson | readonly DicomValue[];
/** Attributes by keyword, or by `GGGGEEEE` where there is none. */
export interface DicomJson {
  readonly [keywordOrTag: string]: DicomValue;
}

export interface FrameChecksum {
  readonly Width: number;
  readonly Height: number;
  readonly Checksum: number;
}

export interface ImageFrame {
  readonly ID: string;
  /** Base to full resolution; only the full one in today's behaviour. */
  readonly PixelDataChecksumFromBaseToFullResolution: readonly FrameChecksum[];
  readonly MinPixelValue: number | null;
  readonly MaxPixelValue: number | null;
  readonly FrameSizeInBytes: number;
}

export interface InstanceDocument {
  readonly DICOM: DicomJson;
  /** VRs of private attributes, by tag. */
  readonly DICOMVRs: Readonly<Record<string, string>>;
  readonly StoredTransferSyntaxUID?: string;
  readonly ChecksumType?: string;
  readonly ImageFrames: readonly ImageFrame[];
}

export interface SeriesDocument {
  readonly DICOM: DicomJson;
  readonly Instances: Readonly<Record<string, InstanceDocument>>;
}

export interface ImageSetDocument {
  readonly SchemaVersion: '1.1';
  readonly DatastoreID: string;
  readonly ImageSetID: string;
  readonly Patient: { readonly DICOM: DicomJson };
  readonly Study: { readonly DICOM: DicomJson; readonly Series: Readonly<Record<string, SeriesDocument>> };
}

const deflate = promisify(gzip);
const inflate = promisify(gunzip);

/** Level 1: documents shrink tenfold all the same, in a quarter of the time. */
export async function packDocument(
  document: ImageSetDocument,
): Promise<{ bytes: Uint8Array; plainBytes: number }> {
  const plain = Buffer.from(JSON.stringify(document));
  const bytes = await deflate(plain, { level: constants.Z_BEST_SPEED });
  return { bytes, plainBytes: plain.length };
}

export async function unpackDocument(bytes: Uint8Array): Promise<ImageSetDocument> {
  return JSON.parse((await inflate(bytes)).toString('utf8')) as ImageSetDocument;
}

export function instancesOf(document: ImageSetDocument): [string, InstanceDocument][] {
  return Object.values(document.Study.Series).flatMap((series) => Object.entries(series.Instances));
}

/** The attributes that SearchImageSets knows, from the document. */
export function tagsOf(document: ImageSetDocument): DicomTags {
  const patient = document.Patient.DICOM;
  const study = document.Study.DICOM;
  const [seriesUID, seriesDocument] = Object.entries(document.Study.Series)[0] ?? [];
  const series = seriesDocument?.DICOM ?? {};
  const tags = {
    DICOMPatientId: textOf(patient.PatientID),
    DICOMPatientName: textOf(patient.PatientName),
    DICOMPatientBirthDate: textOf(patient.PatientBirthDate),
    DICOMPatientSex: textOf(patient.PatientSex),
    DICOMStudyInstanceUID: textOf(study.StudyInstanceUID),
    DICOMStudyId: textOf(study.StudyID),
    DICOMStudyDescription: textOf(study.StudyDescription),
    DICOMNumberOfStudyRelatedSeries: Object.keys(document.Study.Series).length,
    DICOMNumberOfStudyRelatedInstances: instancesOf(document).length,
    DICOMAccessionNumber: textOf(study.AccessionNumber),
    DICOMSeriesInstanceUID: seriesUID,
    DICOMSeriesModality: textOf(series.Modality),
    DICOMSeriesBodyPart: textOf(series.BodyPartExamined),
    DICOMSeriesNumber: seriesNumberOf(series.SeriesNumber),
    DICOMStudyDate: textOf(study.StudyDate),
    DICOMStudyTime: textOf(study.StudyTime),
  };
  return Object.fromEntries(Object.entries(tags).filter(([, value]) => value !== undefined)) as DicomTags;
}

function textOf(value: DicomValue | undefined): string | undefined {
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** IS as the int32 the API asks for; what is none is left out. */
function seriesNumberOf(value: DicomValue | undefined): number | undefined {
  const number = Number(textOf(value) ?? Number.NaN);
  return Number.isInteger(number) && Math.abs(number) <= 2 ** 31 - 1 ? number : undefined;
}
