/** Image sets under their studies and series, as the console shows them. */
import { expect, it } from 'vitest';
import { patientsOf, studiesOf } from '../../console/image-sets/studies.ts';

const set = (imageSetId: string, isPrimary: boolean, tags: Record<string, string | number>) => ({
  imageSetId,
  version: 1,
  updatedAt: 0,
  isPrimary,
  DICOMTags: { DICOMStudyInstanceUID: '1', DICOMPatientName: 'A', ...tags },
});

it('puts series in the order of their numbers, the primary image set first, and tells which have variants', () => {
  const [study] = studiesOf([
    set('b', false, { DICOMSeriesInstanceUID: '1.2', DICOMSeriesNumber: 2 }),
    set('a', true, { DICOMSeriesInstanceUID: '1.2', DICOMSeriesNumber: 2 }),
    set('c', true, { DICOMSeriesInstanceUID: '1.1', DICOMSeriesNumber: 1 }),
  ]);
  const shown = study?.series.map(({ imageSets, hasVariants }) => [
    imageSets.map(({ imageSetId }) => imageSetId).join(''),
    hasVariants,
  ]);
  expect(shown).toEqual([
    ['c', false],
    ['ab', true],
  ]);
});

it('names every patient that a study has, once', () => {
  const [study] = studiesOf([
    set('a', true, { DICOMSeriesInstanceUID: '1.2', DICOMPatientBirthDate: '19700101' }),
    set('b', true, { DICOMSeriesInstanceUID: '1.3', DICOMPatientBirthDate: '19700101' }),
    set('c', false, { DICOMSeriesInstanceUID: '1.2', DICOMPatientName: 'B', DICOMPatientSex: 'F' }),
  ]);
  expect(study && patientsOf(study)).toEqual(['A · born 1970-01-01', 'B · sex F']);
});
