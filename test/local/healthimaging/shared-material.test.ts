/**
 * All the shared DICOM material, imported: each file ends in exactly one line, frames match independent decoders, and by
 * GetDICOMInstance what was imported comes back pixel by pixel, judged by our codecs and, where dcmtk decodes the source,
 * by dcmtk; what cannot be given decoded is 406 and comes in its stored form.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Behaviour } from '../../../local/healthimaging/service.ts';
import { bufferSource } from '../../../shared/dicom/byte-source.ts';
import { readP10, text } from '../../../shared/dicom/p10.ts';
import { createCodecPool } from '../../../shared/pixels/codec-pool.ts';
import { openFrames } from '../../../shared/pixels/frames.ts';
import { hasSharedDicom, type ManifestFile, readManifest, readShared } from '../../shared-material.ts';
import { type Imported, type OutputLine, startTestWorld, type TestWorld } from './world.ts';

const hasDcmtk = spawnSync('dcmdump', ['--version']).status === 0;
if (!hasDcmtk) console.warn('skipped: judging instances with dcmtk (dcmdump is not installed)');

const PREFIX = '1.2.840.10008.1.2';
/** dcmtk's program for each syntax that it decodes, with the switches that leave colours and pixels as they are. */
const DCMTK: Readonly<Record<string, readonly string[]>> = {
  [PREFIX]: ['dcmconv', '+te'],
  [`${PREFIX}.1`]: ['dcmconv', '+te'],
  [`${PREFIX}.1.99`]: ['dcmconv', '+te'],
  [`${PREFIX}.2`]: ['dcmconv', '+te'],
  [`${PREFIX}.5`]: ['dcmdrle', '+te'],
  [`${PREFIX}.4.57`]: ['dcmdjpeg', '+cn', '+px', '+te'],
  [`${PREFIX}.4.70`]: ['dcmdjpeg', '+cn', '+px', '+te'],
  [`${PREFIX}.4.80`]: ['dcmdjpls', '+px', '+te'],
  [`${PREFIX}.4.81`]: ['dcmdjpls', '+px', '+te'],
};

const folder = mkdtempSync(join(tmpdir(), 'isocenter-corpus-'));
const codecs = createCodecPool({ workers: 1 });
afterAll(async () => {
  await codecs.close();
  rmSync(folder, { recursive: true, force: true });
});

/** CRC-32 of the canonical pixels of every frame; undefined where our codecs cannot tell. */
async function pixelsOf(bytes: Uint8Array): Promise<number[] | undefined> {
  try {
    const frames = await openFrames(await readP10(bufferSource(bytes)));
    const crcs: number[] = [];
    for (let i = 0; i < frames.frameCount; i++) {
      const encoded = await frames.encodedFrame(i);
      crcs.push(
        (await codecs.decode(encoded, frames.description.transferSyntaxUID, frames.description)).crc32,
      );
    }
    return crcs;
  } catch {
    return undefined;
  }
}

/** The file as dcmtk writes it in Explicit VR Little Endian; undefined where it refuses. */
function throughDcmtk(bytes: Uint8Array, transferSyntaxUID: string): Uint8Array | undefined {
  const [program, ...switches] = DCMTK[transferSyntaxUID] ?? [];
  if (!program || !hasDcmtk) return undefined;
  const [input, output] = [join(folder, 'in.dcm'), join(folder, 'out.dcm')];
  rmSync(output, { force: true });
  writeFileSync(input, bytes);
  const { status } = spawnSync(program, [...switches, input, output]);
  return status === 0 && existsSync(output) ? new Uint8Array(readFileSync(output)) : undefined;
}

describe.skipIf(!hasSharedDicom).each(['current', '2024'] as const)('%s', (behaviour: Behaviour) => {
  let world: TestWorld;
  let imported: Imported;
  let datastoreId: string;
  const files = hasSharedDicom ? readManifest().files : [];

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
  const twinsOf = ({ sopInstanceUID }: ManifestFile) =>
    files.filter((other) => other.sopInstanceUID === sopInstanceUID);

  test('each file is in SUCCESS or FAILURE, exactly once', () => {
    const lines = [...imported.success, ...imported.failure].map((line) => nameOf(line.inputFile));
    expect(lines.sort()).toEqual(files.map((file) => file.path).sort());
    expect(imported.manifest.jobSummary.numberOfFilesWithServerError).toBe(0);
  });

  /** Today a file with the same UID overwrites its twin. Truths in another layout (planes, packed bits, raw words with unused bits) are compared in test/pixels. */
  function isComparable(file: ManifestFile): boolean {
    const isAlone = twinsOf(file).length === 1 || behaviour === '2024';
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

  async function getInstance(source: Uint8Array, line: OutputLine, accept?: string) {
    const p10 = await readP10(bufferSource(source));
    const [study, series, instance] = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'].map(
      (keyword) => text(p10, keyword)?.trim(),
    );
    const path = `/datastore/${datastoreId}/studies/${study}/series/${series}/instances/${instance}`;
    const url = `${world.server.endpoint}${path}?imageSetId=${line.importResponse?.imageSetId}`;
    const response = await fetch(url, accept === undefined ? {} : { headers: { accept } });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return { status: response.status, bytes, transferSyntaxUID: p10.meta.transferSyntaxUID };
  }

  test('imported files of every folder come back with their pixels, or 406 and as they are stored', async () => {
    // Today a re-sent SOP Instance UID overwrites its twin: those are for 2024, which keeps them all.
    const asked = new Set(
      files
        .filter((file) => (twinsOf(file).length === 1) === (behaviour === 'current'))
        .map(({ path }) => path),
    );
    const success = imported.success.filter(({ inputFile }) => asked.has(nameOf(inputFile)));
    const problems: string[] = [];
    const counts = { imported: success.length, given: 0, compared: 0, dcmtk: 0, notAcceptable: 0 };
    for (const line of success) {
      const name = nameOf(line.inputFile);
      const source = readShared(name);
      const { status, bytes, transferSyntaxUID } = await getInstance(source, line);
      if (status === 406) {
        counts.notAcceptable++;
        const stored = await getInstance(source, line, 'application/dicom; transfer-syntax=*');
        if (stored.status !== 200) problems.push(`${name}: stored form ${stored.status}`);
        continue;
      }
      if (status !== 200) {
        problems.push(`${name}: ${status}`);
        continue;
      }
      counts.given++;
      const judged = throughDcmtk(source, transferSyntaxUID);
      if (judged && !throughDcmtk(bytes, `${PREFIX}.1`))
        problems.push(`${name}: dcmconv refuses what came back`);
      const was = await pixelsOf(judged ?? source);
      if (!was) continue;
      counts.compared++;
      if (judged) counts.dcmtk++;
      if (String(was) !== String(await pixelsOf(bytes))) problems.push(`${name}: pixels`);
    }
    console.log(`GetDICOMInstance, ${behaviour}: ${JSON.stringify(counts)}`);
    expect(problems).toEqual([]);
    expect(counts.compared).toBeGreaterThan(behaviour === 'current' ? 100 : 20);
    expect(counts.notAcceptable).toBeLessThan(20);
  }, 400_000);
});
