/**
 * What HealthImaging wants of one object at import, under the profile of 2024 and the current one, as data. Sources:
 * the guide's pages "DICOM element constraints" and "endpoints and quotas" of that year and of 2026.
 */

export type Profile = '2024' | 'current';
export const PROFILES: readonly Profile[] = ['2024', 'current'];

export interface LengthLimit {
  readonly keyword: string;
  /** Characters after decoding, trailing padding not counted. */
  readonly '2024': number;
  readonly current: number;
  /**
   * What PS3.5 table 6.2-1 allows (a name: three groups of 64 and two `=`); longer values are accepted in `current` with
   * warning B202. Characters.
   */
  readonly standard: number;
  readonly source: string;
}

const GUIDE = 'guide, DICOM element constraints';
const UID_LENGTH =
  'PS3.5 9.1 for 2024 (not listed by the guide); guide, DICOM element constraints, since June 2024';

export const LENGTH_LIMITS: readonly LengthLimit[] = [
  { keyword: 'PatientName', 2024: 256, current: 256, standard: 194, source: GUIDE },
  { keyword: 'PatientID', 2024: 64, current: 256, standard: 64, source: GUIDE },
  { keyword: 'PatientBirthDate', 2024: 18, current: 18, standard: 18, source: GUIDE },
  { keyword: 'PatientSex', 2024: 16, current: 16, standard: 16, source: GUIDE },
  { keyword: 'StudyInstanceUID', 2024: 64, current: 256, standard: 64, source: GUIDE },
  { keyword: 'SeriesInstanceUID', 2024: 64, current: 256, standard: 64, source: UID_LENGTH },
  { keyword: 'SOPInstanceUID', 2024: 64, current: 256, standard: 64, source: UID_LENGTH },
  { keyword: 'StudyID', 2024: 16, current: 256, standard: 16, source: GUIDE },
  { keyword: 'StudyDescription', 2024: 64, current: 256, standard: 64, source: GUIDE },
  { keyword: 'AccessionNumber', 2024: 16, current: 256, standard: 16, source: GUIDE },
  { keyword: 'StudyDate', 2024: 18, current: 18, standard: 18, source: GUIDE },
  { keyword: 'StudyTime', 2024: 28, current: 28, standard: 28, source: GUIDE },
];

export interface CountLimit {
  readonly keyword: string;
  readonly '2024': number;
  readonly current: number;
  readonly source: string;
}

export const COUNT_LIMITS: readonly CountLimit[] = [
  { keyword: 'NumberOfStudyRelatedSeries', 2024: 10_000, current: 1_000_000, source: GUIDE },
  { keyword: 'NumberOfStudyRelatedInstances', 2024: 10_000, current: 1_000_000, source: GUIDE },
];

const GIB = 1024 ** 3;

/** Bytes of one object, and of its data elements besides the pixels. */
export const SIZE_LIMITS = {
  fileBytes: { 2024: 4 * GIB, current: 10 * GIB, source: 'guide, endpoints and quotas: one P10 file' },
  metadataBytes: {
    2024: 50 * 1024 * 1024,
    current: 50 * 1024 * 1024,
    source: 'guide, endpoints and quotas: metadata of an image set at import, copy, update',
  },
} as const;

export interface RequiredElement {
  readonly keyword: string;
  readonly source: string;
}

/**
 * Without these an object has no place. The guide of 2024 gives StudyInstanceUID a minimum length of 0; asking for it in
 * that profile too is our choice: an image set without a study could never be found again.
 */
export const REQUIRED_ELEMENTS: readonly RequiredElement[] = [
  { keyword: 'SOPClassUID', source: 'service message "DICOM attribute SOPClassUID does not exist"' },
  { keyword: 'SOPInstanceUID', source: 'PS3.3 C.12.1, type 1' },
  { keyword: 'StudyInstanceUID', source: 'PS3.3 C.7.2.1, type 1; our choice in 2024' },
  { keyword: 'SeriesInstanceUID', source: 'PS3.3 C.7.3.1, type 1' },
];

/** With pixel data: without them no frame can be cut out. */
export const REQUIRED_WITH_PIXELS: readonly RequiredElement[] = [
  { keyword: 'Rows', source: 'PS3.3 C.7.6.3, type 1' },
  { keyword: 'Columns', source: 'PS3.3 C.7.6.3, type 1' },
  { keyword: 'BitsAllocated', source: 'PS3.3 C.7.6.3, type 1' },
];

/** Pixels of one bit, as binary segmentations have them, came with the release of November 2024. */
export const ONE_BIT_PIXELS = {
  2024: false,
  current: true,
  source:
    'guide of 2024, supported SOP classes: binary segmentation unsupported; guide, releases November 2024',
} as const;

export const IDENTIFYING_UIDS = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'] as const;

/**
 * Which UIDs can be used. `2024`: as PS3.5 9.1 forms them. `current`: digits and dots, as the API's own patterns
 * (`[0-9.]+`); badly formed ones with warning B201.
 */
export const UID_FORM = {
  standard: /^(0|[1-9]\d*)(\.(0|[1-9]\d*))*$/,
  usable: /^(?=.*\d)[0-9.]+$/,
  source:
    'PS3.5 9.1; API model 2023-07-19, DICOMStudyInstanceUID; guide, releases June 2024 and December 2025',
} as const;
