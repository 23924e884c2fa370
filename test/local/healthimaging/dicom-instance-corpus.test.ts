/**
 * GetDICOMInstance over all the shared DICOM material: what was imported comes back pixel by pixel, judged by our codecs
 * and, where dcmtk decodes the source, by dcmtk; what cannot be given decoded is 406 and comes in its stored form.
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
import { type OutputLine, startTestWorld, type TestWorld } from './world.ts';

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
  beforeAll(async () => {
    world = await startTestWorld({ behaviour });
  });
  afterAll(() => world.close());

  async function getInstance(datastoreId: string, source: Uint8Array, line: OutputLine, accept?: string) {
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
    const all = readManifest().files;
    // Today a re-sent SOP Instance UID overwrites its twin: those are for 2024, which keeps them all.
    const isAlone = ({ sopInstanceUID }: ManifestFile) =>
      all.filter((other) => other.sopInstanceUID === sopInstanceUID).length === 1;
    const files = all.filter((file) => isAlone(file) === (behaviour === 'current'));
    const sources = Object.fromEntries(files.map(({ path }) => [path, readShared(path)]));
    const datastoreId = await world.createDatastore();
    const { success } = await world.importFiles(datastoreId, sources);
    const problems: string[] = [];
    const counts = { imported: success.length, given: 0, compared: 0, dcmtk: 0, notAcceptable: 0 };
    for (const line of success) {
      const name = line.inputFile.slice(line.inputFile.indexOf('/') + 1);
      const source = sources[name]!;
      const { status, bytes, transferSyntaxUID } = await getInstance(datastoreId, source, line);
      if (status === 406) {
        counts.notAcceptable++;
        const stored = await getInstance(datastoreId, source, line, 'application/dicom; transfer-syntax=*');
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
