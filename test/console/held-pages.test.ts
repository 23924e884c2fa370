/** What is held, page by page: each object once, whatever limit a page ended at. */
import { beforeAll, describe, expect, it } from 'vitest';
import { NOTHING_HELD, withPage } from '../../console/decisions/held-cases.ts';
import { ACTIONS } from '../../shared/console/actions.ts';
import type { HeldPage } from '../../shared/console/api.ts';
import type { Backend } from '../../shared/console/backend.ts';
import { type HeldQuery, makeHeldReader } from '../../shared/console/held.ts';
import { askForDecision } from '../../shared/console/resolutions.ts';
import { type MemoryPipeline, memoryPipeline } from '../ingest/memory-pipeline.ts';
import { p10, uid } from '../ingest/objects.ts';

const SERIES = uid('study/series');
const WIDE = { lookMs: 60_000, ingests: 1_000, most: 5_000, rowsAtOnce: 500 };
const LIMITS = {
  'no limit': WIDE,
  'a row at a time': { ...WIDE, most: 1, rowsAtOnce: 1 },
  'no time': { ...WIDE, lookMs: -1, rowsAtOnce: 2 },
  'an ingest at a time': { ...WIDE, ingests: 1 },
};

const backendOf = (pipeline: MemoryPipeline): Backend =>
  ({ workBucket: 'work', deps: pipeline.deps(), startDecision: async () => {} }) as unknown as Backend;

/** What the page shows when it has looked at everything. */
async function all(pipeline: MemoryPipeline, limits = WIDE, query: HeldQuery = {}) {
  const read = makeHeldReader(backendOf(pipeline), limits);
  let page: HeldPage = NOTHING_HELD;
  let pages = 0;
  do {
    page = withPage(page, await read(page.next === undefined ? query : { ...query, next: page.next }));
    pages++;
  } while (page.next !== undefined && pages < 100);
  return { ...page, pages };
}

const refuse = async (pipeline: MemoryPipeline, upload: string, sops: readonly number[], pixels: number) => {
  for (const sop of sops) await pipeline.put(`${upload}/${sop}`, p10({ sop: `${sop}`, pixels }));
  const patient = { PatientBirthDate: '19710101' };
  await pipeline.put(`${upload}/x`, p10({ sop: `${upload}-x`, pixels, patient }));
  await pipeline.settle();
  pipeline.advance(60_000);
};

describe('what is held', () => {
  let pipeline: MemoryPipeline;
  beforeAll(async () => {
    pipeline = memoryPipeline();
    for (const sop of [0, 1, 2, 3]) await pipeline.put(`a/${sop}`, p10({ sop: `${sop}`, pixels: 0 }));
    await pipeline.settle();
    pipeline.advance(60_000);
    await refuse(pipeline, 'b', [0, 1, 2, 3], 1);
    await refuse(pipeline, 'c', [2, 3], 2);
  });

  it.each(Object.entries(LIMITS))(
    'is found with %s, each object once, as one case of each',
    async (_, limits) => {
      const { cases, looked, pages } = await all(pipeline, limits);
      expect(looked).toBe(3);
      expect(pages > 1).toBe(limits !== WIDE);
      const byCode = Object.fromEntries(cases.map((one) => [one.code, one]));
      expect(cases).toHaveLength(2);
      expect(byCode.IdentityConflict).toMatchObject({ objects: 2, series: [SERIES] });
      expect(byCode.InstanceConflict).toMatchObject({ objects: 6 });
      const counts = byCode.InstanceConflict?.executions.map(({ upload, objects }) => [upload, objects]);
      expect(counts).toEqual([
        ['c', 2],
        ['b', 4],
      ]);
      expect(new Set(byCode.InstanceConflict?.instances?.map(({ sop }) => sop)).size).toBe(4);
      expect(cases.filter(({ isMore }) => isMore)).toEqual([]);
      const [, , report] = await pipeline.reports();
      const one = await all(pipeline, limits, { executionId: report?.executionId ?? '' });
      expect(one.cases.reduce((sum, { objects }) => sum + objects, 0)).toBe(3);
    },
  );

  it('says "at least" where a page ends within an ingest', async () => {
    const { cases, next } = await makeHeldReader(backendOf(pipeline), LIMITS['a row at a time'])({});
    expect(next).toBeDefined();
    expect(cases.map(({ isMore }) => isMore)).toContain(true);
  });

  it('goes on being found when the account of one ingest has expired', async () => {
    const some = memoryPipeline();
    await some.put('a/0', p10({ sop: '0', pixels: 0 }));
    await some.settle();
    some.advance(60_000);
    await refuse(some, 'b', [0], 1);
    await refuse(some, 'c', [0], 2);
    const [, , last] = await some.reports();
    const gone = await some.keys('work', `executions/${last?.executionId}/`);
    await some.store.remove(
      'work',
      gone.map((key) => ({ key })),
    );
    expect((await all(some)).cases.map(({ objects }) => objects)).toEqual([1, 1]);
  });

  it('is left out as far as it was seen', async () => {
    const some = memoryPipeline();
    await some.put('a/0', p10({ sop: '0', pixels: 0 }));
    await some.settle();
    some.advance(60_000);
    await refuse(some, 'b0', [0], 3);
    await refuse(some, 'b1', [0], 1);
    // Somebody looks at the last ingest, but not at the one before; meanwhile another one comes.
    const first = await makeHeldReader(backendOf(some), LIMITS['an ingest at a time'])({});
    const seen = first.cases.find(({ code }) => code === 'InstanceConflict');
    await refuse(some, 'c', [0], 2);
    const by = {
      actor: 'somebody',
      reason: 'a phantom',
      at: new Date(some.deps().clock.now()).toISOString(),
    };
    const body = { code: 'InstanceConflict', since: seen?.since, until: seen?.until };
    const decision = { series: SERIES, body, by, decisionId: 'resolve-1', isAgain: false };
    await ACTIONS['leave-out'](some.deps(), decision);
    const left = (await all(some)).cases.find(({ code }) => code === 'InstanceConflict');
    expect(left?.executions.map(({ upload }) => upload)).toEqual(['c', 'b0']);
    // A page of an earlier version does not say what was seen.
    const again = { ...by, reason: 'all of them' };
    await ACTIONS['leave-out'](some.deps(), { ...decision, by: again, body: { code: 'InstanceConflict' } });
    expect((await all(some)).cases.map(({ code }) => code)).toEqual(['IdentityConflict']);
  });

  it('is decided about only in words that can be carried out', async () => {
    const asked = { series: SERIES, reason: 'r' };
    const wrong = [
      { action: 'replace' },
      { action: 'replace', instances: [uid('series/0')] },
      { action: 'replace', instances: [] },
      { action: 'leave-out', code: 'NotP10' },
      { action: 'leave-out', code: 'InstanceConflict', until: 'soon' },
      { action: 'leave-out', code: 'IdentityConflict', alsoSeries: Array.from({ length: 901 }, () => '1.2') },
    ];
    for (const body of wrong)
      await expect(
        askForDecision(backendOf(pipeline), { ...asked, ...body }, 'somebody'),
      ).rejects.toMatchObject({
        status: 400,
      });
  });
});
