/** `isocenter verify` over the real server: what is wrong is found and named. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { createTerminal } from '../../cli/terminal.ts';
import type { VerifyAccount } from '../../cli/verify-account.ts';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { startS3 } from '../../local/s3/server.ts';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { recordInstances } from '../../shared/ingest/ledger.ts';
import { SERIES, STUDY, slice } from '../local/healthimaging/instances.ts';
import { type StoredDocument, startTamperingProxy, type TamperingProxy } from './tampering-proxy.ts';

let folder: string;
let server: HealthImaging;
let proxy: TamperingProxy;
let datastoreId: string;

const OTHER_SERIES = `${STUDY}.2`;
const MULTI = `${SERIES}.1`;
const WIDE = `${SERIES}.2`;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-verify-'));
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  const frames = { NumberOfFrames: '4', Rows: 16, Columns: 64 };
  writeFileSync(join(seed, 'a.dcm'), slice({ number: 1, elements: frames }));
  writeFileSync(join(seed, 'b.dcm'), slice({ number: 2, elements: { Rows: 32, Columns: 128 } }));
  writeFileSync(join(seed, 'c.dcm'), slice({ number: 3, elements: { SeriesInstanceUID: OTHER_SERIES } }));
  server = await startHealthImaging({ dataDir: join(folder, 'data'), seed, fsync: false });
  datastoreId = server.seedDatastoreId ?? '';
  proxy = await startTamperingProxy(server.endpoint);
});
beforeEach(() => {
  proxy.tampering = {};
  proxy.calls.length = 0;
});
afterAll(async () => {
  await proxy.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

async function run(...args: string[]) {
  const written = { out: '', err: '' };
  const terminal = createTerminal({
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
  });
  const code = await main(['node', 'isocenter', 'verify', ...args], terminal);
  return { code, ...written };
}

async function account(...args: string[]): Promise<{ code: number; account: VerifyAccount }> {
  const { code, out, err } = await run(datastoreId, '--endpoint', proxy.endpoint, '--json', ...args);
  if (out === '') throw new Error(err);
  return { code, account: JSON.parse(out) as VerifyAccount };
}

const instanceIn = ({ Study }: StoredDocument, sop: string) => Study.Series[SERIES]?.Instances[sop];
const framesRead = () => proxy.calls.filter((path) => path.endsWith('/getImageFrame')).length;

describe('a sound data store', () => {
  it('is exit 0 with every frame verified', async () => {
    const { code, account: found } = await account();
    expect(code).toBe(0);
    expect(found).toMatchObject({ schema: 'isocenter.verify/1', imageSets: 2, instances: 3, problems: [] });
    expect(found.counts).toMatchObject({ expected: 6, verified: 6, mismatched: 0, undecodable: 0 });
  });

  it('is told to a person in a table', async () => {
    const { code, out, err } = await run(datastoreId, '--endpoint', proxy.endpoint);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/frames +6/);
    expect(out).toMatch(/nothing differs/);
  });

  it('is looked at in part, by series, study and image set', async () => {
    expect((await account('--series', OTHER_SERIES)).account).toMatchObject({ imageSets: 1, instances: 1 });
    expect((await account('--study', STUDY)).account).toMatchObject({ imageSets: 2 });
    expect((await account('--study', `${STUDY}.9`)).account).toMatchObject({ imageSets: 0, instances: 0 });
  });

  it('is sampled by the seed: the same frames each time', async () => {
    const sampled = async (seed: string) => (await account('--sample', '50%', '--seed', seed)).account.counts;
    // The frames of each store have ids of their own: one seed may happen to take all six.
    const expected: number[] = [];
    for (const seed of ['a', 'b', 'c', 'd']) {
      const first = await sampled(seed);
      expect(await sampled(seed)).toEqual(first);
      expected.push(first.expected);
    }
    expect(Math.min(...expected)).toBeLessThan(6);
    expect(framesRead()).toBe(2 * expected.reduce((sum, one) => sum + one, 0));
  });

  it('is verified although the service throttles', async () => {
    proxy.tampering = { throttledFrames: 3 };
    const { code, account: found } = await account();
    expect({ code, verified: found.counts.verified }).toEqual({ code: 0, verified: 6 });
  });
});

describe('what is wrong is found, named, and exit 1', () => {
  async function frameIds(): Promise<string[]> {
    let ids: string[] = [];
    proxy.tampering = {
      metadata: (document) => {
        ids = instanceIn(document, MULTI)?.ImageFrames.map(({ ID }) => ID) ?? ids;
      },
    };
    await account('--series', SERIES);
    proxy.tampering = {};
    return ids;
  }

  it('two frames swapped', async () => {
    const [first = '', second = ''] = await frameIds();
    const swapped: Record<string, string> = { [first]: second, [second]: first };
    proxy.tampering = { frame: (id) => swapped[id] ?? id };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.counts).toMatchObject({ expected: 6, verified: 4, mismatched: 2 });
    const place = { series: SERIES, sop: MULTI, code: 'ChecksumMismatch', what: 'checksum' };
    expect(found.problems).toMatchObject([
      { ...place, frame: 1 },
      { ...place, frame: 2 },
    ]);
    expect(found.problems[0]?.expected).toBe(found.problems[1]?.got);
  });

  it('a checksum changed', async () => {
    proxy.tampering = {
      metadata: (document) => {
        const entry = instanceIn(document, MULTI)?.ImageFrames[2];
        const last = entry?.PixelDataChecksumFromBaseToFullResolution?.at(-1);
        if (last) Object.assign(last, { Checksum: 1 });
      },
    };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.problems).toMatchObject([{ sop: MULTI, frame: 3, what: 'checksum', expected: 1 }]);
    const text = await run(datastoreId, '--endpoint', proxy.endpoint);
    expect(text.out).toMatch(
      /ChecksumMismatch {2}image set \w+, instance \S+\.1, frame 3: checksum: expected 1, got \d+/,
    );
  });

  it('a frame that is listed and not stored', async () => {
    const ids = await frameIds();
    proxy.tampering = { frame: (id) => (id === ids[1] ? undefined : id) };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.counts).toMatchObject({ verified: 5, undecodable: 1 });
    expect(found.problems).toMatchObject([{ sop: MULTI, frame: 2, code: 'FrameMissing', got: 'missing' }]);
  });

  it('a frame that is not listed', async () => {
    proxy.tampering = { metadata: (document) => instanceIn(document, MULTI)?.ImageFrames.pop() };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.problems).toMatchObject([{ sop: MULTI, what: 'frames', expected: 4, got: 3 }]);
  });

  it('rows and columns exchanged in the metadata', async () => {
    proxy.tampering = {
      metadata: (document) => {
        const instance = instanceIn(document, WIDE);
        if (instance) Object.assign(instance.DICOM, { Rows: 128, Columns: 32 });
      },
    };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.problems).toMatchObject([
      { sop: WIDE, frame: 1, what: 'Rows', expected: 128, got: 32 },
      { sop: WIDE, frame: 1, what: 'Columns', expected: 32, got: 128 },
    ]);
  });

  it('a sign flipped in the metadata', async () => {
    proxy.tampering = {
      metadata: (document) => {
        const instance = instanceIn(document, WIDE);
        if (instance) instance.DICOM.PixelRepresentation = 1;
      },
    };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.problems).toMatchObject([{ sop: WIDE, what: 'PixelRepresentation', expected: 1, got: 0 }]);
  });

  it('frames that the server hands out damaged', async () => {
    const damaged = await startHealthImaging({
      seed: join(folder, 'seed'),
      fsync: false,
      faults: { faults: [{ fault: 'corruptFrame', operation: 'GetImageFrame', times: 1 }] },
    });
    try {
      const { code, out } = await run(
        damaged.seedDatastoreId ?? '',
        '--endpoint',
        damaged.endpoint,
        '--json',
      );
      const found = JSON.parse(out) as VerifyAccount;
      expect(code).toBe(1);
      expect(found.counts.mismatched + found.counts.undecodable).toBe(1);
      expect(found.problems[0]?.code).toMatch(/ChecksumMismatch|FrameUndecodable/);
    } finally {
      await damaged.close();
    }
  });
});

describe('what has pixels and nothing to prove them by', () => {
  const BLOB = '1.2.840.10008.1.2.4.94';
  const keptWhole = (document: StoredDocument) => {
    const instance = instanceIn(document, MULTI);
    if (instance) Object.assign(instance, { ImageFrames: [], StoredTransferSyntaxUID: BLOB });
  };
  const withoutChecksums = (document: StoredDocument) => {
    for (const frame of instanceIn(document, WIDE)?.ImageFrames ?? [])
      Object.assign(frame, { PixelDataChecksumFromBaseToFullResolution: [] });
  };

  it('an instance that is kept as one blob is named, its frames are expected, and it is exit 2', async () => {
    proxy.tampering = { metadata: keptWhole };
    const { code, account: found } = await account();
    expect(code).toBe(2);
    expect(found).toMatchObject({ withoutFrames: 0, problems: [], counts: { expected: 6, verified: 2 } });
    expect(found.unproven).toMatchObject([{ series: SERIES, sop: MULTI, frames: 4 }]);
    expect(found.unproven[0]?.why).toContain(BLOB);
    const text = await run(datastoreId, '--endpoint', proxy.endpoint);
    expect(text.code).toBe(2);
    expect(text.out).toMatch(/unproven +4 +in 1 instance/);
    expect(text.out).toMatch(/Unproven {2}image set \w+, instance \S+\.1, 4 frames: kept as it came.*JPIP/);
    expect(text.out).toMatch(/nothing differs, unproven: 4 frames/);
  });

  it('so is a frame without a checksum, and without its source', async () => {
    proxy.tampering = { metadata: withoutChecksums };
    const { code, account: found } = await account();
    expect(code).toBe(2);
    expect(found).toMatchObject({ problems: [], counts: { expected: 6, verified: 5, withoutChecksum: 1 } });
    expect(found.unproven).toMatchObject([{ sop: WIDE, frames: 1 }]);
  });

  it('a mismatch beside it is exit 1', async () => {
    proxy.tampering = {
      metadata: (document) => {
        keptWhole(document);
        const instance = instanceIn(document, WIDE);
        if (instance) instance.DICOM.PixelRepresentation = 1;
      },
    };
    const { code, account: found } = await account();
    expect(code).toBe(1);
    expect(found.unproven).toHaveLength(1);
    expect(found.problems).toHaveLength(1);
  });

  it('an instance without pixels is nothing to prove, and exit 0', async () => {
    proxy.tampering = {
      metadata: (document) => {
        const instance = instanceIn(document, WIDE);
        if (!instance) return;
        instance.ImageFrames = [];
        delete instance.DICOM.Rows;
        delete instance.DICOM.Columns;
      },
    };
    const { code, account: found } = await account();
    expect(code).toBe(0);
    expect(found).toMatchObject({ withoutFrames: 1, unproven: [], counts: { expected: 5, verified: 5 } });
  });
});

describe('--resume', () => {
  it('leaves out what was proven, and looks again at what was not', async () => {
    const file = join(folder, 'done.ndjson');
    proxy.tampering = {
      metadata: (document) => {
        const instance = instanceIn(document, WIDE);
        if (instance) instance.DICOM.PixelRepresentation = 1;
      },
    };
    expect((await account('--resume', file)).code).toBe(1);
    // As a kill leaves it.
    writeFileSync(file, `${readFileSync(file, 'utf8')}{"imageSetId":"x","coun`);
    proxy.tampering = {};
    proxy.calls.length = 0;
    const second = await account('--resume', file);
    expect(second.code).toBe(0);
    expect(second.account).toMatchObject({ imageSets: 2, resumed: 1, counts: { verified: 6 } });
    expect(framesRead()).toBe(5);
    const third = await account('--resume', file);
    expect(third.account).toMatchObject({ imageSets: 2, resumed: 2, counts: { verified: 6 } });
    expect(framesRead()).toBe(5);
  });
});

describe('beside a local world', () => {
  it('what the ledger of imports knows must be there', async () => {
    const world = await startWorldAround();
    try {
      const { code, out } = await run('--data', world.dataDir, '--json');
      const found = JSON.parse(out) as VerifyAccount;
      expect(code).toBe(1);
      expect(found.comparedWithLedger).toBe(true);
      expect(found.counts).toMatchObject({ verified: 6, mismatched: 0 });
      expect(found.problems).toMatchObject([
        { series: SERIES, sop: `${SERIES}.7`, code: 'InstanceMissing' },
        { series: SERIES, imageSetId: 'f'.repeat(32), code: 'ImageSetMissing' },
      ]);
    } finally {
      await world.close();
    }
  });

  /** What `verify` needs of a world: its file, its health, its store with a ledger. */
  async function startWorldAround() {
    const dataDir = join(folder, 'world');
    mkdirSync(dataDir);
    const store = await startS3({ dataDir: join(folder, 's3') });
    await store.createBucket('work');
    const console = createServer((_, response) => response.end(JSON.stringify({ pid: process.pid })));
    await new Promise<void>((resolve) => console.listen(0, '127.0.0.1', resolve));
    const file = {
      consoleUrl: `http://127.0.0.1:${(console.address() as AddressInfo).port}`,
      healthImagingUrl: proxy.endpoint,
      s3Url: store.url,
      stepFunctionsUrl: store.url,
      region: 'us-east-1',
      datastoreId,
      dataAccessRoleArn: '',
      inboxBucket: 'inbox',
      workBucket: 'work',
      stateMachineArns: { ingest: 'arn:aws:states:us-east-1:000000000000:stateMachine:x' },
      pid: process.pid,
    };
    writeFileSync(join(dataDir, 'world.json'), JSON.stringify(file));
    await writeLedger(store.url, (await firstImageSet()) ?? '');
    return { dataDir, close: () => closeAll(console, () => store.close()) };
  }

  async function firstImageSet() {
    await account('--series', SERIES);
    return proxy.calls.find((path) => path.includes('/getImageSetMetadata'))?.split('/')[4];
  }

  async function writeLedger(endpoint: string, imageSetId: string) {
    const s3 = new S3Client({
      endpoint,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    });
    const entry = {
      sizeBytes: 1,
      sha256: 'a',
      datasetDigest: 'b',
      imageSetId,
      state: 'verified',
      frames: 1,
    } as const;
    await recordInstances(
      { objects: s3ObjectStore(s3), settings: { workBucket: 'work', datastoreId } },
      { studyInstanceUID: STUDY, seriesInstanceUID: SERIES },
      [],
      {
        [MULTI]: { ...entry, frames: 4 },
        [WIDE]: entry,
        [`${SERIES}.7`]: entry,
        [`${SERIES}.8`]: { ...entry, imageSetId: 'f'.repeat(32) },
      },
    );
    s3.destroy();
  }

  async function closeAll(console: Server, closeStore: () => Promise<void>) {
    console.closeAllConnections();
    await new Promise((resolve) => console.close(resolve));
    await closeStore();
  }
});

describe('usage', () => {
  it.each([
    ['a sample of nothing', ['--sample', '0%'], 64, /expected a percentage/],
    [
      'an endpoint without a data store',
      ['--endpoint', 'http://127.0.0.1:1'],
      64,
      /DATASTORE: expected the id/,
    ],
    ['an endpoint and a world', ['x', '--endpoint', 'http://127.0.0.1:1', '--data', 'y'], 64, /not both/],
    ['no world', ['--data', '/no/such/folder'], 1, /nothing at/],
  ])('%s', async (_, args, wanted, message) => {
    const { code, out, err } = await run(...args);
    expect({ code, out }).toEqual({ code: wanted, out: '' });
    expect(err).toMatch(message);
  });

  it('a data store and an image set that are not there are exit 1', async () => {
    const nowhere = await run('0'.repeat(32), '--endpoint', proxy.endpoint);
    expect(nowhere.code).toBe(1);
    expect(nowhere.err).toMatch(/there is no data store/);
    const none = await run(datastoreId, '--endpoint', proxy.endpoint, '--image-set', '0'.repeat(32));
    expect(none.code).toBe(1);
    expect(none.err).toMatch(/holds no image set/);
  });
});
