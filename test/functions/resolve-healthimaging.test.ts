/** People's decisions over the HealthImaging-compatible server and the S3-compatible store, in both behaviours. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BenchWorld, openMergeWorld } from '../../bench/merge-world.ts';
import { readSeries, recordInstances } from '../../shared/ingest/ledger.ts';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
import { releaseAsOnePatient, viewHeld } from '../../shared/ingest/release-held.ts';
import { mergeInto } from '../../shared/ingest/resolve-series.ts';
import { sweepMerges } from '../../shared/ingest/sweep-merges.ts';
import { undoMerges } from '../../shared/ingest/undo-merge.ts';
import { uploadIdOf, workKeys } from '../../shared/ingest/work-keys.ts';
import { type Made, p10, uid } from '../ingest/objects.ts';

const by = { actor: 'somebody', reason: 'a test', at: new Date().toISOString() };
const WEEK_MS = 8 * 24 * 3_600_000;

/** An object of the study: `name` is its series and SOP Instance UID. */
const object = (study: string, series: string, sop: string, made: Made = {}) =>
  p10({ study, series, sop, pixels: 1, ...made });

const seriesOf = (study: string, series: string) => uid(`${study}/${series}`);
const sopOf = (series: string, sop: string) => uid(`${series}/${sop}`);

/** Leases of this process stand where an execution of Step Functions would hold them: none does here. */
const depsOf = (world: BenchWorld, aheadMs = 0): MergeDeps => ({
  ...world.deps,
  executions: { ...world.deps.executions, start: async () => 'started', status: async () => 'SUCCEEDED' },
  clock: { now: () => Date.now() + aheadMs, sleep: (ms) => world.deps.clock.sleep(Math.min(ms, 20)) },
});

/** A refused object as an ingest leaves it behind. */
async function refuse(
  { objects, settings }: MergeDeps,
  study: string,
  series: string,
  body: Uint8Array,
): Promise<void> {
  const at = '2026-01-01T00:00:00.000Z';
  const executionId = `refused-${study}`;
  const write = (key: string, value: string | Uint8Array) =>
    objects.write({ bucket: settings.workBucket, key }, value);
  const line = {
    ...{ key: `${study}/x`, sizeBytes: body.length, outcome: 'rejected', code: 'IdentityConflict' },
    ...{ studyInstanceUID: uid(study), seriesInstanceUID: seriesOf(study, series) },
  };
  await write(workKeys.refused('rejected', executionId, line.key), body);
  await write(workKeys.objects(executionId), `${JSON.stringify(line)}\n`);
  await write(workKeys.report(executionId), JSON.stringify({ upload: study }));
  await write(workKeys.summary(at, executionId), JSON.stringify({ executionId, counts: { rejected: 1 } }));
  await write(workKeys.upload(uploadIdOf(study)), JSON.stringify({ upload: study }));
}

