/** A decision that broke off anywhere is gone on with, and ends as it would have. */
import { describe, expect, it } from 'vitest';
import type { Backend } from '../../shared/console/backend.ts';
import { carryOutDecision, readDecision, unfinishedDecisions } from '../../shared/console/decisions.ts';
import { askForDecision } from '../../shared/console/resolutions.ts';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
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

/** Carried out by processes that each die at a call, the last of which lives. */
async function decided(
  pipeline: MemoryPipeline,
  body: object,
  deathAt?: readonly [number, 'before' | 'after'],
) {
  const backend = backendOf(pipeline.deps());
  const asked = { series: SERIES, reason: 'looked at both', ...body };
  const { decisionId } = await askForDecision(backend, asked, 'somebody');
  let hasDied = false;
  if (deathAt) {
    const [atCall, when] = deathAt;
    const mortal = mortalDeps(pipeline.deps(), { atCall, when, isForGood: true });
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
  it('ends the same after a death at or after each single call of any port', async () => {
    for (const when of ['before', 'after'] as const)
      for (let call = 1, isOver = false; !isOver; call++) {
        const pipeline = await twoImageSets();
        const [destination = ''] = [...pipeline.imaging.sets.keys()];
        const merge = { action: 'merge-into', destination };
        const merged = await decided(pipeline, merge, [call, when]);
        isOver = !merged.hasDied;
        expect([call, when, merged.end]).toMatchObject([call, when, { state: 'done' }]);
        expect(pipeline.imaging.sets.get(destination)?.instances.size).toBe(2);
        const { history = [] } = (await readResolution(pipeline.deps(), SERIES)) ?? {};
        expect(history.map(({ decision }) => decision)).toEqual(['merge-into']);
      }
  }, 120_000);

  it('to undo, as well', async () => {
    for (const when of ['before', 'after'] as const)
      for (let call = 1, isOver = false; !isOver; call++) {
        const pipeline = await twoImageSets();
        const before = standing(pipeline);
        const [destination = ''] = [...pipeline.imaging.sets.keys()];
        const { decisionId } = await decided(pipeline, { action: 'merge-into', destination });
        const undo = { action: 'undo', executionId: decisionId };
        const undone = await decided(pipeline, undo, [call, when]);
        isOver = !undone.hasDied;
        expect([call, when, undone.end]).toMatchObject([call, when, { state: 'done' }]);
        expect(standing(pipeline)).toEqual(before);
      }
  }, 120_000);

  it('that cannot be carried out says why, once', async () => {
    const pipeline = await twoImageSets();
    const { end } = await decided(pipeline, { action: 'merge-into', destination: 'f'.repeat(32) });
    expect(end).toMatchObject({ state: 'refused', says: expect.stringContaining('is not one of') });
  });
});
