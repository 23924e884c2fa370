/** A decision that broke off anywhere is gone on with, and ends as it would have. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../shared/console/backend.ts';
import { carryOutDecision, readDecision, unfinishedDecisions } from '../../shared/console/decisions.ts';
import { askForDecision } from '../../shared/console/resolutions.ts';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
import { patientDecisionOf } from '../../shared/ingest/patient-decisions.ts';
import { refusedId } from '../../shared/ingest/refused-objects.ts';
import { viewHeld } from '../../shared/ingest/release-held.ts';
import { findConflicting } from '../../shared/ingest/replace-instances.ts';
import { readResolution } from '../../shared/ingest/resolutions.ts';
import { type MemoryPipeline, memoryPipeline } from '../ingest/memory-pipeline.ts';
import { Killed, mortalDeps } from '../ingest/mortal-deps.ts';
import { p10, uid } from '../ingest/objects.ts';

const SERIES = uid('study/series');

/** A series in two image sets, whose protocol differs. */
async function twoImageSets(): Promise<MemoryPipeline> {
  const pipeline = memoryPipeline({ profile: '2024', merge: 'auto', mergeGraceSeconds: 604_800 });
  for (const sop of ['0', '1']) {
    const elements = { SeriesDescription: `protocol ${sop}` };
    await pipeline.put(`${sop}/${sop}`, p10({ sop, pixels: Number(sop), elements }));
    await pipeline.settle();
  }
  return pipeline;
}

/** What the console's decisions need of its backend. */
const backendOf = (deps: MergeDeps): Backend =>
  ({
    workBucket: 'work',
    deps,
    mergeDeps: async () => deps,
    startDecision: async () => {},
  }) as unknown as Backend;

/** Carried out by a process that dies before a call, which is also after the one before it, and by another that lives. */
async function decided(pipeline: MemoryPipeline, body: object, deathAt?: number) {
  const backend = backendOf(pipeline.deps());
  const asked = { series: SERIES, reason: 'looked at both', ...body };
  const { decisionId } = await askForDecision(backend, asked, 'somebody');
  let hasDied = false;
  if (deathAt) {
    const mortal = mortalDeps(pipeline.deps(), { atCall: deathAt, when: 'before', isForGood: true });
    await carryOutDecision(backendOf(mortal.deps), decisionId).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    hasDied = mortal.hasDied();
    for await (const left of unfinishedDecisions(backend)) await carryOutDecision(backend, left);
  } else await carryOutDecision(backend, decisionId);
  return { decisionId, hasDied, end: await readDecision(backend, decisionId) };
}

const standing = (pipeline: MemoryPipeline) =>
  [...pipeline.imaging.sets.values()]
    .map(({ instances, series }) => `${[...instances.keys()].sort()} ${JSON.stringify(series)}`)
    .sort();

