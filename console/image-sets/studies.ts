/** Image sets as SearchImageSets gives them, by study and series; what their DICOMTags say. Pure. */
import type { ImageSetSummary } from '../../shared/console/api.ts';

export interface Series {
  readonly seriesInstanceUID: string;
  /** The primary one first. */
  readonly imageSets: readonly ImageSetSummary[];
  /** Its instances are in several image sets, or in one that is not the primary. */
  readonly hasVariants: boolean;
}

export interface Study {
  readonly studyInstanceUID: string;
  readonly series: readonly Series[];
}

export const tagOf = ({ DICOMTags }: ImageSetSummary, name: string): string =>
  String(DICOMTags[`DICOM${name}`] ?? '');

/** In the order in which they come, series by their number. */
export function studiesOf(sets: readonly ImageSetSummary[]): Study[] {
  const studies = groupBy(sets, (set) => tagOf(set, 'StudyInstanceUID'));
  return [...studies].map(([studyInstanceUID, ofStudy]) => ({
    studyInstanceUID,
    series: [...groupBy(ofStudy, (set) => tagOf(set, 'SeriesInstanceUID'))]
      .map(([seriesInstanceUID, ofSeries]) => ({
        seriesInstanceUID,
        imageSets: [...ofSeries].sort((a, b) => Number(b.isPrimary ?? true) - Number(a.isPrimary ?? true)),
        hasVariants: ofSeries.length > 1 || ofSeries.some(({ isPrimary }) => isPrimary === false),
      }))
      .sort((a, b) => numberOf(a) - numberOf(b)),
  }));
}

const numberOf = ({ imageSets: [first] }: Series): number =>
  first === undefined ? 0 : Number(first.DICOMTags.DICOMSeriesNumber ?? 0);

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.get(keyOf(one))?.push(one) ?? groups.set(keyOf(one), [one]);
  return groups;
}

/** `20260131` → `2026-01-31`; what is written otherwise is shown as it is. */
export const dateOf = (text: string): string => text.replace(/^(\d{4})(\d\d)(\d\d)$/, '$1-$2-$3');

/** `093000.25` → `09:30`. */
export const timeOf = (text: string): string => text.replace(/^(\d\d)(\d\d).*$/, '$1:$2');

export const labelled = (label: string, value: string): string => (value === '' ? '' : `${label} ${value}`);

/** Each patient that its image sets name, once: those of variants may differ. */
export function patientsOf({ series }: Study): string[] {
  const sets = series.flatMap(({ imageSets }) => imageSets);
  const named = sets.map((set) =>
    [
      tagOf(set, 'PatientName') || 'no name',
      labelled('ID', tagOf(set, 'PatientId')),
      labelled('born', dateOf(tagOf(set, 'PatientBirthDate'))),
      labelled('sex', tagOf(set, 'PatientSex')),
    ]
      .filter(Boolean)
      .join(' · '),
  );
  return [...new Set(named)];
}
