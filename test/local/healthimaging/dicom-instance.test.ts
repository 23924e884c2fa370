/** GetDICOMInstance: a P10 object back, pixel by pixel what came in; judged by dcmtk where it is installed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bufferSource } from '../../../shared/dicom/byte-source.ts';
import { toMetadata } from '../../../shared/dicom/metadata.ts';
import { readP10, text } from '../../../shared/dicom/p10.ts';
import { createCodecPool } from '../../../shared/pixels/codec-pool.ts';
import { openFrames } from '../../../shared/pixels/frames.ts';
import { hasSharedDicom, readManifest, readShared } from '../../shared-material.ts';
import { SERIES, STUDY, slice } from './instances.ts';
import { startTestWorld, type TestWorld } from './world.ts';
import { importedSet, settled, update } from './writes.ts';

const hasDcmtk = spawnSync('dcmdump', ['--version']).status === 0;
if (!hasDcmtk) console.warn('skipped: judging instances with dcmtk (dcmdump is not installed)');

let world: TestWorld;
const codecs = createCodecPool({ workers: 1 });
beforeAll(async () => {
  world = await startTestWorld();
});
afterAll(async () => {
  await codecs.close();
  await world.close();
});

async function getInstance(datastoreId: string, sopUID: string, accept?: string, imageSetId?: string) {
  const path = `/datastore/${datastoreId}/studies/${STUDY}/series/${SERIES}/instances/${sopUID}`;
  const response = await fetch(
    `${world.server.endpoint}${path}${imageSetId ? `?imageSetId=${imageSetId}` : ''}`,
    {
      headers: accept === undefined ? {} : { accept },
    },
  );
  return { response, bytes: new Uint8Array(await response.arrayBuffer()) };
}

/** CRC-32 of the canonical pixels of every frame. */
async function pixelsOf(bytes: Uint8Array): Promise<number[]> {
  const p10 = await readP10(bufferSource(bytes));
  const frames = await openFrames(p10);
  const { transferSyntaxUID } = frames.description;
  const crcs: number[] = [];
  for (let i = 0; i < frames.frameCount; i++) {
    crcs.push(
      (await codecs.decode(await frames.encodedFrame(i), transferSyntaxUID, frames.description)).crc32,
    );
  }
  return crcs;
}

