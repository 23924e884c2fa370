/** The daily audit over the real server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { healthImagingService } from '../../shared/adapters/healthimaging-service.ts';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { type AuditDeps, auditImageSets } from '../../shared/ingest/audit-image-sets.ts';
import { recordInstances } from '../../shared/ingest/ledger.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { ObjectStore } from '../../shared/ports/object-store.ts';
import { clientFor } from '../local/healthimaging/client.ts';
import { STUDY, slice } from '../local/healthimaging/instances.ts';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-audit-'));
const codecs = createCodecPool({ workers: 1 });
const lines: string[] = [];
let server: HealthImaging;

beforeAll(async () => {
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  for (let i = 1; i <= 6; i++)
    writeFileSync(
      join(seed, `${i}.dcm`),
      slice({ number: i, elements: { SeriesInstanceUID: `${STUDY}.${i}` } }),
    );
  server = await startHealthImaging({
    seed,
    fsync: false,
    faults: { faults: [{ fault: 'corruptFrame', operation: 'GetImageFrame', times: 1 }] },
  });
});
afterAll(async () => {
  await codecs.close();
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

interface Arranged {
  readonly now?: () => number;
  readonly objects?: ObjectStore;
}

function deps(auditPercent: number, { now = Date.now, objects = memoryObjectStore() }: Arranged = {}) {
  const datastoreId = server.seedDatastoreId ?? '';
  const client = clientFor(server);
  const imaging = healthImagingService(client, { datastoreId, dataAccessRoleArn: '' });
  const tagged: string[] = [];
  const looked: string[] = [];
  const tag = async (arn: string) => {
    tagged.push(arn);
  };
  const metadata = (imageSetId: string) => {
    looked.push(imageSetId);
    return imaging.metadata(imageSetId);
  };
  const audit = {
    imaging: { ...imaging, tag, metadata },
    codecs,
    clock: { ...systemClock, now },
    objects,
    settings: { datastoreId, workBucket: 'work', auditPercent },
    log: (line: string) => lines.push(line),
  } as unknown as AuditDeps;
  return { audit, tagged, looked };
}

it('proves every image set at 100 %, and tags and tells of the one that differs', async () => {
  const { audit, tagged } = deps(100);
  expect(await auditImageSets(audit)).toMatchObject({ imageSets: 6, problems: 1, isWhole: true });
  expect(tagged).toHaveLength(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/"audit":"differs","imageSetId":"\w{32}","problems":1/);
  expect(await auditImageSets(audit)).toMatchObject({ imageSets: 6, problems: 0, counts: { verified: 6 } });
});

it('at 30 % looks at every image set once in four days', async () => {
  const { audit, looked } = deps(30);
  for (let day = 0; day < 4; day++) await auditImageSets(audit);
  expect(new Set(looked).size).toBe(6);
  expect(looked.length).toBeLessThanOrEqual(12);
});

it('goes on the next day where its time ended', async () => {
  let calls = 0;
  // The clock runs away after some looks at it: the budget ends in the middle of the walk.
  const hasty = () => (calls++ < 4 ? 0 : 11 * 60_000);
  const objects = memoryObjectStore();
  const first = deps(100, { objects, now: hasty });
  expect(await auditImageSets(first.audit)).toMatchObject({ isWhole: false });
  expect(first.looked.length).toBeLessThan(6);
  const second = deps(100, { objects });
  expect(await auditImageSets(second.audit)).toMatchObject({ isWhole: true });
  expect(new Set([...first.looked, ...second.looked]).size).toBe(6);
});

it('tells of what was imported and is gone: all frames of an instance, and an image set', async () => {
  const { audit, tagged } = deps(100);
  const { value } = await audit.imaging.listImageSets()[Symbol.asyncIterator]().next();
  const { imageSetId, seriesInstanceUID, studyInstanceUID } = value;
  const document = await audit.imaging.metadata(imageSetId);
  const [sop = ''] = Object.keys(document.Study.Series[seriesInstanceUID]?.Instances ?? {});
  const entry = {
    sizeBytes: 9,
    sha256: 'a',
    datasetDigest: 'b',
    imageSetId,
    state: 'verified',
    frames: 1,
    staged: 'executions/x/staged/y/z',
  } as const;
  const gone = { ...entry, imageSetId: 'f'.repeat(32) };
  await recordInstances(audit, { studyInstanceUID, seriesInstanceUID }, [], { [sop]: entry, '1.2.3': gone });
  const withoutFrames: AuditDeps = {
    ...audit,
    imaging: {
      ...audit.imaging,
      async metadata(id) {
        const read = await audit.imaging.metadata(id);
        const instance = read.Study.Series[seriesInstanceUID]?.Instances[sop];
        if (instance) Object.assign(instance, { ImageFrames: [] });
        return read;
      },
    },
  };
  lines.length = 0;
  expect(await auditImageSets(withoutFrames)).toMatchObject({ imageSets: 6, problems: 2 });
  expect(tagged).toHaveLength(1);
  expect(lines.join()).toMatch(/"FrameMissing","what":"frames".*"ImageSetMissing"/s);
});

it('counts apart what is kept as one blob: no problem, no tag, no line', async () => {
  const { audit, tagged } = deps(100);
  const whole: AuditDeps = {
    ...audit,
    imaging: {
      ...audit.imaging,
      async metadata(id) {
        const read = await audit.imaging.metadata(id);
        for (const { Instances } of Object.values(read.Study.Series))
          for (const instance of Object.values(Instances)) Object.assign(instance, { ImageFrames: [] });
        return read;
      },
    },
  };
  lines.length = 0;
  expect(await auditImageSets(whole)).toMatchObject({ imageSets: 6, problems: 0, unproven: 6 });
  expect({ tagged, lines }).toEqual({ tagged: [], lines: [] });
});

it('does nothing at 0 %', async () => {
  expect(await auditImageSets(deps(0).audit)).toMatchObject({ imageSets: 0, problems: 0 });
});
