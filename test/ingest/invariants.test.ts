/** The invariants of design section 2 as properties over the pipeline in memory: 1, 2, 3, 5 and 7. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type MemoryPipeline, memoryPipeline } from './memory-pipeline.ts';
import { p10 } from './objects.ts';

/** One object of an upload: what it is and where it lies. */
const object = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .record({
        study: fc.constantFrom('s1', 's2'),
        series: fc.constantFrom('a', 'b'),
        sop: fc.constantFrom('1', '2', '3', '4', '5'),
        pixels: fc.option(fc.constantFrom(1, 2), { nil: undefined }),
        patient: fc.constantFrom({}, {}, {}, { PatientName: 'NOBODY^TEST' }, { PatientID: 'N-2' }),
      })
      .map(({ pixels, ...made }) => p10({ ...made, ...(pixels === undefined ? {} : { pixels }) })),
  },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }) },
);

/** Keys are data: anything that S3 takes. */
const key = fc.tuple(
  fc.constantFrom('up', 'up', 'other', ''),
  fc.oneof(
    fc.constantFrom('x.dcm', '.hidden', 'a b+c%25', 'ü/ß', '..'),
    fc.string({ minLength: 1, maxLength: 12 }),
  ),
  fc.nat(50),
);
const upload = fc.array(fc.record({ key, bytes: object }), { minLength: 1, maxLength: 12 });

type Upload = readonly { key: readonly [string, string, number]; bytes: Uint8Array }[];

async function fill(pipeline: MemoryPipeline, objects: Upload): Promise<Map<string, Uint8Array>> {
  const sent = new Map<string, Uint8Array>();
  for (const { key, bytes } of objects) {
    const name = [...(key[0] === '' ? [] : [key[0]]), `${key[1].replace(/\0/g, '')}${key[2]}`].join('/');
    sent.set(name, bytes);
    await pipeline.put(name, bytes);
  }
  return sent;
}

/** Invariants 1 and 3 over all reports that finished: every key once, sums hold, every proof is of something stored. */
async function checkAccounts(pipeline: MemoryPipeline, sent: ReadonlyMap<string, Uint8Array>): Promise<void> {
  const finished = (await pipeline.reports()).filter((report) => report.outcome !== 'Failed');
  const accounted: string[] = [];
  for (const report of finished) {
    const lines = await pipeline.objectsOf(report);
    const { received, ingested, duplicate, rejected, failed } = report.counts;
    expect(received).toBe(lines.length);
    expect(ingested + duplicate + rejected + failed).toBe(received);
    for (const line of lines) {
      if (line.code !== 'ChangedDuringIngest' && line.code !== 'Unfinished') accounted.push(line.key);
      if (line.outcome !== 'ingested') continue;
      const set = pipeline.imaging.sets.get(line.imageSetId ?? '');
      expect(set?.instances.has(line.sopInstanceUID ?? '')).toBe(true);
    }
  }
  expect([...accounted].sort()).toEqual([...sent.keys()].sort());
}

/** Invariant 4, as far as the data store shows it: no study of today's service holds two patients. */
function checkPatients(pipeline: MemoryPipeline): void {
  const patients = new Map<string, Set<unknown>>();
  for (const { study, patient } of pipeline.imaging.sets.values())
    patients.set(study, (patients.get(study) ?? new Set()).add(patient.PatientID));
  for (const ids of patients.values()) expect(ids.size).toBe(1);
}

const RUNS = { numRuns: Number(process.env.PROPERTY_RUNS ?? 20) };

describe('invariants', () => {
  it('accounts for every object exactly once, and empties the inbox', async () => {
    await fc.assert(
      fc.asyncProperty(upload, async (objects) => {
        const pipeline = memoryPipeline();
        const sent = await fill(pipeline, objects);
        await pipeline.settle();
        expect(pipeline.failures).toEqual([]);
        expect(await pipeline.keys('inbox')).toEqual([]);
        await checkAccounts(pipeline, sent);
        checkPatients(pipeline);
      }),
      RUNS,
    );
  });

  it('loses nothing and imports nothing twice, whatever call fails or is the last of the process', async () => {
    await fc.assert(
      fc.asyncProperty(
        upload,
        fc.array(
          fc.record({
            atCall: fc.integer({ min: 1, max: 260 }),
            when: fc.constantFrom('before' as const, 'after' as const, 'failing' as const),
          }),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        async (objects, kills) => {
          const pipeline = memoryPipeline();
          const sent = await fill(pipeline, objects);
          for (const kill of kills) {
            pipeline.killAt(kill);
            await pipeline.settle(2);
          }
          await pipeline.settle();
          expect(await pipeline.keys('inbox')).toEqual([]);
          for (const times of pipeline.imaging.imports.values()) expect(times).toBe(1);
          checkPatients(pipeline);
          await checkNothingLost(pipeline, sent);
        },
      ),
      { ...RUNS, numRuns: RUNS.numRuns * 2 },
    );
  });

  it('gives the same when every handler runs twice', async () => {
    await fc.assert(
      fc.asyncProperty(upload, async (objects) => {
        const [once, twice] = [memoryPipeline(), memoryPipeline({ twice: true })];
        for (const pipeline of [once, twice]) {
          await fill(pipeline, objects);
          await pipeline.settle();
        }
        expect(await accountOf(twice)).toEqual(await accountOf(once));
        expect([...twice.imaging.imports]).toEqual([...once.imaging.imports]);
      }),
      RUNS,
    );
  });

  it('says nothing of a patient in what executions are started with and in what they end with', async () => {
    const pipeline = memoryPipeline();
    const canary = 'CANARY-7';
    const patient = { PatientID: canary, PatientName: canary };
    await pipeline.put(`${canary}/${canary}.dcm`, p10({ pixels: 1, patient }));
    await pipeline.put(`${canary}/broken-${canary}`, new TextEncoder().encode(canary));
    await pipeline.settle();
    expect(JSON.stringify(pipeline.inputs)).not.toContain(canary);
    for (const report of await pipeline.reports())
      for (const line of await pipeline.objectsOf(report)) expect(line.message ?? '').not.toContain(canary);
    const places = (await pipeline.keys('work')).filter((place) => place.includes(canary));
    expect(places).toEqual([]);
  });
});

async function accountOf(pipeline: MemoryPipeline): Promise<Record<string, string>> {
  const account: Record<string, string> = {};
  for (const report of await pipeline.reports())
    for (const line of await pipeline.objectsOf(report))
      account[line.key] = [line.outcome, line.code, line.proof, line.imageSetId].join(' ');
  return account;
}

/** Every object sent is accounted for in a report that finished, at least once, and never as lost. */
async function checkNothingLost(
  pipeline: MemoryPipeline,
  sent: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const finished = (await pipeline.reports()).filter((report) => report.outcome !== 'Failed');
  const lines = (await Promise.all(finished.map((report) => pipeline.objectsOf(report)))).flat();
  const accounted = new Set(lines.map((line) => line.key));
  expect([...accounted].sort()).toEqual([...sent.keys()].sort());
  const wrong = lines.filter((line) => line.code === 'Unaccounted' || line.code === 'HandlerCrashed');
  expect(wrong).toEqual([]);
}
