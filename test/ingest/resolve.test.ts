/**
 * People's decisions, and series that come in parts, through the whole pipeline in memory: real handlers, a data store
 * with the grouping of both behaviours.
 */
import { describe, expect, it } from 'vitest';
import { seriesLease } from '../../shared/ingest/leases.ts';
import { readJson } from '../../shared/ingest/ndjson.ts';
import { identityOf, patientDecisionOf, recordOnePatient } from '../../shared/ingest/patient-decisions.ts';
import { processHolder, whileHolding } from '../../shared/ingest/process-leases.ts';
import { putBacksOf } from '../../shared/ingest/put-backs.ts';
import { refusedId } from '../../shared/ingest/refused-objects.ts';
import { releaseAsOnePatient, releaseAsOtherPatients, viewHeld } from '../../shared/ingest/release-held.ts';
import { replaceInstances } from '../../shared/ingest/replace-instances.ts';
import { readResolution, recordDecision } from '../../shared/ingest/resolutions.ts';
import { CannotResolve, mergeInto } from '../../shared/ingest/resolve-series.ts';
import { sweepMerges } from '../../shared/ingest/sweep-merges.ts';
import { undoMerges } from '../../shared/ingest/undo-merge.ts';
import { viewConflict } from '../../shared/ingest/view-conflict.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import { type MemoryPipeline, memoryPipeline } from './memory-pipeline.ts';
import { type Made, p10, uid } from './objects.ts';

const PROFILES = ['current', '2024'] as const;
const SERIES = uid('study/series');
const STUDY = uid('study');
const by = { actor: 'somebody', reason: 'checked with the ward', at: '2026-02-01T00:00:00.000Z' };

/** What the data store holds: patient, primary or not, instances, sorted. */
function setsOf({ imaging }: MemoryPipeline) {
  const name = (sop: string) =>
    ['0', '1', '2', '3', '4', '5', '6', '7', 'x'].find((short) => uid(`series/${short}`) === sop) ?? sop;
  return [...imaging.sets.values()]
    .map(({ patient, instances, isPrimary }) => ({
      patientID: String(patient.PatientID),
      birthDate: String(patient.PatientBirthDate ?? ''),
      isPrimary,
      instances: [...instances.keys()].map(name).sort().join(''),
    }))
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

async function outcomes(pipeline: MemoryPipeline): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const report of await pipeline.reports())
    for (const { key, outcome, code } of await pipeline.objectsOf(report))
      found[key] = code === undefined ? outcome : `${outcome}: ${code}`;
  return found;
}

const labelled = async (pipeline: MemoryPipeline, birthDate: string): Promise<string> => {
  const view = await viewHeld(pipeline.deps(), SERIES);
  const patient = view?.patients.find(({ identity }) => identity.birthDate === birthDate);
  return patient?.label ?? '';
};

const labelsOf = async (pipeline: MemoryPipeline): Promise<string[]> =>
  ((await viewHeld(pipeline.deps(), SERIES))?.patients ?? []).map(({ label }) => label);

/** Two slices of one patient, then one with another birth date or PatientID, which is held. */
async function held(profile: 'current' | '2024', patient: Made['patient']): Promise<MemoryPipeline> {
  const pipeline = memoryPipeline({ profile, merge: 'auto', mergeGraceSeconds: 604_800 });
  for (const sop of ['0', '1']) await pipeline.put(`a/${sop}`, p10({ sop, pixels: Number(sop) }));
  await pipeline.settle();
  await pipeline.put('b/x', p10({ sop: 'x', pixels: 5, ...(patient ? { patient } : {}) }));
  await pipeline.settle();
  expect((await outcomes(pipeline))['b/x']).toBe('rejected: IdentityConflict');
  return pipeline;
}

const BORN_1971 = { PatientBirthDate: '19710101' };

