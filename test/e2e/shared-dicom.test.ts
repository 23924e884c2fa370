/**
 * The whole shared material through the command line: every file accounted for once, the stored frames' pixels equal
 * to the independent decoders' CRC32s, and a second ingest that stores nothing.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { GetImageFrameCommand } from '@aws-sdk/client-medical-imaging';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bufferSource } from '../../shared/dicom/byte-source.ts';
import { readP10 } from '../../shared/dicom/p10.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { openFrames } from '../../shared/pixels/frames.ts';
import { nativeForms } from '../pixels/native-forms.ts';
import {
  hasSharedDicom,
  type ManifestFile,
  readManifest,
  readShared,
  sharedDicom,
} from '../shared-material.ts';
import { type Document, isocenter } from './cli-process.ts';
import {
  clientsOf,
  instancesOf,
  type RunningWorld,
  startWorldProcess,
  storedImageSets,
} from './world-process.mjs';

const HTJ2K_RPCL = '1.2.840.10008.1.2.4.202';
const dataDir = mkdtempSync(join(tmpdir(), 'isocenter-shared-'));
let running: RunningWorld;
let first: Document;

beforeAll(async () => {
  if (!hasSharedDicom) return;
  running = await startWorldProcess(dataDir, ['--port', '0']);
  const { stdout, stderr } = await isocenter(
    'ingest',
    sharedDicom,
    '--json',
    '--upload',
    'all',
    '--data',
    dataDir,
  );
  if (stdout === '') throw new Error(stderr);
  first = JSON.parse(stdout);
}, 300_000);

afterAll(async () => {
  await running?.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

const lineOf = (path: string) => first.objects.find(({ key }) => key === `all/${path}`);

/** The frames of an instance as they are stored, fetched with the SDK. */
async function storedFrames(file: ManifestFile) {
  const { imaging } = clientsOf(running.world);
  const { datastoreId } = running.world;
  const line = lineOf(file.path);
  const sets = await imageSets();
  const set = sets.find(({ imageSetId }) => imageSetId === line?.imageSetId);
  const instance = Object.values(set?.metadata.Study.Series ?? {})
    .map(({ Instances }) => Instances[line?.sopInstanceUID ?? ''])
    .find((found) => found !== undefined);
  const frames: Uint8Array[] = [];
  for (const { ID } of instance?.ImageFrames ?? []) {
    const { imageFrameBlob } = await imaging.send(
      new GetImageFrameCommand({
        datastoreId,
        imageSetId: line?.imageSetId,
        imageFrameInformation: { imageFrameId: ID },
      }),
    );
    frames.push((await imageFrameBlob?.transformToByteArray()) ?? new Uint8Array());
  }
  return { storedSyntax: instance?.StoredTransferSyntaxUID, frames };
}

let sets: ReturnType<typeof storedImageSets> | undefined;
function imageSets() {
  sets ??= storedImageSets(clientsOf(running.world).imaging, running.world.datastoreId);
  return sets;
}

describe.skipIf(!hasSharedDicom)('the shared material, ingested', () => {
  it('accounts for every file exactly once, with sums that hold', () => {
    const given = readdirSync(sharedDicom, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join('all', join(entry.parentPath, entry.name).slice(sharedDicom.length)));
    const { counts, objects } = first;
    expect(objects.map(({ key }) => key).sort()).toEqual(given.sort());
    expect(counts.received).toBe(given.length);
    expect(counts.ingested + counts.duplicate + counts.rejected + counts.failed).toBe(counts.received);
    for (const outcome of ['ingested', 'duplicate', 'rejected', 'failed'] as const)
      expect(objects.filter((line) => line.outcome === outcome)).toHaveLength(counts[outcome]);
  });

  it('fails nothing, and every frame that is stored is proven or said to be unproven', () => {
    expect(first.objects.filter(({ outcome }) => outcome === 'failed')).toEqual([]);
    expect(first.frames).toMatchObject({ mismatched: 0, undecodable: 0 });
  });

  it('gives a reason and an advice for each refusal', () => {
    for (const { key, outcome, code, message, advice } of first.objects)
      if (outcome === 'rejected') expect(`${key} ${code} ${message} ${advice}`).not.toMatch(/undefined| {2}/);
  });

  it('stores each instance once', async () => {
    const twice = [...instancesOf(await imageSets())].filter(([, holders]) => holders.length > 1);
    expect(twice).toEqual([]);
  });

  it('stored frames have the pixels that independent decoders found', async () => {
    const pool = createCodecPool({ workers: 2 });
    const wrong: string[] = [];
    let compared = 0;
    for (const file of readManifest().files) {
      const { truth } = file;
      if (!truth?.exact || !truth.framesCrc32?.length || lineOf(file.path)?.outcome !== 'ingested') continue;
      const { storedSyntax, frames } = await storedFrames(file);
      if (storedSyntax !== HTJ2K_RPCL) continue; // kept as it came: not decoded by the service either
      const source = await openFrames(await readP10(bufferSource(readShared(file.path))));
      for (const [index, frame] of frames.entries()) {
        const { pixels } = await pool.decode(frame, HTJ2K_RPCL, source.description);
        const forms = nativeForms(
          await source.encodedFrame(index),
          pixels,
          source.description,
          truth.planarConfiguration,
        );
        if (![...forms].some(([, bytes]) => crc32(bytes) === truth.framesCrc32[index]))
          wrong.push(`${file.path} ${index}`);
        compared += 1;
      }
    }
    await pool.close();
    expect(wrong).toEqual([]);
    expect(compared).toBeGreaterThan(200);
  }, 300_000);

  it('the same folder again: what was ingested is a duplicate, no new image set', async () => {
    const before = (await imageSets()).map(({ imageSetId, version }) => `${imageSetId} ${version}`).sort();
    const again = await isocenter('ingest', sharedDicom, '--json', '--upload', 'again', '--data', dataDir);
    const second = JSON.parse(again.stdout) as Document;
    expect(second.counts.ingested).toBe(0);
    expect(second.counts.duplicate).toBe(first.counts.ingested + first.counts.duplicate);
    sets = undefined;
    const after = (await imageSets()).map(({ imageSetId, version }) => `${imageSetId} ${version}`).sort();
    expect(after).toEqual(before);
  }, 300_000);
});
