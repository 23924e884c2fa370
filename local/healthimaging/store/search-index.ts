/**
 * Search keys of an image set: one ordered key for each field it is found or sorted by. Equality keys carry
 * `updatedAt` too, so that the default order needs no sorting. Pure.
 */
import { del, type Operation, put } from './database.ts';
import { below, type KeyPart, keyOf } from './keys.ts';
import type { DicomTags, ImageSetRecord } from './records.ts';

export type SortField = 'updatedAt' | 'createdAt' | 'DICOMStudyDateAndTime';
export type EqualField =
  | 'DICOMPatientId'
  | 'DICOMAccessionNumber'
  | 'DICOMStudyId'
  | 'DICOMStudyInstanceUID'
  | 'DICOMSeriesInstanceUID'
  | 'isPrimary';

const EQUAL_FIELDS: readonly EqualField[] = [
  'DICOMSeriesInstanceUID',
  'DICOMStudyInstanceUID',
  'DICOMAccessionNumber',
  'DICOMStudyId',
  'DICOMPatientId',
  'isPrimary',
];
const SORT_FIELDS: readonly SortField[] = ['updatedAt', 'createdAt', 'DICOMStudyDateAndTime'];

/** `sort, dataStore, field, value, imageSetId`: everything in the order of one field. */
export const sortKey = (datastoreId: string, field: SortField, value: KeyPart, imageSetId: string) =>
  keyOf('sort', datastoreId, field, value, imageSetId);
export const sortRange = (datastoreId: string, field: SortField) => below('sort', datastoreId, field);

/** `equal, dataStore, field, value, updatedAt, imageSetId`: all with one value, by update time. */
export const equalKey = (
  datastoreId: string,
  field: EqualField,
  value: string,
  updatedAt: number,
  imageSetId: string,
) => keyOf('equal', datastoreId, field, value, updatedAt, imageSetId);
export const equalRange = (datastoreId: string, field: EqualField, value: string) =>
  below('equal', datastoreId, field, value);

/** The operations that move an image set's search keys from its old state to the new one. */
export function reindex(before: ImageSetRecord | undefined, after: ImageSetRecord | undefined): Operation[] {
  const old = new Set(before ? keysOf(before) : []);
  const fresh = new Set(after ? keysOf(after) : []);
  return [
    ...[...old].filter((key) => !fresh.has(key)).map(del),
    ...[...fresh].filter((key) => !old.has(key)).map((key) => put(key, 0)),
  ];
}

function keysOf(set: ImageSetRecord): string[] {
  const equal = EQUAL_FIELDS.flatMap((field) => {
    const value = equalValue(set, field);
    return value === undefined
      ? []
      : [equalKey(set.datastoreId, field, value, set.updatedAt, set.imageSetId)];
  });
  return [
    ...equal,
    ...SORT_FIELDS.map((field) => sortKey(set.datastoreId, field, sortValue(set, field), set.imageSetId)),
  ];
}

export function equalValue(set: ImageSetRecord, field: EqualField): string | undefined {
  return field === 'isPrimary' ? String(set.isPrimary) : set.tags[field];
}

export function sortValue(set: ImageSetRecord, field: SortField): KeyPart {
  return field === 'DICOMStudyDateAndTime' ? studyMoment(set.tags) : set[field];
}

/** `yyyyMMddHHmmss.FFFFFF`; an absent date sorts first. Separators of old DICOM dates are dropped. */
export function studyMoment(tags: Pick<DicomTags, 'DICOMStudyDate' | 'DICOMStudyTime'>): string {
  const date = (tags.DICOMStudyDate ?? '').replace(/[^0-9]/g, '').slice(0, 8);
  if (!date) return '';
  const [clock = '', fraction = ''] = (tags.DICOMStudyTime ?? '').replace(/[^0-9.]/g, '').split('.');
  return `${date.padEnd(8, '0')}${clock.slice(0, 6).padEnd(6, '0')}.${fraction.slice(0, 6).padEnd(6, '0')}`;
}
