/** What a report says as a whole: exit codes, and that no object counts as proven by half or by another's frames. */
import { describe, expect, it } from 'vitest';
import { accountOf } from '../../shared/ingest/account.ts';
import type { InspectedLine } from '../../shared/ingest/inspect-objects.ts';
import { readStudy } from '../../shared/ingest/ledger.ts';
import { exitCode, type MergeReport, type ObjectLine, type Report } from '../../shared/ingest/report.ts';
import { NO_FRAMES, type VerifiedLine } from '../../shared/ingest/verify-lines.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { p10, uid } from './objects.ts';

const REPORT: Report = {
  schema: 'isocenter.report/1',
  executionId: 'e',
  upload: 'u',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:01:00.000Z',
  outcome: 'Ingested',
  verify: 'full',
  counts: { received: 1, ingested: 1, duplicate: 0, rejected: 0, failed: 0 },
  bytes: 1,
  instancesWithoutFrames: 0,
  frames: { ...NO_FRAMES, expected: 1, verified: 1 },
  rejects: {},
  batches: [],
  imageSets: [],
  merges: [],
  timings: { inspect: 0, import: 0, verify: 0, merge: 0, total: 0 },
  objects: 's3://work-bucket/executions/e/objects.ndjson',
};

const merge = (outcome: MergeReport['outcome']): MergeReport => ({
  seriesInstanceUID: '1.2',
  outcome,
  reason: '',
  keywords: [],
  sources: [],
  destination: '',
  instances: 0,
});

const ingested: ObjectLine = { key: 'u/1', sizeBytes: 1, outcome: 'ingested', proof: 'source', frames: 1 };

describe('the exit code', () => {
  it.each<[string, 0 | 1 | 2, Partial<Report>, Partial<ObjectLine>?]>([
    ['all well', 0, {}],
    ['an execution that did not finish', 1, { outcome: 'Failed' }],
    ['a failed object', 1, { counts: { ...REPORT.counts, failed: 1 } }],
    ['a mismatch', 1, { frames: { ...REPORT.frames, mismatched: 1 } }],
    ['a failed merge', 1, { merges: [merge('failed')] }],
    ['a refusal', 2, { rejects: { NotP10: 1 } }],
    ['a refusal that nobody misses', 0, { rejects: { DicomDirectory: 1, SystemFile: 2 } }],
    ['variants kept apart', 2, { merges: [merge('keptApart')] }],
    ['variants reported', 2, { merges: [merge('reported')] }],
    ['variants merged', 0, { merges: [merge('merged')] }],
    ['pixels without proof', 2, {}, { proof: 'none' }],
    ['a document, which has none', 0, {}, { proof: 'none', frames: 0 }],
    ['another patient of the same study kept apart', 2, {}, { code: 'KeptApart' }],
  ])('of %s is %i', (_, code, report, object = {}) => {
    expect(exitCode({ ...REPORT, ...report }, [{ ...ingested, ...object }])).toBe(code);
  });
});

