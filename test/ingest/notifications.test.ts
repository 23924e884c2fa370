import { describe, expect, it } from 'vitest';
import { announcementsOf } from '../../shared/ingest/notifications.ts';
import type { Report } from '../../shared/ingest/report.ts';

const frames: Report['frames'] = {
  expected: 100,
  verified: 100,
  provenFromSource: 100,
  lossySource: 0,
  mismatched: 0,
  undecodable: 0,
  withoutChecksum: 0,
};
const well: Report = {
  schema: 'isocenter.report/1',
  executionId: 'e1',
  upload: 'CANARY^PATIENT',
  startedAt: '2026-01-01T00:00:00.000Z',
  finishedAt: '2026-01-01T00:00:42.000Z',
  outcome: 'Ingested',
  verify: 'full',
  counts: { received: 100, ingested: 99, duplicate: 1, rejected: 0, failed: 0 },
  bytes: 1,
  instancesWithoutFrames: 0,
  frames,
  rejects: {},
  batches: [],
  imageSets: [],
  merges: [],
  timings: { inspect: 1, import: 1, verify: 1, merge: 0, total: 42.4 },
  objects: 's3://work-bucket/executions/e1/objects.ndjson',
};
const told = (report: Partial<Report>) =>
  announcementsOf({ ...well, ...report }).map(({ headline, facts, advice }) => [headline, facts, advice]);

describe('what people are told', () => {
  it('says in one line that all is well', () => {
    expect(told({})).toEqual([
      [
        'All well: 99 objects ingested, 1 already there',
        'Received 100: 99 ingested, 1 duplicate, 0 rejected, 0 failed. 100 of 100 frames proven, 100 equal to the source. 42 s.',
        'Nothing.',
      ],
    ]);
  });

  it('says what was refused, why, and what to do', () => {
    const counts = { received: 100, ingested: 90, duplicate: 0, rejected: 9, failed: 1 };
    const rejects = { DicomDirectory: 5, NotP10: 4, Throttled: 1 };
    const [, [headline, facts, advice] = []] = told({ outcome: 'PartlyIngested', counts, rejects });
    expect(headline).toBe('10 objects of 100 not ingested');
    expect(facts).toMatch(/^5 DicomDirectory \(.+\); 4 NotP10 \(no DICOM .+\); 1 Throttled \(.+\)\.$/);
    expect(advice).toMatch(
      /^NotP10: If this is an image, .+ Trying again can help for Throttled: isocenter retry e1\.$/,
    );
  });

  it('says which series were kept apart and by what, never the values', () => {
    const variant = {
      seriesInstanceUID: '1.2',
      outcome: 'keptApart',
      reason: 'they differ',
      keywords: ['PatientID'],
      sources: ['a'],
      destination: 'b',
      instances: 3,
    } as const;
    const [, kept] = told({ merges: [variant, { ...variant, keywords: ['PatientID', 'PatientSex'] }] });
    expect(kept).toEqual([
      '2 series with several image sets, kept apart',
      'They differ in PatientID (2 series), PatientSex (1 series).',
      'No hurry: all is stored, nothing is mixed. See both sides with `isocenter resolve 1.2 --show`, then decide: `--keep-apart` or `--merge-into ID`. The report names every series.',
    ]);
  });

  it('says that frames could not be proven', () => {
    const [, unproven] = told({ frames: { ...frames, verified: 97, mismatched: 2, undecodable: 1 } });
    expect(unproven?.slice(0, 2)).toEqual([
      '3 frames could not be proven',
      '2 frames with other pixels than recorded, 1 that cannot be decoded, in 0 image sets.',
    ]);
  });

  it('says that an ingest did not finish and that nothing is lost', () => {
    const counts = { received: 100, ingested: 0, duplicate: 0, rejected: 0, failed: 100 };
    const messages = told({ outcome: 'Failed', counts, rejects: { Unfinished: 100 } });
    expect(messages).toHaveLength(1);
    expect(messages[0]?.[0]).toBe('An ingest did not finish: 100 of 100 objects wait in the inbox');
    expect(messages[0]?.[2]).toMatch(/^Nothing yet: they are tried again by themselves/);
  });

  it('says that a merge did not end', () => {
    const failed = {
      seriesInstanceUID: '1.2',
      outcome: 'failed',
      reason: 'x',
      keywords: [],
      sources: ['a'],
      destination: 'b',
      instances: 3,
    } as const;
    const [, kept] = told({ merges: [failed] });
    expect(kept?.[1]).toBe('No normalised element differs. 1 merge began and did not end.');
  });

  it('names no upload', () => {
    expect(JSON.stringify(announcementsOf(well))).not.toContain('CANARY');
  });
});