describe.each(PROFILES)('what was held as another patient, in %s', (profile) => {
  it('comes in as one patient, under the identity that a person found right', async () => {
    for (const [right, patient] of [
      ['19700101', BORN_1971],
      ['19710101', BORN_1971],
      ['19700101', { ...BORN_1971, PatientID: 'N-2' }],
      ['19710101', { ...BORN_1971, PatientID: 'N-2' }],
    ] as const) {
      const pipeline = await held(profile, patient);
      const label = await labelled(pipeline, right);
      const request = { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' };
      const released = await releaseAsOnePatient(pipeline.deps(), request, by);
      expect(released.retried.map(({ restored }) => restored)).toEqual([1]);
      await pipeline.settle();
      expect((await outcomes(pipeline))['b/x']).toBe('ingested');
      // What was merged stays for its grace; the ledger says what holds the series now.
      const ledger = await readJson<{ instances: Record<string, { imageSetId: string }> }>(
        pipeline.store,
        'work',
        workKeys.seriesLedger('d'.repeat(32), SERIES),
      );
      const sets = new Set(Object.values(ledger?.value.instances ?? {}).map(({ imageSetId }) => imageSetId));
      expect(sets.size).toBe(1);
      const set = pipeline.imaging.sets.get([...sets][0] ?? '');
      expect(set?.instances.size).toBe(3);
      expect(identityOf(set?.patient ?? {})).toMatchObject({ birthDate: right });
      if (profile === 'current') expect(set?.isPrimary).toBe(true);
      for (const { patient: level } of pipeline.imaging.sets.values())
        expect(identityOf(level).birthDate).toBe(right);
      const decision = await patientDecisionOf(pipeline.deps(), STUDY);
      expect(decision?.history).toMatchObject([
        { actor: 'somebody', reason: 'checked with the ward', decision: 'one-patient' },
      ]);
      // Again: a duplicate, and nothing new is written.
      await pipeline.put('c/x', p10({ sop: 'x', pixels: 5, patient }));
      await pipeline.settle();
      expect((await outcomes(pipeline))['c/x']).toBe('duplicate');
    }
  });

  it('is still held when it is a patient about whom nobody decided', async () => {
    const pipeline = await held(profile, BORN_1971);
    const request = {
      series: SERIES,
      seen: await labelsOf(pipeline),
      label: await labelled(pipeline, '19700101'),
      resolutionId: 'resolve-1',
    };
    await releaseAsOnePatient(pipeline.deps(), request, by);
    await pipeline.settle();
    await pipeline.put('c/2', p10({ sop: '2', pixels: 1, patient: { PatientBirthDate: '19720101' } }));
    await pipeline.settle();
    expect((await outcomes(pipeline))['c/2']).toBe('rejected: IdentityConflict');
  });

  it('comes in as another patient where the service keeps them apart, and nowhere else', async () => {
    const pipeline = await held(profile, { ...BORN_1971, PatientID: 'N-2' });
    const request = { series: SERIES, seen: await labelsOf(pipeline), resolutionId: 'resolve-1' };
    await releaseAsOtherPatients(pipeline.deps(), request, by);
    await pipeline.settle();
    expect((await outcomes(pipeline))['b/x']).toBe('ingested: KeptApart');
    expect(setsOf(pipeline).map(({ patientID, instances }) => `${patientID} ${instances}`)).toEqual([
      'N-1 01',
      'N-2 x',
    ]);
    const same = await held(profile, BORN_1971);
    // Who looks first is told what would happen, in the words of the refusal.
    const { mixedUp } = (await viewHeld(same.deps(), SERIES)) ?? {};
    if (profile === 'current') expect(mixedUp).toContain('would join it');
    else expect(mixedUp).toBeUndefined();
    const release = releaseAsOtherPatients(same.deps(), { ...request, seen: await labelsOf(same) }, by);
    if (profile === 'current') {
      await expect(release).rejects.toThrow('would join it');
      await same.settle();
      expect(setsOf(same)).toMatchObject([{ birthDate: '19700101', instances: '01' }]);
    } else {
      await release;
      await same.settle();
      expect(setsOf(same).map(({ birthDate, instances }) => `${birthDate} ${instances}`)).toEqual([
        '19700101 01',
        '19710101 x',
      ]);
    }
  });

  it('goes back with an undo, and the decision with it', async () => {
    const pipeline = await held(profile, { ...BORN_1971, PatientID: 'N-2' });
    const label = await labelled(pipeline, '19710101');
    await releaseAsOnePatient(
      pipeline.deps(),
      { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' },
      by,
    );
    expect(setsOf(pipeline)).toMatchObject([{ patientID: 'N-2', birthDate: '19710101', instances: '01' }]);
    expect(await undoMerges(pipeline.deps(), 'resolve-1', by)).toMatchObject([{ isUndone: true }]);
    expect(setsOf(pipeline)).toMatchObject([{ patientID: 'N-1', birthDate: '19700101', instances: '01' }]);
    await pipeline.settle();
    expect((await outcomes(pipeline))['b/x']).toBe('rejected: IdentityConflict');
  });

  it('is not undone under what came in by it: nothing leaves the data store with a version', async () => {
    const pipeline = await held(profile, BORN_1971);
    const label = await labelled(pipeline, '19710101');
    await releaseAsOnePatient(
      pipeline.deps(),
      { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' },
      by,
    );
    await pipeline.settle();
    const before = setsOf(pipeline);
    expect(before.some(({ instances }) => instances === '01x')).toBe(true);
    const [undone] = await undoMerges(pipeline.deps(), 'resolve-1', by);
    expect(undone).toMatchObject({ isUndone: false });
    expect(undone?.says).toMatch(/^1 instance joined image set .* nothing was changed$/);
    expect(setsOf(pipeline)).toEqual(before);
    const { history = [] } = (await patientDecisionOf(pipeline.deps(), STUDY)) ?? {};
    expect(history.map(({ decision }) => decision)).toEqual(['one-patient']);
  });

  it('is undone over all series of the study, or over none', async () => {
    const pipeline = memoryPipeline({ profile, merge: 'auto', mergeGraceSeconds: 604_800 });
    await pipeline.put('a/0', p10({ sop: '0', pixels: 0 }));
    await pipeline.put('a/1', p10({ series: 'other', sop: '1', pixels: 1 }));
    await pipeline.settle();
    await pipeline.put('b/x', p10({ sop: 'x', pixels: 5, patient: BORN_1971 }));
    await pipeline.settle();
    const label = await labelled(pipeline, '19710101');
    const request = { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' };
    expect(await releaseAsOnePatient(pipeline.deps(), request, by)).toMatchObject({ corrected: 2 });
    await pipeline.settle();
    const born = () => [...pipeline.imaging.sets.values()].map(({ patient }) => patient.PatientBirthDate);
    const undone = await undoMerges(pipeline.deps(), 'resolve-1', by, uid('study/other'));
    expect(undone).toMatchObject([{ isUndone: false }, { isUndone: false }]);
    expect(new Set(born())).toEqual(new Set(['19710101']));
  });

  it('is left out of later decisions where a person left it out, and comes in by none of them', async () => {
    const pipeline = await held(profile, { ...BORN_1971, PatientID: 'N-2' });
    const at = new Date(pipeline.deps().clock.now()).toISOString();
    await recordDecision(pipeline.deps(), SERIES, 'leave-out', { ...by, at }, { code: 'IdentityConflict' });
    expect(await viewHeld(pipeline.deps(), SERIES)).toBeUndefined();
    pipeline.advance(60_000);
    await pipeline.put('c/3', p10({ sop: '3', pixels: 3, patient: BORN_1971 }));
    await pipeline.settle();
    const view = await viewHeld(pipeline.deps(), SERIES);
    expect(view?.patients.map(({ identity }) => identity.patientID)).toEqual(['N-1', 'N-1']);
    const label = await labelled(pipeline, '19700101');
    const request = { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' };
    const released = await releaseAsOnePatient(pipeline.deps(), request, by);
    expect(released.retried.map(({ upload, restored }) => [upload, restored])).toEqual([['c', 1]]);
  });

  it('is not of a patient whom nobody looked at', async () => {
    const pipeline = await held(profile, { ...BORN_1971, PatientID: 'N-2' });
    const request = { series: SERIES, seen: await labelsOf(pipeline), resolutionId: 'resolve-1' };
    const third = { PatientID: 'N-3', PatientBirthDate: '19720101' };
    await pipeline.put('c/3', p10({ sop: '3', pixels: 3, patient: third }));
    await pipeline.settle();
    for (const release of [
      releaseAsOtherPatients(pipeline.deps(), request, by),
      releaseAsOnePatient(pipeline.deps(), { ...request, label: request.seen[0] ?? '' }, by),
    ])
      await expect(release).rejects.toThrow(/came meanwhile: look again$/);
    expect(await patientDecisionOf(pipeline.deps(), STUDY)).toBeUndefined();
  });

  it('is another patient when a person says so, also after somebody said otherwise', async () => {
    const pipeline = await held(profile, { ...BORN_1971, PatientID: 'N-2' });
    const request = { series: SERIES, seen: await labelsOf(pipeline), resolutionId: 'resolve-2' };
    const view = await viewHeld(pipeline.deps(), SERIES);
    const of = view?.patients.map(({ identity }) => identity) ?? [];
    const stands = of.find(({ patientID }) => patientID === 'N-1')!;
    // As a decision leaves it whose correction the service refused.
    await recordOnePatient(pipeline.deps(), STUDY, { stands, of }, { ...by, reason: 'wrong' });
    await releaseAsOtherPatients(pipeline.deps(), request, by);
    await pipeline.settle();
    expect(setsOf(pipeline).map(({ patientID, instances }) => `${patientID} ${instances}`)).toEqual([
      'N-1 01',
      'N-2 x',
    ]);
  });

  it('is decided by nobody while an ingest holds the study', async () => {
    const pipeline = await held(profile, BORN_1971);
    const deps = { ...pipeline.deps(), workBucket: 'work' };
    const label = await labelled(pipeline, '19700101');
    const request = { series: SERIES, seen: await labelsOf(pipeline), label, resolutionId: 'resolve-1' };
    await whileHolding(deps, [seriesLease(SERIES)], 'somebody-else', async () => {
      await expect(releaseAsOnePatient(pipeline.deps(), request, by)).rejects.toThrow(CannotResolve);
      expect(await patientDecisionOf(pipeline.deps(), STUDY)).toBeUndefined();
    });
    await releaseAsOnePatient(pipeline.deps(), request, by);
    expect(await pipeline.keys('work', 'leases/')).toEqual([]);
  });
});

describe.each(PROFILES)('another content under a known instance, in %s', (profile) => {
  const replaced = async (sops: readonly string[]) => {
    const pipeline = memoryPipeline({ profile, merge: 'auto', mergeGraceSeconds: 60 });
    for (const sop of sops) await pipeline.put(`a/${sop}`, p10({ sop, pixels: Number(sop) }));
    await pipeline.settle();
    const corrected = p10({ sop: '1', pixels: 1, elements: { ImageComments: 'corrected' } });
    await pipeline.put('b/1', corrected);
    await pipeline.settle();
    expect((await outcomes(pipeline))['b/1']).toBe('rejected: InstanceConflict');
    const view = await viewConflict(pipeline.deps(), SERIES, uid('series/1'));
    expect(view).toMatchObject({ key: 'b/1' });
    expect(pipeline.imaging.sets.has(view?.imageSetId ?? '')).toBe(true);
    const comment = { keyword: 'ImageComments', stored: '', refused: 'corrected' };
    expect(view?.differences).toContainEqual(comment);
    // Others of the series are not its business.
    const asked = new Map([
      [uid('series/1'), undefined],
      [uid('series/0'), undefined],
    ]);
    expect(await replaceInstances(pipeline.deps(), SERIES, asked, by)).toMatchObject([{ restored: 1 }]);
    const { history = [] } = (await readResolution(pipeline.deps(), SERIES)) ?? {};
    const object = expect.stringMatching(/^[0-9a-f]{16}$/);
    expect(history).toEqual([{ ...by, decision: 'replace', sop: uid('series/1'), object }]);
    expect(await viewConflict(pipeline.deps(), SERIES, uid('series/1'))).toBeUndefined();
    const records = await putBacksOf(pipeline.store, 'work', view?.executionId ?? '');
    expect(records.map(({ objects }) => objects)).toEqual([{ InstanceConflict: 1 }]);
    await pipeline.settle();
    expect((await outcomes(pipeline))['b/1']).toBe('ingested');
    return pipeline;
  };
  const commentsOf = ({ imaging }: MemoryPipeline) =>
    [...imaging.sets.values()].flatMap(({ instances }) =>
      [...instances].filter(([sop]) => sop === uid('series/1')).map(([, { DICOM }]) => DICOM.ImageComments),
    );

  it('takes its place: the earlier content leaves its image set, and the series is one', async () => {
    const pipeline = await replaced(['0', '1', '2']);
    pipeline.advance(70_000);
    await sweepMerges(pipeline.deps());
    await sweepMerges(pipeline.deps());
    expect(setsOf(pipeline).map(({ instances }) => instances)).toEqual(['012']);
    expect(commentsOf(pipeline)).toEqual(['corrected']);
  });

  it('retires the image set that held nothing else, after the grace', async () => {
    const pipeline = await replaced(['1']);
    pipeline.advance(70_000);
    await sweepMerges(pipeline.deps());
    await sweepMerges(pipeline.deps());
    expect(commentsOf(pipeline)).toEqual(['corrected']);
  });

  /** Stored as `a/1`; other contents, all of one size, refused from `b/1` and then from `c/1`. */
  const twoRefused = async () => {
    const pipeline = memoryPipeline({ profile });
    for (const [n, upload] of ['a', 'b', 'c'].entries()) {
      await pipeline.put(`${upload}/1`, p10({ sop: '1', pixels: n }));
      await pipeline.settle();
    }
    return pipeline;
  };
  const newest = new Map([[uid('series/1'), undefined]]);
  const allowed = async (pipeline: MemoryPipeline) =>
    (await readResolution(pipeline.deps(), SERIES))?.replace?.length ?? 0;

  it('comes in itself: no other, before or after it', async () => {
    const pipeline = await twoRefused();
    const deps = pipeline.deps();
    const start = () => Promise.reject(new Error('a break'));
    const broken = { ...deps, executions: { ...deps.executions, start } };
    await expect(replaceInstances(broken, SERIES, newest, by)).rejects.toThrow('a break');
    // The same decision once more: the older content that still waits is not meant.
    expect(await replaceInstances(deps, SERIES, newest, by)).toEqual([]);
    await pipeline.put('b/1', p10({ sop: '1', pixels: 5 }));
    await pipeline.settle();
    await pipeline.put('d/1', p10({ sop: '1', pixels: 6 }));
    await pipeline.settle();
    const conflict = 'rejected: InstanceConflict';
    const found = await outcomes(pipeline);
    expect(found).toEqual({ 'a/1': 'ingested', 'b/1': conflict, 'c/1': 'ingested', 'd/1': conflict });
    expect(await allowed(pipeline)).toBe(0);
  });

  it('is the one that was seen, not the newest', async () => {
    const pipeline = await twoRefused();
    const [, second] = await pipeline.reports();
    const object = refusedId(second?.executionId ?? '', { key: 'b/1' });
    const seen = new Map([[uid('series/1'), object]]);
    const deps = pipeline.deps();
    expect(await viewConflict(deps, SERIES, uid('series/1'), object)).toMatchObject({ key: 'b/1' });
    expect(await replaceInstances(deps, SERIES, seen, by)).toMatchObject([{ upload: 'b', restored: 1 }]);
    const later = { ...by, at: '2026-02-02T00:00:00.000Z' };
    expect(await replaceInstances(deps, SERIES, seen, later)).toBeUndefined();
    await pipeline.settle();
    expect(await outcomes(pipeline)).toMatchObject({
      'b/1': 'ingested',
      'c/1': 'rejected: InstanceConflict',
    });
  });

  it('is allowed no longer where it could not be put back', async () => {
    const pipeline = await twoRefused();
    await pipeline.put('c/1', p10({ sop: '1', pixels: 5 }));
    const retried = await replaceInstances(pipeline.deps(), SERIES, newest, by);
    expect(retried).toMatchObject([{ restored: 0, skipped: 1 }]);
    expect(await allowed(pipeline)).toBe(0);
    await pipeline.settle();
    expect((await outcomes(pipeline))['c/1']).toBe('rejected: InstanceConflict');
  });

  it('is found while the account of another ingest has expired', async () => {
    const pipeline = await twoRefused();
    const [, , third] = await pipeline.reports();
    const gone = await pipeline.keys('work', `executions/${third?.executionId}/`);
    await pipeline.store.remove(
      'work',
      gone.map((key) => ({ key })),
    );
    expect(await viewConflict(pipeline.deps(), SERIES, uid('series/1'))).toMatchObject({ key: 'b/1' });
  });

  it('takes its place by a decision of an earlier version, which names the instance only', async () => {
    const pipeline = await twoRefused();
    const record = { seriesInstanceUID: SERIES, replace: [uid('series/1')], history: [] };
    const at = { bucket: 'work', key: workKeys.resolution(SERIES) };
    await pipeline.store.write(at, JSON.stringify(record));
    await pipeline.put('d/1', p10({ sop: '1', pixels: 6 }));
    await pipeline.settle();
    expect((await outcomes(pipeline))['d/1']).toBe('ingested');
    expect(await allowed(pipeline)).toBe(0);
  });

  it('gives way again with an undo, while the earlier content is there', async () => {
    const pipeline = await replaced(['0', '1', '2']);
    const [, , report] = await pipeline.reports();
    const undone = await undoMerges(pipeline.deps(), report?.executionId ?? '', by);
    if (profile === 'current') return expect(undone).toEqual([]);
    expect(undone).toMatchObject([{ isUndone: true }]);
    expect(setsOf(pipeline).map(({ instances }) => instances)).toEqual(['012', '1']);
    return expect(commentsOf(pipeline).sort()).toEqual(['corrected', undefined]);
  });
});

describe.each(PROFILES)('a study that comes in three uploads an hour apart, in %s', (profile) => {
  const NAMES = ['Nobody^Test', 'NOBODY^TEST', 'Nobody^Test^'];
  // Today's service keeps apart only what differs in a grouping element: the date's old form.
  const DATES = ['20260131', '2026.01.31', '20260131'];
  const object = (i: number) =>
    p10({
      sop: `${i}`,
      pixels: i,
      patient: { PatientName: NAMES[i % 3] ?? '' },
      elements: { StudyDate: DATES[i % 3] ?? '', SeriesDescription: 'Chest' },
    });
  const partition = (pipeline: MemoryPipeline) => setsOf(pipeline).map(({ instances }) => instances);

  it('ends as the same image sets as if it had come at once', async () => {
    const once = memoryPipeline({ profile, merge: 'auto' });
    for (let i = 0; i < 6; i++) await once.put(`all/${i}`, object(i));
    await once.settle();
    const late = memoryPipeline({ profile, merge: 'auto' });
    for (let part = 0; part < 3; part++) {
      for (const i of [part, part + 3]) await late.put(`part-${part}/${i}`, object(i));
      await late.settle();
      late.advance(3_600_000);
    }
    expect(partition(late)).toEqual(partition(once));
    expect(partition(once)).toEqual(['012345']);
    expect(Object.values(await outcomes(late))).toEqual(Array(6).fill('ingested'));
  });

  it('does so with a grace too, once that is over', async () => {
    const late = memoryPipeline({ profile, merge: 'auto', mergeGraceSeconds: 7200 });
    for (let part = 0; part < 3; part++) {
      for (const i of [part, part + 3]) await late.put(`part-${part}/${i}`, object(i));
      await late.settle();
      late.advance(3_600_000);
    }
    for (let i = 0; i < 4; i++) {
      late.advance(3_600_000);
      await sweepMerges(late.deps());
    }
    expect(partition(late)).toEqual(['012345']);
  });
});

describe('whoever works on a series', () => {
  it('is alone: a decision waits for the other, and a silent process is taken over', async () => {
    const pipeline = memoryPipeline({ profile: '2024', merge: 'auto' });
    for (const sop of ['0', '1']) {
      const elements = { SeriesDescription: `protocol ${sop}` };
      await pipeline.put(`${sop}/${sop}`, p10({ sop, pixels: Number(sop), elements }));
      await pipeline.settle();
    }
    const [destination = ''] = [...pipeline.imaging.sets.keys()];
    const deps = { ...pipeline.deps(), workBucket: 'work' };
    const request = { series: SERIES, destination, resolutionId: 'resolve-1' };
    await whileHolding(deps, [seriesLease(SERIES)], 'undo-1', async () => {
      await expect(mergeInto(pipeline.deps(), request, by)).rejects.toThrow(CannotResolve);
    });
    // A process that died says nothing any more.
    const dead = { executionArn: processHolder('dead'), executionId: 'dead', predecessors: [] };
    const aliveUntil = new Date(pipeline.deps().clock.now() + 120_000).toISOString();
    const key = workKeys.lease(seriesLease(SERIES));
    await pipeline.store.write({ bucket: 'work', key }, JSON.stringify({ ...dead, aliveUntil }));
    await expect(mergeInto(pipeline.deps(), request, by)).rejects.toThrow(CannotResolve);
    pipeline.advance(121_000);
    expect((await mergeInto(pipeline.deps(), request, by)).reports).toMatchObject([{ outcome: 'merged' }]);
  });

  it('gives back the lease of a crashed ingest as it was, for its batches to be adopted', async () => {
    const pipeline = memoryPipeline();
    const key = workKeys.lease(seriesLease(SERIES));
    const crashed = JSON.stringify({
      executionArn: 'arn:of:one',
      executionId: 'one',
      predecessors: ['zero'],
    });
    await pipeline.store.write({ bucket: 'work', key }, crashed);
    const deps = { ...pipeline.deps(), workBucket: 'work' };
    await whileHolding(deps, [seriesLease(SERIES)], 'undo-1', async () => undefined);
    expect(JSON.stringify((await readJson(pipeline.store, 'work', key))?.value)).toBe(crashed);
  });
});
