/**
 * The order of test files: those that take longest first, so that the workers end together. Vitest goes by their size,
 * and the longest are small: they start worlds.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files of more than 20 s, the longest first; a new one that is missing here only runs later. */
const LONGEST = [
  'e2e/shared-dicom',
  'e2e/readme',
  'console/console',
  'e2e/demo',
  'e2e/operations',
  'console/operator',
  'local/healthimaging/shared-material',
  'console/deployed',
  'e2e/resolve',
  'local/healthimaging/kill',
  'e2e/kill-restart',
  'template/package',
  'local/healthimaging/dicom-instance-large',
  'local/s3/durability',
  'dicom/hostile-memory',
  'template/permissions',
  'e2e/npm-package',
];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification) => {
      const index = LONGEST.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return index < 0 ? LONGEST.length : index;
    };
    return (await super.sort(files)).sort((a, b) => place(a) - place(b));
  }
}
