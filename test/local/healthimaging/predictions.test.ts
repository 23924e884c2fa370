/** What the inspection predicts of an object is what the import then says of it, in both behaviours. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bufferSource } from '../../../shared/dicom/byte-source.ts';
import { inspectObject } from '../../../shared/ingest/inspect.ts';
import { oddFiles } from '../../dicom/odd-files.ts';
import { type Imported, startTestWorld, type TestWorld } from './world.ts';

/** The service's types by the hexadecimal codes of the guide. */
const CODES: Record<string, string> = {
  TRANSCODING_EXCEPTION: 'B100',
  FRAMES_EXTRACTION_FAILURE: 'B110',
  FRAME_NUMBER_MISMATCH: 'B111',
  INVALID_OFFSET_TABLE: 'B112',
  UNSUPPORTED_TRANSFER_SYNTAX: 'B120',
  INVALID_UID_FORMAT: 'B201',
  INVALID_DICOM_VALUE_LENGTH: 'B202',
};
const codeOf = (type: string) => CODES[type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()] ?? type;

describe.each(['current', '2024'] as const)('in %s', (behaviour) => {
  let world: TestWorld;
  let imported: Imported;
  beforeAll(async () => {
    world = await startTestWorld({ behaviour });
    const files = oddFiles.map(([, file], index) => [`${index}.dcm`, file] as const);
    imported = await world.importFiles(await world.createDatastore(), Object.fromEntries(files));
  }, 120_000);
  afterAll(() => world.close());

  it.each(oddFiles.map(([name, file], index) => [name, file, index] as const))(
    '%s',
    async (_name, file, index) => {
      const isThis = ({ inputFile }: { inputFile: string }) => inputFile.endsWith(`/${index}.dcm`);
      const verdict = await inspectObject(bufferSource(file), { key: 'a', profile: behaviour });
      const warned = imported.warning.find(isThis)?.importResponse?.warnings ?? [];
      const failed = imported.failure.find(isThis)?.exception?.message;
      if (verdict.verdict === 'rejected') {
        // Stricter than the service where pixels are missing: we would rather have the file sent again.
        expect(failed !== undefined || warned.length > 0).toBe(true);
        return;
      }
      expect(failed).toBeUndefined();
      expect(imported.success.some(isThis)).toBe(true);
      const predicted = verdict.warnings
        .map(({ code }) => code)
        .filter((code) => /^B[0-9A-F]{3}$/.test(code));
      expect(warned.map(({ type }) => codeOf(type)).sort()).toEqual(predicted.sort());
    },
  );
});
