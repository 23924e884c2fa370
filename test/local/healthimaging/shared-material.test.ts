/** Every file of the shared DICOM material, imported: each ends in exactly one line, frames match independent decoders. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Behaviour } from '../../../local/healthimaging/service.ts';
import { hasSharedDicom, type ManifestFile, readManifest, readShared } from '../../shared-material.ts';
import { type Imported, startTestWorld, type TestWorld } from './world.ts';

describe.skipIf(!hasSharedDicom).each(['current', '2024'] as const)('%s', (behaviour: Behaviour) => {
  let world: TestWorld;
  let imported: Imported;
  let datastoreId: string;
  const files = hasSharedDicom ? readManifest().files.filter((file) => !file.path.startsWith('series/')) : [];

  beforeAll(async () => {
    world = await startTestWorld({ behaviour });
    datastoreId = await world.createDatastore();
    imported = await world.importFiles(
      datastoreId,
      Object.fromEntries(files.map((file) => [file.path, readShared(file.path)])),
    );
  }, 120_000);
  afterAll(() => world.close());

  const nameOf = (inputFile: string) => inputFile.slice(inputFile.indexOf('/') + 1);

  test('each file is in SUCCESS or FAILURE, exactly once', () => {
    const lines = [...imported.success, ...imported.failure].map((line) => nameOf(line.inputFile));
    expect(lines.sort()).toEqual(files.map((file) => file.path).sort());
    expect(imported.manifest.jobSummary.numberOfFilesWithServerError).toBe(0);
  });

  /** Today a file with the same UID overwrites its twin. Truths in another layout (planes, packed bits, raw words with unused bits) are compared in test/pixels. */
  function isComparable(file: ManifestFile): boolean {
    const twins = files.filter((other) => other.sopInstanceUID === file.sopInstanceUID);
    const isAlone = twins.length === 1 || behaviour === '2024';
    const otherLayout =
      file.truth?.planarConfiguration === 1 ||
      /12bit|mlut_18|full_422_uncompressed|liver_(j2k|rle)/.test(file.path);
    return (file.truth?.exact ?? false) && isAlone && !otherLayout && !file.path.startsWith('broken/');
  }

  test('transcoded frames have the checksums that independent decoders found', async () => {
    const checked: string[] = [];
    const differing: object[] = [];
    const documents = new Map<string, Awaited<ReturnType<TestWorld['metadata']>>>();
    for (const { inputFile, importResponse } of imported.success) {
      const file = files.find((candidate) => candidate.path === nameOf(inputFile))!;
      if (!isComparable(file)) continue;
      const imageSetId = importResponse!.imageSetId;
      if (!documents.has(imageSetId))
        documents.set(imageSetId, await world.metadata(datastoreId, imageSetId));
      const instances = Object.values(documents.get(imageSetId)!.Study.Series).flatMap((series) =>
        Object.entries(series.Instances),
      );
      const instance = instances.find(([uid]) => uid === file.sopInstanceUID)?.[1];
      if (!instance || instance.ChecksumType === 'COMPRESSED' || instance.ImageFrames.length === 0) continue;
      const found = instance.ImageFrames.map(
        (f) => f.PixelDataChecksumFromBaseToFullResolution.at(-1)?.Checksum,
      );
      const wanted = [file.truth?.framesCrc32, file.truth?.withoutColourConversion?.framesCrc32];
      checked.push(file.path);
      const isEqual = wanted.some((crcs) => JSON.stringify(crcs) === JSON.stringify(found));
      if (!isEqual) differing.push({ path: file.path, found, wanted });
    }
    expect(differing).toEqual([]);
    expect(checked.length).toBeGreaterThan(20);
  });
});
