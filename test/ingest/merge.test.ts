/** Merging variants: the rules, and the properties of design section 3 over generated series. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { acquireLease, releaseLease, seriesLease } from '../../shared/ingest/leases.ts';
import { readSeries, recordInstances } from '../../shared/ingest/ledger.ts';
import { decideMerge, instanceForm, type Variant } from '../../shared/ingest/merge-decision.ts';
import type { MergeDeps, MergeOutcome } from '../../shared/ingest/merge-journal.ts';
import { NEVER_ALIGNED, SPELLING_RULES } from '../../shared/ingest/merge-rules.ts';
import { advanceMerge } from '../../shared/ingest/merge-series.ts';
import { readJson } from '../../shared/ingest/ndjson.ts';
import { readResolution } from '../../shared/ingest/resolutions.ts';
import { CannotResolve, mergeInto, viewSeries } from '../../shared/ingest/resolve-series.ts';
import { sweepMerges } from '../../shared/ingest/sweep-merges.ts';
import { undoMerges } from '../../shared/ingest/undo-merge.ts';
import { workKeys } from '../../shared/ingest/work-keys.ts';
import type { InstanceEntry } from '../../shared/ports/imaging-service.ts';
import { memoryImageSets, type ServiceCall, type SetSeed, throttled } from './memory-image-sets.ts';
import { Killed, mortalDeps } from './mortal-deps.ts';

const SERIES = '1.2.3';

const instance = (sop: string, checksum: number, comments = ''): InstanceEntry => ({
  DICOM: { SOPInstanceUID: sop, ...(comments === '' ? {} : { ImageComments: comments }) },
  ImageFrames: [
    {
      ID: `${sop}-${checksum}`,
      PixelDataChecksumFromBaseToFullResolution: [{ Width: 1, Height: 1, Checksum: checksum }],
    },
  ],
});

const seed = (imageSetId: string, sops: readonly string[], other: Partial<SetSeed> = {}): SetSeed => ({
  imageSetId,
  isPrimary: false,
  createdAt: `2026-01-01T00:00:0${imageSetId.length % 10}.000Z`,
  patient: {
    PatientID: 'N-1',
    PatientName: 'Nobody^Test',
    PatientBirthDate: '19700101',
    PatientSex: 'O',
    ...other.patient,
  },
  study: { StudyInstanceUID: '1.2', StudyDescription: 'Test', ...other.study },
  seriesLevel: { SeriesInstanceUID: SERIES, Modality: 'CT', ...other.seriesLevel },
  instances: Object.fromEntries(sops.map((sop) => [sop, instance(sop, Number(sop) || 7)])),
  ...(other.instances ? { instances: other.instances } : {}),
  ...(other.isPrimary ? { isPrimary: true } : {}),
});

const variant = (set: SetSeed, isProven = true): Variant => ({
  imageSetId: set.imageSetId,
  isPrimary: set.isPrimary,
  createdAt: set.createdAt,
  isProven,
  metadata: {
    Patient: { DICOM: set.patient },
    Study: {
      DICOM: set.study,
      Series: { [SERIES]: { DICOM: set.seriesLevel, Instances: set.instances } },
    },
  },
});

const decide = (...sets: SetSeed[]) =>
  decideMerge(
    sets.map((set) => variant(set)),
    SERIES,
  );

describe('the decision', () => {
  it('merges what is the same in all elements', () => {
    const { kind, merges, keptApart } = decide(seed('a', ['1', '2']), seed('b', ['3']));
    expect(kind).toBe('merge');
    expect(merges).toMatchObject([{ destination: 'a', sources: [{ imageSetId: 'b', copies: [['3']] }] }]);
    expect(keptApart).toEqual([]);
  });

  it.each([
    ['PatientName', { patient: { PatientName: 'NOBODY^TEST^' } }],
    ['PatientSex', { patient: { PatientSex: null } }],
    ['PatientBirthDate', { patient: { PatientBirthDate: '1970.01.01' } }],
    ['StudyDescription', { study: { StudyDescription: ' TEST ' } }],
    ['SeriesDescription', { seriesLevel: { SeriesDescription: null } }],
  ])('aligns %s, and names it', (keyword, other) => {
    const { kind, merges } = decide(seed('a', ['1', '2']), seed('b', ['3'], other));
    expect(kind).toBe('align-then-merge');
    expect(merges[0]?.keywords).toEqual([keyword]);
  });

  it.each([
    ['PatientID', { patient: { PatientID: 'N-2' } }],
    ['PatientBirthDate', { patient: { PatientBirthDate: '19700102' } }],
    ['PatientSex', { patient: { PatientSex: 'F' } }],
    ['PatientName', { patient: { PatientName: 'Nobody^Tess' } }],
    ['PatientWeight', { study: { PatientWeight: '70' } }],
    ['Laterality', { seriesLevel: { Laterality: 'L' } }],
    ['FrameOfReferenceUID', { seriesLevel: { FrameOfReferenceUID: '1.9' } }],
    ['ReferringPhysicianName', { study: { ReferringPhysicianName: 'A^B' } }],
    ['ProcedureCodeSequence', { study: { ProcedureCodeSequence: [{ CodeValue: '1' }] } }],
  ])('keeps apart what differs in %s, and names it', (keyword, other) => {
    const { kind, keptApart } = decide(seed('a', ['1', '2']), seed('b', ['3'], other));
    expect(kind).toBe('keepApart');
    expect(keptApart).toMatchObject([{ imageSetId: 'b', keywords: [keyword] }]);
  });

  it('keeps apart what could only be aligned to a value that an update may not write', () => {
    const old = seed('b', ['3'], { study: { StudyDate: '2026.01.31' } });
    const now = seed('a', ['1', '2'], { study: { StudyDate: '20260131' } });
    expect(decide(now, old).kind).toBe('align-then-merge');
    expect(decide(now, { ...old, isPrimary: true }).keptApart).toMatchObject([
      { imageSetId: 'a', keywords: ['StudyDate'] },
    ]);
  });

  it('does not chain two birth dates over a set that has none', () => {
    const dated = (id: string, sop: string, PatientBirthDate: string | null) =>
      seed(id, [sop], { patient: { PatientBirthDate } });
    const { kind, keptApart } = decide(
      dated('a', '1', '19700101'),
      dated('b', '2', null),
      dated('c', '3', '19700102'),
    );
    expect(kind).toBe('keepApart');
    expect(keptApart.length).toBe(2);
  });

  it('takes an instance on both sides once when it is the same, and keeps apart when it is not', () => {
    const same = decide(seed('a', ['1', '2']), seed('b', ['2', '3']));
    expect(same.merges[0]?.sources[0]?.copies).toEqual([['3']]);
    const corrected = { '2': instance('2', 2, 'corrected') };
    const other = decide(seed('a', ['1', '2']), seed('b', [], { instances: corrected }));
    expect(other.keptApart).toMatchObject([{ imageSetId: 'b', reason: 'InstanceConflict' }]);
  });

  it('prefers the primary, then most instances, then the oldest', () => {
    const primary = decide(seed('a', ['1', '2']), seed('b', ['3'], { isPrimary: true }));
    expect(primary.merges[0]?.destination).toBe('b');
    const oldest = decide(seed('bb', ['1']), seed('a', ['2']));
    expect(oldest.merges[0]?.destination).toBe('a');
  });

  it('never moves what is not proven', () => {
    const { kind, keptApart } = decideMerge(
      [variant(seed('a', ['1'])), variant(seed('b', ['2']), false)],
      SERIES,
    );
    expect(kind).toBe('keepApart');
    expect(keptApart).toMatchObject([{ imageSetId: 'b', reason: 'not proven' }]);
  });

  it('gives a clinical reason for each rule, and aligns none of those that change meaning', () => {
    for (const [keyword, { because }] of Object.entries(SPELLING_RULES)) {
      expect(because.length).toBeGreaterThan(10);
      expect(NEVER_ALIGNED.has(keyword)).toBe(false);
    }
  });
});

const HOLDER = { executionId: 'e', executionArn: 'arn:aws:states:us-east-1:000000000000:execution:ingest:e' };

interface Run {
  readonly store: ReturnType<typeof memoryImageSets>;
  readonly deps: MergeDeps;
}

async function begin(
  seeds: readonly SetSeed[],
  hooks: Parameters<typeof memoryImageSets>[2] = {},
  mergeGraceSeconds = 0,
): Promise<Run> {
  const store = memoryImageSets(SERIES, seeds, hooks);
  const objects = memoryObjectStore();
  let nowMs = Date.parse('2026-01-01T00:00:00Z');
  const settings = {
    ...{ workBucket: 'work', inboxBucket: 'inbox', datastoreId: 'ds', mergeGraceSeconds },
    ...{ merge: 'auto', constraintProfile: 'current' },
  };
  const deps = {
    objects,
    imaging: store.imaging,
    executions: { status: async () => 'RUNNING', arnOf: () => HOLDER.executionArn },
    clock: {
      now: () => {
        nowMs += 1000;
        return nowMs;
      },
      sleep: async () => undefined,
    },
    settings,
  } as unknown as MergeDeps;
  await acquireLease({ ...deps, workBucket: 'work' }, seriesLease(SERIES), HOLDER);
  for (const set of seeds)
    for (const [sop, entry] of Object.entries(set.instances))
      await recordInstances(deps, { studyInstanceUID: '1.2', seriesInstanceUID: SERIES }, [], {
        [sop]: {
          sizeBytes: 1,
          sha256: instanceForm(entry),
          datasetDigest: '',
          imageSetId: set.imageSetId,
          state: 'verified',
          frames: 1,
        },
      });
  return { store, deps };
}

/** Steps until done; a kill ends a step anywhere, and the next step goes on. */
async function finish({ deps }: Run, executionId = HOLDER.executionId): Promise<MergeOutcome> {
  for (let step = 0; ; step++) {
    try {
      const { status } = await advanceMerge(deps, { executionId, seriesInstanceUID: SERIES, step });
      if (status === 'done') break;
    } catch (error) {
      if (!(error instanceof Killed)) throw error;
    }
  }
  const key = workKeys.mergeOutcome(executionId, SERIES);
  return (await readJson<MergeOutcome>(deps.objects, 'work', key))!.value;
}