describe('the account', () => {
  it('of an instance that was proven by half, when the execution ended, is unfinished', () => {
    const inspected = {
      n: 0,
      key: 'u/1',
      sizeBytes: 8,
      etag: 'e',
      lastModified: '2026-01-01T00:00:00Z',
      inspected: { verdict: 'accepted', frames: 500, warnings: [] },
    } as unknown as InspectedLine;
    const line = {
      n: 0,
      imageSetId: 'i',
      proof: 'source',
      counts: { ...NO_FRAMES, expected: 250, verified: 250 },
    } as VerifiedLine;
    const results = (verified: VerifiedLine[]) => ({
      imported: { n: 0, outcome: 'imported' as const },
      verified,
    });
    const account = (verified: VerifiedLine[]) => accountOf(inspected, results(verified), 'Unfinished');
    expect(account([line])).toMatchObject({ line: { outcome: 'failed', code: 'Unfinished' }, stays: true });
    expect(account([line, line]).line).toMatchObject({ outcome: 'ingested', framesVerified: 500 });
  });

  it('counts pixels that are kept as one blob as frames, not among what has no frames', () => {
    const seen = (frames: number) =>
      ({
        n: 0,
        key: 'a',
        sizeBytes: 9,
        etag: 'e',
        inspected: { verdict: 'accepted', warnings: [], frames },
      }) as unknown as InspectedLine;
    const lineOf = (expected: number) =>
      ({ n: 0, counts: { ...NO_FRAMES, expected }, proof: 'none' }) as unknown as VerifiedLine;
    const account = (frames: number) => {
      const staging = { n: 0, outcome: 'staged' as const };
      const imported = { n: 0, outcome: 'imported' as const };
      const results = { staging, imported, verified: [lineOf(frames)] };
      return accountOf(seen(frames), results as unknown as Parameters<typeof accountOf>[1], 'Unaccounted');
    };
    expect(account(1)).toMatchObject({ counts: { expected: 1, verified: 0 }, isWithoutFrames: false });
    expect(account(0)).toMatchObject({ counts: { expected: 0 }, isWithoutFrames: true });
  });

  it('has no frames of another upload whose crashed import it finishes', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('z/1', p10({ sop: 'z', pixels: 1 }));
    const { imaging } = pipeline;
    const start = imaging.startImportJob;
    imaging.startImportJob = (request) => {
      imaging.startImportJob = start;
      pipeline.killAt({ atCall: 2, when: 'before' });
      return start(request);
    };
    await pipeline.settle(2);
    expect(pipeline.failures.map(String)).toEqual(['Killed']);
    await pipeline.put('b/1', p10({ sop: 'b', pixels: 2 }));
    await pipeline.settle();
    const [first, second] = (await pipeline.reports()).filter((report) => report.outcome !== 'Failed');
    expect(first).toMatchObject({ upload: 'b', batches: [{}, {}], frames: { expected: 1, verified: 1 } });
    expect(second).toMatchObject({ upload: 'z', frames: { expected: 1, verified: 1 } });
    expect(await pipeline.keys('inbox')).toEqual([]);
  });
});

describe('the ledgers', () => {
  it('are written for many studies at once, and one study at a time', async () => {
    const pipeline = memoryPipeline();
    const { write } = pipeline.store;
    let [now, most] = [0, 0];
    const writing = new Set<string>();
    pipeline.store.write = async (location, body, options) => {
      if (!location.key.startsWith('studies/')) return write(location, body, options);
      expect(writing.has(location.key)).toBe(false);
      writing.add(location.key);
      most = Math.max(most, ++now);
      await new Promise((resolve) => setImmediate(resolve));
      now--;
      writing.delete(location.key);
      return write(location, body, options);
    };
    for (let i = 0; i < 40; i++)
      await pipeline.put(`a/${i}`, p10({ study: `${i >> 1}`, series: `${i & 1}`, pixels: 1 }));
    await pipeline.settle();
    expect(most).toBeGreaterThan(4);
    for (let i = 0; i < 20; i++)
      expect(Object.keys((await readStudy(pipeline.deps(), uid(`${i}`)))?.imageSets ?? {}).length).toBe(2);
  });

  it('know each patient under the right study when two studies share a series UID', async () => {
    const pipeline = memoryPipeline();
    const SeriesInstanceUID = uid('shared');
    for (const [study, PatientID] of [
      ['s', 'N-1'],
      ['t', 'N-2'],
    ] as const)
      await pipeline.put(
        `a/${study}`,
        p10({ study, sop: study, pixels: 1, patient: { PatientID }, elements: { SeriesInstanceUID } }),
      );
    await pipeline.settle();
    const patients = async (study: string) =>
      (await readStudy(pipeline.deps(), uid(study)))?.identities.map((identity) => identity.patientID);
    expect([await patients('s'), await patients('t')]).toEqual([['N-1'], ['N-2']]);
  });
});
