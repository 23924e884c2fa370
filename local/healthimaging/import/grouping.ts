/**
 * How the instances of one job fall into image sets (reference section 6): in 2024 one set for every distinct set of
 * Patient, Study and Series attributes; today by the grouping elements only, joining the series' primary. Pure.
 */
import { createHash } from 'node:crypto';
import type { DicomJson, ImageSetDocument } from '../metadata/document.ts';
import type { Warning } from './failures.ts';

/** The elements that decide today (guide, "Understanding image sets"). The series' own UID is in `seriesInstanceUID`. */
export const STUDY_GROUPING = [
  'StudyDate',
  'AccessionNumber',
  'PatientID',
  'StudyInstanceUID',
  'StudyID',
] as const;
export const SERIES_GROUPING = ['SeriesInstanceUID', 'SeriesNumber'] as const;

/** A staged instance without its attributes. */
export interface Row {
  readonly key: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly warnings: readonly Warning[];
  /** Digest of everything normalised (2024), or of the grouping elements (today). */
  readonly groupDigest: string;
}

/** Rows that become, or join, one image set; in key order. `id` is the same whenever the job is looked at again. */
export interface Group {
  readonly id: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly rows: readonly Row[];
}

interface Levels {
  readonly patient: DicomJson;
  readonly study: DicomJson;
  readonly series: DicomJson;
}

export function digest2024({ patient, study, series }: Levels): string {
  return digest([canonical(patient), canonical(study), canonical(series)]);
}

export function digestCurrent(levels: Levels): string {
  return digest([studyElements(levels), seriesElements(levels)]);
}

/** The grouping values of the study level; PatientID counts among them. */
export function studyElements({ patient, study }: Levels): string[] {
  return STUDY_GROUPING.map((keyword) => plain(study[keyword] ?? patient[keyword]));
}

export function seriesElements({ series }: Levels): string[] {
  return SERIES_GROUPING.map((keyword) => plain(series[keyword]));
}

/** The levels of a document that is there already, for comparison. */
export function levelsOf(document: ImageSetDocument): Levels {
  const [series] = Object.values(document.Study.Series);
  return { patient: document.Patient.DICOM, study: document.Study.DICOM, series: series?.DICOM ?? {} };
}

/**
 * Groups, the largest first, else in the order of their first key: which of two variants in one job becomes primary does
 * not hang on the names of the files. In 2024 a SOP Instance UID that comes twice goes to a further set, since
 * the service stores it again and a set names it once; today the later file overwrites the earlier.
 */
export function groupRows(rows: readonly Row[], repeats: 'apart' | 'overwrite'): Group[] {
  const groups = new Map<string, Row[]>();
  const times = new Map<string, number>();
  for (const row of rows) {
    const base = `${row.studyInstanceUID} ${row.seriesInstanceUID} ${row.groupDigest}`;
    const seen = `${base} ${row.sopInstanceUID}`;
    const time = times.get(seen) ?? 0;
    times.set(seen, time + 1);
    const id = digest([base, repeats === 'apart' ? time : 0]);
    const group = groups.get(id);
    if (group) group.push(row);
    else groups.set(id, [row]);
  }
  const bySize = [...groups].sort(([, a], [, b]) => b.length - a.length);
  return bySize.map(([id, members]) => ({
    id,
    studyInstanceUID: members[0]!.studyInstanceUID,
    seriesInstanceUID: members[0]!.seriesInstanceUID,
    rows: members,
  }));
}

/**
 * The service of 2024 may split a series for throughput, into sets of at most `instances`: every part is a set of its own,
 * with the same attributes. Pure.
 */
export function splitGroups(groups: readonly Group[], instances: number): Group[] {
  return groups.flatMap((group) =>
    Array.from({ length: Math.ceil(group.rows.length / instances) }, (_, part) => ({
      ...group,
      id: digest([group.id, instances, part]),
      rows: group.rows.slice(part * instances, (part + 1) * instances),
    })),
  );
}

function plain(value: unknown): string {
  return typeof value === 'string'
    ? value.trim()
    : value === undefined || value === null
      ? ''
      : String(value);
}

/** Equal content in equal text: keys sorted, padding of values gone. */
function canonical(value: unknown): unknown {
  if (typeof value === 'string') return value.trimEnd();
  if (Array.isArray(value)) return value.map(canonical);
  if (value === null || typeof value !== 'object') return value;
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, item]) => [key, canonical(item)]);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}