/** The execution ends and gives its lease back. */
const endOf = ({ deps }: Run) =>
  releaseLease({ objects: deps.objects, workBucket: 'work' }, seriesLease(SERIES), HOLDER.executionArn);

/** Pixels that can be reached: SOP Instance UID and checksums. */
const reachable = (sets: readonly SetSeed[]) =>
  [...new Set(sets.flatMap((set) => Object.values(set.instances).map(instanceForm)))].sort();
const partition = (sets: readonly SetSeed[]) =>
  sets.map((set) => Object.values(set.instances).map(instanceForm).sort().join('|')).sort();

/** A series in several sets: spellings, corrections, re-sends, other patients. */
const series = fc
  .array(
    fc.record({
      sops: fc.uniqueArray(fc.constantFrom('1', '2', '3', '4', '5', '6'), { minLength: 1, maxLength: 3 }),
      name: fc.constantFrom('Nobody^Test', 'NOBODY^TEST', 'Nobody^Test^', 'Nobody^Else'),
      birthDate: fc.constantFrom('19700101', '19700101', null, '19710101'),
      id: fc.constantFrom('N-1', 'N-1', 'N-1', 'N-2'),
      description: fc.constantFrom('Test', 'TEST', null),
      isCorrected: fc.constantFrom(false, false, false, true),
      isPrimary: fc.constantFrom(false, false, true),
    }),
    { minLength: 2, maxLength: 6 },
  )
  .map((sets) => {
    const owner = new Set<string>();
    let hasPrimary = false;
    return sets.flatMap((set, i): SetSeed[] => {
      // The ledger knows one image set for an instance: a re-send that is a duplicate never makes another one.
      const sops = set.sops.filter((sop) => !owner.has(sop));
      for (const sop of sops) owner.add(sop);
      if (sops.length === 0) return [];
      const isPrimary = set.isPrimary && !hasPrimary;
      hasPrimary ||= isPrimary;
      return [
        seed(`set-${i}`, sops, {
          isPrimary,
          patient: { PatientName: set.name, PatientBirthDate: set.birthDate, PatientID: set.id },
          study: { StudyDescription: set.description },
          ...(set.isCorrected
            ? { instances: Object.fromEntries(sops.map((sop) => [sop, instance(sop, 9, 'corrected')])) }
            : {}),
        }),
      ];
    });
  });

