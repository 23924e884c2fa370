/** The daily audit over the real server. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type HealthImaging, startHealthImaging } from '../../local/healthimaging/server.ts';
import { healthImagingService } from '../../shared/adapters/healthimaging-service.ts';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { type AuditDeps, auditImageSets } from '../../shared/ingest/audit-image-sets.ts';
import { createCodecPool } from '../../shared/pixels/codec-pool.ts';
import { systemClock } from '../../shared/ports/clock.ts';
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

function deps(auditPercent: number, now = Date.now()) {
  const datastoreId = server.seedDatastoreId ?? '';
  const client = clientFor(server);
  const imaging = healthImagingService(client, { datastoreId, dataAccessRoleArn: '' });
  const tagged: string[] = [];
  const tag = async (arn: string) => {
    tagged.push(arn);
  };
  const audit = {
    imaging: { ...imaging, tag },
    codecs,
    clock: { ...systemClock, now: () => now },
    objects: memoryObjectStore(),
    settings: { datastoreId, workBucket: 'work', auditPercent },
    log: (line: string) => lines.push(line),
  } as unknown as AuditDeps;
  return { audit, tagged };
}

it('proves every image set at 100 %, and tags and tells of the one that differs', async () => {
  const { audit, tagged } = deps(100);
  expect(await auditImageSets(audit)).toMatchObject({ imageSets: 6, problems: 1, isWhole: true });
  expect(tagged).toHaveLength(1);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/"audit":"differs","imageSetId":"\w{32}","problems":1/);
  expect(await auditImageSets(audit)).toMatchObject({ imageSets: 6, problems: 0, counts: { verified: 6 } });
});

it('draws the same image sets on one day, and others on another', async () => {
  const drawn = async (day: string) => (await auditImageSets(deps(50, Date.parse(day)).audit)).imageSets;
  expect(await drawn('2026-01-01T01:00:00Z')).toBe(await drawn('2026-01-01T23:00:00Z'));
  const days = await Promise.all(
    Array.from({ length: 8 }, (_, day) => drawn(`2026-01-0${day + 1}T00:00:00Z`)),
  );
  const sum = days.reduce((a, b) => a + b);
  expect(sum).toBeGreaterThan(8);
  expect(sum).toBeLessThan(40);
});

it('does nothing at 0 %', async () => {
  expect(await auditImageSets(deps(0).audit)).toMatchObject({ imageSets: 0, problems: 0 });
});
