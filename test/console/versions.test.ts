/** What changed between two versions of an image set's metadata. */
import { expect, it } from 'vitest';
import type { Attributes, MetadataDocument } from '../../console/image-sets/document.ts';
import { changesBetween } from '../../console/image-sets/metadata-lines.ts';

const documentOf = (
  patient: Attributes,
  instances: Readonly<Record<string, Attributes>>,
): MetadataDocument => ({
  Patient: { DICOM: patient },
  Study: {
    DICOM: {},
    Series: {
      '1.2': {
        DICOM: {},
        Instances: Object.fromEntries(Object.entries(instances).map(([uid, DICOM]) => [uid, { DICOM }])),
      },
    },
  },
});

it('names values that differ, and instances that came or went once, also under one InstanceNumber', () => {
  const before = documentOf(
    { PatientSex: 'O' },
    { '1.1': { InstanceNumber: 1, Rows: 2 }, '1.2': { Rows: 5 } },
  );
  const after = documentOf(
    { PatientSex: 'F' },
    { '1.1': { InstanceNumber: 1, Rows: 3 }, '1.3': { InstanceNumber: 1, Rows: 3 } },
  );
  expect(changesBetween(before, after)).toEqual([
    { path: 'Instance', before: 'removed, 1.2', after: '' },
    { path: 'Instance 1', before: '', after: 'added, 1.3' },
    { path: 'Patient PatientSex', before: 'O', after: 'F' },
    { path: 'Instance 1 Rows', before: '2', after: '3' },
  ]);
});
