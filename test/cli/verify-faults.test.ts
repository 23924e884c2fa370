/** Each fault switch of the server, through the pipeline and through `isocenter verify`: found, named, tagged, kept. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListTagsForResourceCommand, UntagResourceCommand } from '@aws-sdk/client-medical-imaging';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { createTerminal } from '../../cli/terminal.ts';
import type { VerifyAccount } from '../../cli/verify-account.ts';
import { onlyDatastoreIn } from '../../cli/verify-target.ts';
import type { FaultName } from '../../local/healthimaging/access/faults.ts';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { startS3 } from '../../local/s3/server.ts';
import { healthImagingService } from '../../shared/adapters/healthimaging-service.ts';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { recordInstances } from '../../shared/ingest/ledger.ts';
import { allLines } from '../../shared/ingest/ndjson.ts';
import { type VerifyDeps, verifyShard } from '../../shared/ingest/verify-frames.ts';
import type { VerifiedLine, VerifyLine } from '../../shared/ingest/verify-lines.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';
import { clientFor } from '../local/healthimaging/client.ts';
import { SERIES, STUDY, slice } from '../local/healthimaging/instances.ts';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-faults-'));
const dataDir = join(folder, 'healthimaging');
const codecs = createCodecPool({ workers: 1 });
const MULTI = `${SERIES}.1`;
const WIDE = `${SERIES}.2`;
const SOURCES = {
  [MULTI]: slice({ number: 1, elements: { NumberOfFrames: '4', Rows: 16, Columns: 64 } }),
  [WIDE]: slice({ number: 2, elements: { Rows: 32, Columns: 128 } }),
};
let s3: Awaited<ReturnType<typeof startS3>>;
let s3Client: S3Client;
let objects: ObjectStore;
let health: Server;
let datastoreId: string;
let imageSetId: string;
let lines: VerifyLine[];

beforeAll(async () => {
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  for (const [sop, bytes] of Object.entries(SOURCES)) writeFileSync(join(seed, `${sop}.dcm`), bytes);
  const sound = await startHealthImaging({ dataDir, seed, fsync: false });
  datastoreId = sound.seedDatastoreId ?? '';
  const { value } = await imagingOf(sound).listImageSets()[Symbol.asyncIterator]().next();
  imageSetId = value.imageSetId;
  await sound.close();
  s3 = await startS3({ dataDir: join(folder, 's3') });
  await s3.createBucket('work');
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  s3Client = new S3Client({ endpoint: s3.url, region: 'us-east-1', forcePathStyle: true, credentials });
  objects = s3ObjectStore(s3Client);
  lines = await Promise.all(Object.entries(SOURCES).map(([sop, bytes], n) => stage(sop, bytes, n)));
  health = createServer((_, response) => response.end(JSON.stringify({ pid: process.pid })));
  await new Promise<void>((resolve) => health.listen(0, '127.0.0.1', resolve));
}, 60_000);

afterAll(async () => {
  await codecs.close();
  s3Client.destroy();
  await s3.close();
  health.closeAllConnections();
  await new Promise((resolve) => health.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const imagingOf = (server: HealthImaging) =>
  healthImagingService(clientFor(server), { datastoreId, dataAccessRoleArn: '' });

/** The staged copy, its line in the ledger and its line for VerifyFrames. */
async function stage(sop: string, bytes: Uint8Array, n: number): Promise<VerifyLine> {
  const key = `executions/x/staged/b/${n}`;
  await objects.write({ bucket: 'work', key }, bytes);
  const frames = sop === MULTI ? 4 : 1;
  const known = { sizeBytes: bytes.length, sha256: `${n}`.padStart(64, '0'), imageSetId, frames };
  const ledger = { objects, settings: { workBucket: 'work', datastoreId } };
  const series = { studyInstanceUID: STUDY, seriesInstanceUID: SERIES };
  await recordInstances(ledger, series, [], {
    [sop]: { ...known, datasetDigest: 'd', state: 'verified', staged: key },
  });
  return {
    ...known,
    n,
    sop,
    series: SERIES,
    study: STUDY,
    transferSyntaxUID: '1.2.840.10008.1.2.1',
    hasPixelData: true,
    frameFrom: 0,
    frameTo: frames,
    hasWarnings: false,
    source: { bucket: 'work', key },
  };
}

async function verifyByCommand(server: HealthImaging): Promise<{ code: number; account: VerifyAccount }> {
  const world = {
    consoleUrl: `http://127.0.0.1:${(health.address() as AddressInfo).port}`,
    healthImagingUrl: server.endpoint,
    s3Url: s3.url,
    stepFunctionsUrl: s3.url,
    region: 'us-east-1',
    datastoreId,
    dataAccessRoleArn: '',
    inboxBucket: 'inbox',
    workBucket: 'work',
    stateMachineArns: { ingest: 'arn:aws:states:us-east-1:000000000000:stateMachine:x' },
    pid: process.pid,
  };
  const worldDir = join(folder, 'world');
  mkdirSync(worldDir, { recursive: true });
  writeFileSync(join(worldDir, 'world.json'), JSON.stringify(world));
  let out = '';
  const terminal = createTerminal({
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: () => true },
  });
  const code = await main(['node', 'isocenter', 'verify', '--data', worldDir, '--json', '--tag'], terminal);
  return { code, account: JSON.parse(out) as VerifyAccount };
}