/** `PROPERTY_RUNS=2000` is CI's long run; `PROPERTY_SEED` has one again. */
const RUNS = {
  numRuns: Number(process.env.PROPERTY_RUNS ?? 150),
  seed: Number(process.env.PROPERTY_SEED ?? Date.now() % 2 ** 31),
};
const RUNS_MS = 60_000 + RUNS.numRuns * 300;
if (process.env.PROPERTY_RUNS) console.log(`merging: ${RUNS.numRuns} cases each, seed ${RUNS.seed}`);

describe('merging', () => {
  it(
    'loses no pixels, mixes no patients, and does nothing the second time',
    async () => {
      await fc.assert(
        fc.asyncProperty(series, async (seeds) => {
          const run = await begin(seeds);
          await finish(run);
          const after = run.store.sets();
          expect(reachable(after)).toEqual(reachable(seeds));
          for (const set of after) {
            const sources = seeds.filter((s) =>
              Object.keys(s.instances).some((sop) => set.instances[sop] !== undefined),
            );
            for (const keyword of ['PatientID', 'PatientBirthDate', 'PatientSex'])
              expect(new Set(sources.map((s) => s.patient[keyword]).filter((v) => v)).size).toBeLessThan(2);
          }
          const writes = () => run.store.calls.filter((call) => call !== 'read').length;
          const before = writes();
          await finish(run, 'again');
          expect(writes()).toBe(before);
        }),
        RUNS,
      );
    },
    RUNS_MS,
  );

  it(
    'gives the same partition in any order',
    async () => {
      await fc.assert(
        fc.asyncProperty(series, fc.nat(), async (seeds, turn) => {
          const turned = seeds.map((_, i) => seeds[(i + turn) % seeds.length]!);
          const [one, other] = [await begin(seeds), await begin(turned)];
          await finish(one);
          await finish(other);
          expect(partition(other.store.sets())).toEqual(partition(one.store.sets()));
        }),
        RUNS,
      );
    },
    RUNS_MS,
  );

  it(
    'ends the same after a kill at any call, and with conflicts, failures and throttles',
    async () => {
      await fc.assert(
        fc.asyncProperty(
          series,
          fc.array(fc.constantFrom('ok', 'ok', 'ok', 'ok', 'kill', 'throttle', 'fail'), { maxLength: 60 }),
          async (seeds, faults) => {
            const smooth = await begin(seeds);
            await finish(smooth);
            const queue = [...faults];
            const fault = ({ operation }: ServiceCall) => {
              const next = operation === 'read' && queue[0] === 'fail' ? 'ok' : queue.shift();
              if (next === 'kill') throw new Killed();
              if (next === 'throttle') throttled();
            };
            const fails = () => queue.shift() === 'fail';
            const rough = await begin(seeds, { fault, fails });
            await finish(rough);
            expect(partition(rough.store.sets())).toEqual(partition(smooth.store.sets()));
          },
        ),
        RUNS,
      );
    },
    RUNS_MS,
  );

  it('goes on after a kill at or after each single call of any port, and ends the same', async () => {
    const scenarios = [
      [
        seed('a', ['1', '2']),
        seed('b', ['3', '4'], { patient: { PatientName: 'NOBODY^TEST' } }),
        seed('c', ['5'], { patient: { PatientName: 'Nobody^Test^' }, isPrimary: true }),
      ],
      [
        seed('a', ['1']),
        seed('b', ['2']),
        seed('c', ['3'], { patient: { PatientID: 'N-2' } }),
        seed('d', ['4'], { patient: { PatientID: 'N-2' } }),
      ],
    ];
    for (const seeds of scenarios) {
      const smooth = await begin(seeds);
      const wanted = await finish(smooth);
      for (let call = 1, isOver = false; !isOver; call++) {
        for (const when of ['before', 'after'] as const) {
          const run = await begin(seeds);
          const killer = mortalDeps(run.deps, { atCall: call, when });
          await finish({ ...run, deps: killer.deps }).catch((error: unknown) => {
            if (!(error instanceof Killed)) throw error; // the last call is the one that reads the outcome
          });
          isOver = !killer.hasDied();
          const outcome = await finish(run);
          expect(partition(run.store.sets())).toEqual(partition(smooth.store.sets()));
          expect(outcome.reports).toEqual(wanted.reports);
          expect((await readSeries(run.deps, SERIES))?.instances).toEqual(
            (await readSeries(smooth.deps, SERIES))?.instances,
          );
        }
      }
    }
  });

  it('keeps the sources until the grace is over, then deletes them', async () => {
    const seeds = [seed('a', ['1', '2']), seed('b', ['3'], { patient: { PatientName: 'NOBODY^TEST' } })];
    const run = await begin(seeds, {}, 60);
    const outcome = await finish(run);
    expect(outcome.reports).toMatchObject([{ outcome: 'merged', keywords: ['PatientName'] }]);
    expect(run.store.sets().map((set) => set.imageSetId)).toEqual(['a', 'b']);
    expect(await sweepMerges(run.deps)).toEqual({ due: 0, deleted: 0 });
    for (let i = 0; i < 60; i++) run.deps.clock.now();
    await sweepMerges(run.deps);
    expect(run.store.sets().map((set) => set.imageSetId)).toEqual(['a', 'b']);
    await endOf(run);
    await sweepMerges(run.deps);
    await sweepMerges(run.deps);
    expect(run.store.sets().map((set) => set.imageSetId)).toEqual(['a']);
    expect(reachable(run.store.sets())).toEqual(reachable(seeds));
  });

  it('can be undone within the grace, says so when not, and stays apart then', async () => {
    const seeds = [seed('a', ['1', '2']), seed('b', ['3'], { patient: { PatientName: 'NOBODY^TEST' } })];
    const by = { actor: 'somebody', reason: 'two people after all', at: '2026-01-02T00:00:00Z' };
    const list = JSON.stringify([{ seriesInstanceUID: SERIES, name: 'm' }]);
    const undo = async (graceSeconds: number, isRunning: boolean) => {
      const run = await begin(seeds, {}, graceSeconds);
      await finish(run);
      await run.deps.objects.write({ bucket: 'work', key: workKeys.mergeList('e') }, list);
      const executions = {
        ...run.deps.executions,
        status: async () => (isRunning ? 'RUNNING' : 'SUCCEEDED'),
      };
      const deps = { ...run.deps, executions } as MergeDeps;
      return { run, undone: await undoMerges(deps, 'e', by) };
    };
    const early = await undo(60, false);
    expect(early.undone).toMatchObject([{ isUndone: true }]);
    expect(early.run.store.sets()).toEqual(seeds);
    expect((await readSeries(early.run.deps, SERIES))?.instances['3']?.imageSetId).toBe('b');
    for (let i = 0; i < 90; i++) early.run.deps.clock.now();
    expect(await sweepMerges(early.run.deps)).toEqual({ due: 0, deleted: 0 });
    expect((await readResolution(early.run.deps, SERIES))?.keepApart).toEqual(by);
    const late = await undo(0, false);
    expect(late.undone).toMatchObject([{ isUndone: false }]);
    expect(late.undone[0]?.says).toContain('was deleted');
    const busy = await undo(60, true);
    expect(busy.undone[0]?.says).toContain('an ingest works on the series');
  });

  it('does what a person decides, keeps the sources for a week, and can be undone', async () => {
    const seeds = [seed('a', ['1', '2']), seed('b', ['3'], { patient: { PatientID: 'N-2' } })];
    const run = await begin(seeds);
    const deps = {
      ...run.deps,
      executions: { ...run.deps.executions, status: async () => 'SUCCEEDED' },
    } as MergeDeps;
    const by = { actor: 'somebody', reason: 'one patient, two numbers', at: '2026-01-01T01:00:00Z' };
    expect(await viewSeries(deps, SERIES)).toMatchObject({ identityKeywords: ['PatientID'] });
    const request = { series: SERIES, destination: 'b', resolutionId: 'resolve-1' };
    const outcome = await mergeInto(deps, request, by);
    // The series had no primary: today's service makes one of it, under a new id.
    const [, b, promoted] = run.store.sets();
    expect(outcome.reports).toMatchObject([
      { outcome: 'merged', destination: promoted?.imageSetId, instances: 2 },
    ]);
    for (const set of [b, promoted]) {
      expect(Object.keys(set?.instances ?? {}).sort()).toEqual(['1', '2', '3']);
      expect(set?.patient.PatientID).toBe('N-2');
    }
    expect(promoted?.isPrimary).toBe(true);
    expect((await readSeries(deps, SERIES))?.instances['1']?.imageSetId).toBe(promoted?.imageSetId);
    expect(await undoMerges(deps, 'resolve-1', by)).toMatchObject([{ isUndone: true }]);
    expect(run.store.sets()).toEqual(seeds);
    await expect(mergeInto(deps, { ...request, destination: 'x' }, by)).rejects.toThrow(CannotResolve);
  });

  it('deletes nothing when the destination is not complete', async () => {
    const seeds = [seed('a', ['1', '2']), seed('b', ['3'])];
    const run = await begin(seeds, { fails: ({ operation }) => operation === 'copy' });
    const outcome = await finish(run);
    expect(outcome.reports).toMatchObject([{ outcome: 'failed' }]);
    expect(run.store.sets().length).toBe(2);
  });
});