describe.each(['current', '2024'] as const)('in %s', (behaviour) => {
  let world: BenchWorld;
  beforeAll(async () => {
    world = await openMergeWorld({ behaviour, throttle: 'off', failing: 0, seriesAtOnce: 1 });
    await world.makeBucket('inbox');
  }, 60_000);
  afterAll(() => world.close());

  it('corrects every image set of a study, and goes back', async () => {
    const deps = depsOf(world);
    const files = new Map(['a', 'b'].map((series) => [series, object('corrected', series, '1')]));
    await world.importRound('corrected', files);
    const all = ['a', 'b'].map((series) => seriesOf('corrected', series));
    await world.readyToMerge(all);
    const patient = { PatientID: 'N-2', PatientBirthDate: '19710101' };
    await refuse(deps, 'corrected', 'a', object('corrected', 'a', 'x', { patient }));
    const view = await viewHeld(deps, all[0]!);
    expect(view?.keywords).toEqual(['PatientID', 'PatientBirthDate']);
    const label = view?.patients.find(({ held }) => held > 0)?.label ?? '';
    const seen = view?.patients.map((one) => one.label) ?? [];
    const request = { series: all[0]!, label, seen, resolutionId: 'resolve-corrected' };
    expect(await releaseAsOnePatient(deps, request, by)).toMatchObject({
      corrected: 2,
      retried: [{ upload: 'corrected', restored: 1 }],
    });
    const idsOf = async () =>
      (await Promise.all(all.map((series) => world.setsOf(series)))).flatMap((sets) =>
        sets.map((set) => set.patient.PatientID),
      );
    expect(await idsOf()).toEqual(['N-2', 'N-2']);
    const undone = await undoMerges(deps, 'resolve-corrected', by);
    expect(undone.map(({ isUndone }) => isUndone)).toEqual([true, true]);
    expect(await idsOf()).toEqual(['N-1', 'N-1']);
  }, 60_000);

  it('merges into the image set that a person names; it becomes the primary when the old one goes', async () => {
    const deps = depsOf(world);
    const series = seriesOf('named', 'a');
    await world.importRound('named-1', new Map([['1', object('named', 'a', '1')]]));
    const patient = { PatientID: 'N-2' };
    await world.importRound('named-2', new Map([['2', object('named', 'a', '2', { patient })]]));
    await world.readyToMerge([series]);
    const before = await world.setsOf(series);
    const destination = before.find((set) => set.patient.PatientID === 'N-2')?.imageSetId ?? '';
    const request = { series, destination, resolutionId: 'resolve-named' };
    expect((await mergeInto(deps, request, by)).reports).toMatchObject([{ outcome: 'merged', destination }]);
    const late = depsOf(world, WEEK_MS);
    for (let sweeps = 0; sweeps < 8; sweeps++) await sweepMerges(late);
    const [set, ...others] = await world.setsOf(series);
    expect(others).toEqual([]);
    expect(Object.keys(set?.instances ?? {}).length).toBe(2);
    expect(set?.patient.PatientID).toBe('N-2');
    const imageSet = await deps.imaging.imageSet(set?.imageSetId ?? '');
    expect(imageSet?.isPrimary).toBe(behaviour === 'current');
    const ledger = await readSeries(deps, series);
    for (const entry of Object.values(ledger?.instances ?? {}))
      expect(entry.imageSetId).toBe(set?.imageSetId);
    expect((await undoMerges(deps, 'resolve-named', by))[0]?.says).toContain(
      'deleted when its grace was over',
    );
  }, 60_000);

  it('takes out what was replaced', async () => {
    const deps = depsOf(world);
    const series = seriesOf('replaced', 'a');
    const body = (sop: string, elements: Made['elements'] = {}) => object('replaced', 'a', sop, { elements });
    await world.importRound('replaced-1', new Map(['1', '2', '3'].map((sop) => [sop, body(sop)])));
    await world.readyToMerge([series]);
    const [old] = await world.setsOf(series);
    const corrected = body('2', { ImageComments: 'corrected', AccessionNumber: 'A' });
    await world.importRound('replaced-2', new Map([['2', corrected]]));
    const made = (await world.setsOf(series)).find((set) => set.imageSetId !== old?.imageSetId);
    const sop = sopOf('a', '2');
    await recordInstances(deps, { studyInstanceUID: uid('replaced'), seriesInstanceUID: series }, [], {
      [sop]: {
        ...{ sizeBytes: 1, sha256: 'corrected', datasetDigest: 'corrected', frames: 1 },
        ...{ imageSetId: made?.imageSetId ?? '', state: 'verified', replaces: [] },
      },
    });
    const [outcome] = await world.merge([series]);
    expect(outcome?.reports).toMatchObject([{ outcome: 'keptApart', keywords: ['AccessionNumber'] }]);
    const after = await world.setsOf(series);
    const holding = after.filter((set) => set.instances[sop] !== undefined);
    expect(holding.map((set) => set.imageSetId)).toEqual([made?.imageSetId]);
    expect(after.flatMap((set) => Object.keys(set.instances)).length).toBe(3);
  }, 60_000);
});