async function verifyInPipeline(server: HealthImaging, fault: string): Promise<VerifiedLine[]> {
  const deps = {
    objects,
    imaging: imagingOf(server),
    codecs,
    clock: systemClock,
    settings: { workBucket: 'work', datastoreId, verify: { mode: 'full' } },
  } as unknown as VerifyDeps;
  const ref = { executionId: fault, shard: '00000' };
  const ndjson = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
  await objects.write({ bucket: 'work', key: `executions/${fault}/verify/00000` }, ndjson);
  await verifyShard(deps, ref);
  return allLines<VerifiedLine>(objects, 'work', `executions/${fault}/verified/00000`);
}

/** Whether the image set carries the tag; it is taken away again. */
async function takeTag(server: HealthImaging): Promise<string | undefined> {
  const client = clientFor(server);
  const imageSet = await imagingOf(server).imageSet(imageSetId);
  const resourceArn = imageSet?.arn ?? '';
  const { tags } = await client.send(new ListTagsForResourceCommand({ resourceArn }));
  await client.send(new UntagResourceCommand({ resourceArn, tagKeys: ['isocenter:unverified'] }));
  return tags?.['isocenter:unverified'];
}

const RGB_FOR_GREY = /PhotometricInterpretation|SamplesPerPixel/;

it.each<[FaultName | 'none', RegExp, RegExp]>([
  ['swappedFrames', /^checksum$/, /frame 1: checksum: expected \d+, got \d+; frame 2: checksum/],
  ['changedChecksum', /^checksum$/, /frame 1: checksum: expected \d+, got \d+/],
  ['missingFrame', /^frame$/, /the data store does not hold it/],
  ['corruptFrame', /^(checksum|codestream|pixels)$/, /frame \d: /],
  ['unlistedFrame', /^frames$/, /frames: expected 4, the metadata lists 3/],
  ['lostFrames', /^frames$/, /frames: expected 4, the metadata lists 0/],
  ['missingInstance', /^instance$/, /does not list the instance/],
  ['exchangedRows', /^(Rows|Columns)$/, /differ in Rows, Columns/],
  ['flippedSign', /^PixelRepresentation$/, /differ in PixelRepresentation/],
  ['otherPrecision', /^BitsStored$/, /differ in BitsStored/],
  ['otherColours', /^PhotometricInterpretation$/, /differ in PhotometricInterpretation/],
  ['otherSamples', RGB_FOR_GREY, /differ in SamplesPerPixel, PhotometricInterpretation/],
])(
  '%s is found and named by both; the image set is tagged and kept',
  async (fault, what, message) => {
    const server = await startHealthImaging({
      dataDir,
      fsync: false,
      faults: { faults: [{ fault: fault as FaultName }] },
    });
    try {
      const { code, account } = await verifyByCommand(server);
      expect(code).toBe(1);
      expect(account.problems.length).toBeGreaterThan(0);
      for (const problem of account.problems) expect(problem.what).toMatch(what);
      expect(await takeTag(server)).toBe('true');
      const bad = (await verifyInPipeline(server, fault)).filter((line) => line.code);
      expect(bad.length).toBeGreaterThan(0);
      expect(bad.map((line) => line.message).join('; ')).toMatch(message);
      expect(await takeTag(server)).toBe('true');
    } finally {
      await server.close();
    }
  },
  60_000,
);

it('nothing is found where nothing is wrong, and every frame is proven from its source', async () => {
  const server = await startHealthImaging({ dataDir, fsync: false });
  try {
    const { code, account } = await verifyByCommand(server);
    expect({ code, problems: account.problems }).toEqual({ code: 0, problems: [] });
    expect(account.counts).toMatchObject({ expected: 5, verified: 5, provenFromSource: 5 });
    expect(account.sources).toEqual({ compared: 2, gone: 0, unreadable: 0, unknown: 0 });
    expect(await takeTag(server)).toBeUndefined();
    await objects.remove('work', [{ key: 'executions/x/staged/b/1' }]);
    const later = await verifyByCommand(server);
    expect(later.code).toBe(0);
    expect(later.account.sources).toEqual({ compared: 1, gone: 1, unreadable: 0, unknown: 0 });
    expect(later.account.counts).toMatchObject({ verified: 5, provenFromSource: 4 });
  } finally {
    await server.close();
  }
}, 60_000);

it('a stack without a data store named is the one that its ledger knows', async () => {
  const store = memoryObjectStore();
  await expect(onlyDatastoreIn(store, 'work', 'x')).rejects.toThrow(/has imported into none yet/);
  await store.write({ bucket: 'work', key: `series/${'a'.repeat(32)}/1.json` }, '{}');
  await store.write({ bucket: 'work', key: `series/${'a'.repeat(32)}/2.json` }, '{}');
  expect(await onlyDatastoreIn(store, 'work', 'x')).toBe('a'.repeat(32));
  await store.write({ bucket: 'work', key: `series/${'b'.repeat(32)}/1.json` }, '{}');
  await expect(onlyDatastoreIn(store, 'work', 'x')).rejects.toThrow(/into several: name/);
});