describe('a decision of the console', () => {
  it('ends the same after a death at each single call of any port', async () => {
    for (let call = 1, isOver = false; !isOver; call++) {
      const pipeline = await twoImageSets();
      const [destination = ''] = [...pipeline.imaging.sets.keys()];
      const merge = { action: 'merge-into', destination };
      const merged = await decided(pipeline, merge, call);
      isOver = !merged.hasDied;
      expect([call, merged.end]).toMatchObject([call, { state: 'done' }]);
      expect(pipeline.imaging.sets.get(destination)?.instances.size).toBe(2);
      const { history = [] } = (await readResolution(pipeline.deps(), SERIES)) ?? {};
      expect(history.map(({ decision }) => decision)).toEqual(['merge-into']);
    }
  }, 120_000);

  it('to undo, as well', async () => {
    for (let call = 1, isOver = false; !isOver; call++) {
      const pipeline = await twoImageSets();
      const before = standing(pipeline);
      const [destination = ''] = [...pipeline.imaging.sets.keys()];
      const { decisionId } = await decided(pipeline, { action: 'merge-into', destination });
      const undo = { action: 'undo', executionId: decisionId };
      const undone = await decided(pipeline, undo, call);
      isOver = !undone.hasDied;
      expect([call, undone.end]).toMatchObject([call, { state: 'done' }]);
      expect(standing(pipeline)).toEqual(before);
    }
  }, 120_000);

  it('about what was refused, as well: it comes in, once', async () => {
    const stored = { sop: '0', pixels: 0 };
    const born = { patient: { PatientBirthDate: '19710101' } };
    const refusals = [
      { refused: { sop: '1', pixels: 1, ...born }, action: 'one-patient', isOnePatient: true },
      { refused: { sop: '1', pixels: 1, ...born }, action: 'other-patients' },
      { refused: { sop: '0', pixels: 9 }, action: 'replace' },
    ] as const;
    for (const { refused, ...decision } of refusals)
      for (let call = 1, isOver = false; !isOver; call++) {
        const pipeline = memoryPipeline({ profile: '2024', merge: 'auto', mergeGraceSeconds: 604_800 });
        await pipeline.put('a/0', p10(stored));
        await pipeline.settle();
        await pipeline.put('b/1', p10(refused));
        await pipeline.settle();
        const sop = uid('series/0');
        let instances = {};
        if (decision.action === 'replace') {
          // An older content waits as well, and goes on waiting.
          await pipeline.put('c/2', p10({ ...refused, pixels: 3 }));
          await pipeline.settle();
          const found = await findConflicting(pipeline.deps(), SERIES, new Map([[sop, undefined]]));
          const { executionId, line } = found.get(sop)!;
          instances = { instances: [{ sop, object: refusedId(executionId, line) }] };
        }
        const before = (await pipeline.reports()).length;
        const view = await viewHeld(pipeline.deps(), SERIES);
        const label = view?.patients.find(({ held }) => held > 0)?.label;
        const body = {
          ...decision,
          ...instances,
          study: uid('study'),
          ...(label ? { label } : {}),
          seen: view?.patients.map((patient) => patient.label) ?? [],
        };
        const { hasDied, end } = await decided(pipeline, body, call);
        isOver = !hasDied;
        const where = [decision.action, call];
        expect([...where, end]).toMatchObject([...where, { state: 'done' }]);
        await pipeline.settle();
        // An ingest that waited in vain for a dead process's lease failed; the next one takes the object.
        const counts = (await pipeline.reports()).slice(before).map((report) => report.counts);
        expect([...where, counts.at(-1)]).toMatchObject([...where, { received: 1, ingested: 1 }]);
        expect(counts.filter(({ rejected, ingested }) => rejected + ingested > 0)).toHaveLength(1);
        expect(await pipeline.keys('inbox', '')).toEqual([]);
        const series = (await readResolution(pipeline.deps(), SERIES))?.history ?? [];
        const study = (await patientDecisionOf(pipeline.deps(), uid('study')))?.history ?? [];
        expect([...series, ...study].map(({ decision: name }) => name)).toEqual([decision.action]);
      }
  }, 120_000);

  it('that is asked for again, for want of an answer, is the same one', async () => {
    const pipeline = await twoImageSets();
    const [destination = ''] = [...pipeline.imaging.sets.keys()];
    const merge = { action: 'merge-into', destination, decisionId: 'resolve-mirrored0-0123abcd' };
    const once = await decided(pipeline, merge);
    const twice = await decided(pipeline, merge);
    expect(twice).toEqual(once);
    const { history = [] } = (await readResolution(pipeline.deps(), SERIES)) ?? {};
    expect(history).toHaveLength(1);
    const wrong = decided(pipeline, { ...merge, decisionId: '../leases/x' });
    await expect(wrong).rejects.toMatchObject({ status: 400 });
  });

  it('that cannot be carried out says why, once', async () => {
    const pipeline = await twoImageSets();
    const { end } = await decided(pipeline, { action: 'merge-into', destination: 'f'.repeat(32) });
    expect(end).toMatchObject({ state: 'refused', says: expect.stringContaining('is not one of') });
  });
});
