/**
 * Largest values of the elements that HealthImaging checks at import, in characters after decoding (guide, "Element
 * constraints"; 2024 from the guide of May 2024). An element without a number is not listed for that year.
 */
export interface ElementLimit {
  readonly keyword: string;
  readonly '2024'?: number;
  readonly current?: number;
}

export const LENGTH_LIMITS: readonly ElementLimit[] = [
  { keyword: 'PatientName', '2024': 256, current: 256 },
  { keyword: 'PatientID', '2024': 64, current: 256 },
  { keyword: 'PatientBirthDate', '2024': 18, current: 18 },
  { keyword: 'PatientSex', '2024': 16, current: 16 },
  { keyword: 'StudyInstanceUID', '2024': 64, current: 256 },
  { keyword: 'SeriesInstanceUID', current: 256 },
  { keyword: 'SOPInstanceUID', current: 256 },
  { keyword: 'StudyID', '2024': 16, current: 256 },
  { keyword: 'StudyDescription', '2024': 64, current: 256 },
  { keyword: 'AccessionNumber', '2024': 16, current: 256 },
  { keyword: 'StudyDate', '2024': 18, current: 18 },
  { keyword: 'StudyTime', '2024': 28, current: 28 },
];

/** Largest numbers. */
export const VALUE_LIMITS: readonly ElementLimit[] = [
  { keyword: 'NumberOfStudyRelatedSeries', '2024': 10_000, current: 1_000_000 },
  { keyword: 'NumberOfStudyRelatedInstances', '2024': 10_000, current: 1_000_000 },
];