test('explicit little endian is the default, with the same pixels and metadata', async () => {
  const source = slice({ number: 1 });
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': source });
  const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`);
  expect(response.headers.get('content-type')).toBe('application/dicom; transfer-syntax=1.2.840.10008.1.2.1');
  expect(await pixelsOf(bytes)).toEqual(await pixelsOf(source));
  const [before, after] = await Promise.all(
    [source, bytes].map(async (b) => toMetadata(await readP10(bufferSource(b)))),
  );
  for (const level of ['Patient', 'Study', 'Series'] as const) expect(after![level]).toEqual(before![level]);
});

test('the stored form comes on request, by its UID or by *', async () => {
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
  for (const syntax of ['*', '1.2.840.10008.1.2.4.202']) {
    const accept = `application/dicom; transfer-syntax=${syntax}`;
    const { response, bytes } = await getInstance(datastoreId, `${SERIES}.1`, accept);
    expect(response.headers.get('content-type')).toContain('1.2.840.10008.1.2.4.202');
    expect(await pixelsOf(bytes)).toEqual(await pixelsOf(slice({ number: 1 })));
  }
});

test('a form that cannot be given is 406 NotAcceptableException; an unknown instance 404', async () => {
  const datastoreId = await world.createDatastore();
  await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
  const { response } = await getInstance(
    datastoreId,
    `${SERIES}.1`,
    'application/dicom; transfer-syntax=1.2.840.10008.1.2.4.50',
  );
  expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([
    406,
    'NotAcceptableException',
  ]);
  expect((await getInstance(datastoreId, '1.2.3')).response.status).toBe(404);
  expect((await getInstance(datastoreId, 'no-uid')).response.status).toBe(400);
});

test('an updated attribute is in the instance', async () => {
  const set = await importedSet(world, { count: 1 });
  await update(world, set, { set: { Patient: { DICOM: { PatientName: 'Ärzte^Zoë' } } } });
  await settled(world, set);
  const { bytes } = await getInstance(set.datastoreId, `${SERIES}.1`);
  const p10 = await readP10(bufferSource(bytes));
  expect([text(p10, 'PatientName'), text(p10, 'SpecificCharacterSet')]).toEqual(['Ärzte^Zoë', 'ISO_IR 192']);
});

test('a non-primary instance comes when its image set is named', async () => {
  const { datastoreId } = await importedSet(world, { count: 1 });
  const other = await importedSet(world, { datastoreId, from: 7, count: 1, elements: { PatientID: 'P2' } });
  expect((await getInstance(datastoreId, `${SERIES}.7`)).response.status).toBe(404);
  expect((await getInstance(datastoreId, `${SERIES}.7`, undefined, other.imageSetId)).response.status).toBe(
    200,
  );
});

describe.skipIf(!hasSharedDicom)('shared material', () => {
  test('imported files come back with their pixels, and dcmdump reads them', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-p10-'));
    const all = readManifest().files.filter(({ path }) =>
      /^(modalities|color|syntaxes|multiframe|constraints)\//.test(path),
    );
    const files = all.filter(
      ({ bytes, sopInstanceUID }) =>
        bytes < 600_000 && all.filter((other) => other.sopInstanceUID === sopInstanceUID).length === 1,
    );
    const sources = Object.fromEntries(files.map(({ path }) => [path, readShared(path)]));
    const datastoreId = await world.createDatastore();
    const { success } = await world.importFiles(datastoreId, sources);
    const differing: string[] = [];
    const dumped: string[] = [];
    let compared = 0;
    for (const { inputFile, importResponse } of success) {
      const name = inputFile.slice(inputFile.indexOf('/') + 1);
      const source = sources[name]!;
      const p10 = await readP10(bufferSource(source));
      const [study, series, instance] = ['StudyInstanceUID', 'SeriesInstanceUID', 'SOPInstanceUID'].map(
        (keyword) => text(p10, keyword)?.trim(),
      );
      const path = `/datastore/${datastoreId}/studies/${study}/series/${series}/instances/${instance}`;
      const response = await fetch(
        `${world.server.endpoint}${path}?imageSetId=${importResponse?.imageSetId}`,
      );
      if (response.status === 406) continue;
      if (response.status !== 200) {
        differing.push(`${name}: ${response.status}`);
        continue;
      }
      const bytes = new Uint8Array(await response.arrayBuffer());
      dumped.push(join(folder, `${dumped.length}.dcm`));
      writeFileSync(dumped.at(-1)!, bytes);
      const [was, is] = [await pixelsOf(source).catch(() => undefined), await pixelsOf(bytes).catch(String)];
      if (was === undefined) continue;
      compared++;
      if (String(was) !== String(is)) differing.push(`${name}: pixels`);
    }
    if (hasDcmtk) execFileSync('dcmdump', ['-q', ...dumped], { maxBuffer: 2 ** 28 });
    rmSync(folder, { recursive: true });
    expect(differing).toEqual([]);
    expect(compared).toBeGreaterThan(20);
  }, 120_000);

  test.skipIf(!hasDcmtk)('dcmconv takes the instance apart and together again', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-p10-'));
    const datastoreId = await world.createDatastore();
    await world.importFiles(datastoreId, { '1': slice({ number: 1 }) });
    const { bytes } = await getInstance(datastoreId, `${SERIES}.1`);
    writeFileSync(join(folder, 'in.dcm'), bytes);
    execFileSync('dcmconv', ['+ti', join(folder, 'in.dcm'), join(folder, 'out.dcm')]);
    rmSync(folder, { recursive: true });
  });
});
