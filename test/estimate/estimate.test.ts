import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type CountedRun, estimate, type Workload } from '../../shared/estimate/estimate.ts';
import { PRICES } from '../../shared/estimate/prices.ts';

const run = (instances: number): CountedRun => ({
  instances,
  rows: 32,
  transitions: 60,
  invocations: 20 + instances / 100,
  gigabyteSeconds: 10 + instances / 50,
  express: { executions: 4 + instances / 250, billedMilliseconds: 1000 + instances },
  requests: {
    's3:GetObject': 2 * instances,
    's3:CopyObject': instances,
    's3:DeleteObjects': instances / 10,
    'medical-imaging:GetImageFrame': instances,
    'medical-imaging:GetImageSetMetadata': instances / 250,
    'medical-imaging:StartDICOMImportJob': 1,
  },
});
const runs = [run(250), run(1000)];
const workload: Workload = {
  instances: 1_000_000,
  framesPerInstance: 1,
  bytesPerInstance: 500_000,
  instancesPerUpload: 1000,
  instancesPerSeries: 250,
  retentionDays: 30,
};
const lineOf = (what: string, more: Partial<Workload> = {}) =>
  estimate(runs, { ...workload, ...more }).lines.find((line) => line.what === what)!;

const storageOf = (more: Partial<Workload>) =>
  estimate(runs, { ...workload, ...more }).lines.filter(({ unit }) => /HealthImaging GB-months/.test(unit));

describe('the estimate', () => {
  it('gives back what was counted, for an upload as it was counted', () => {
    const same = { instances: 1000, instancesPerUpload: 1000 };
    expect(lineOf('Step Functions', same)).toMatchObject({ amount: 60, dollars: 0.0015 });
    expect(lineOf('S3 reads', same).amount).toBe(2000);
    // The upload itself is a write an instance; deletes are free.
    expect(lineOf('S3 writes', same).amount).toBe(2000);
  });

  it('asks for each frame exactly once', () => {
    expect(lineOf('HealthImaging frames', { framesPerInstance: 7 }).amount).toBe(7_000_000);
  });

  it('bills each image set as 5 MB at least', () => {
    const [small] = storageOf({ bytesPerInstance: 1000, healthImagingDollars: 0.1 });
    expect(small?.amount).toBeCloseTo((4000 * 5) / 1024);
    expect(small?.dollars).toBeCloseTo((small?.amount ?? 0) * 0.1);
  });

  it('adds up what comes once and the first month, not the months after', () => {
    const { lines, dollars } = estimate(runs, workload);
    const later = lines.filter((line) => line.isLater);
    expect(later).toHaveLength(1);
    const all = lines.reduce((sum, line) => sum + line.dollars, 0);
    expect(dollars).toBeCloseTo(all - (later[0]?.dollars ?? 0));
  });

  it('prices every call of HealthImaging, and storage by its list price unless another is given', () => {
    expect(lineOf('HealthImaging frames').dollars).toBeCloseTo(5);
    const [first] = storageOf({});
    expect(first?.dollars).toBeCloseTo((first?.amount ?? 0) * PRICES.healthImagingStorage.dollars);
    expect(storageOf({ healthImagingDollars: 0 }).map((line) => line.dollars)).toEqual([0, 0]);
  });

  it('bills express workflows by request and by 64 MB', () => {
    const same = { instances: 1000, instancesPerUpload: 1000, bytesPerInstance: 0 };
    expect(lineOf('Express workflows', same).amount).toBe(8);
    expect(lineOf('Express time', same).amount).toBeCloseTo(2 / 16);
  });

  it('names the quota that makes it take longest first', () => {
    const [first, second] = estimate(runs, { ...workload, framesPerInstance: 100 }).quotas;
    expect(first).toMatchObject({ quota: 'GetImageFrame, 1000 a second' });
    expect(first!.hours).toBeCloseTo(1e8 / 1000 / 3600);
    expect(first!.hours).toBeGreaterThan(second!.hours);
  });

  it('never falls when there is more to do', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }), (instances, more) => {
        const dollars = (n: number) => estimate(runs, { ...workload, instances: n }).dollars;
        expect(dollars(instances + more)).toBeGreaterThanOrEqual(dollars(instances) * 0.999);
      }),
      { verbose: 1 },
    );
  });

  it('says of each price where and when it was read', () => {
    for (const { source, readOn } of Object.values(PRICES)) {
      expect(source).toMatch(/^https:\/\/aws\.amazon\.com\//);
      expect(readOn).toMatch(/^\d{4}-\d\d-\d\d$/);
    }
  });
});
