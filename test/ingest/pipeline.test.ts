/** What an upload goes through from the inbox to the report, state by state, over the memory store. */
import { describe, expect, it } from 'vitest';
import { findConflicting, replaceInstances } from '../../shared/ingest/replace-instances.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { p10, uid } from './objects.ts';

const outcomes = async (pipeline: ReturnType<typeof memoryPipeline>) => {
  const account = new Map<string, string>();
  for (const report of await pipeline.reports())
    for (const line of await pipeline.objectsOf(report))
      account.set(line.key, line.code ? `${line.outcome}: ${line.code}` : line.outcome);
  return account;
};

describe('an upload', () => {
  it('is ingested, proven, accounted for, and leaves the inbox', async () => {
    const pipeline = memoryPipeline();
    for (let i = 0; i < 5; i++) await pipeline.put(`a/${i}.dcm`, p10({ sop: `${i}`, pixels: i }));
    await pipeline.put('a/report', p10({ series: 'sr', sop: 'r' }));
    await pipeline.settle();
    const [report] = await pipeline.reports();
    expect(report).toMatchObject({
      outcome: 'Ingested',
      counts: { received: 6, ingested: 6, duplicate: 0, rejected: 0, failed: 0 },
      frames: { expected: 5, verified: 5, provenFromSource: 5, mismatched: 0 },
      instancesWithoutFrames: 1,
    });
    const lines = await pipeline.objectsOf(report!);
    expect(lines.map((line) => line.proof)).toEqual([...Array(5).fill('encoded'), 'none']);
    expect(await pipeline.keys('inbox')).toEqual([]);
  });

  it('accounts for every key and every kind of bytes', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('top.dcm', p10({ sop: 'top', pixels: 1 }));
    await pipeline.put('_root/under.dcm', p10({ sop: 'under', pixels: 2 }));
    await pipeline.put('a/ spaces + %25 ü', p10({ sop: 'odd', pixels: 3 }));
    await pipeline.put('a/empty', new Uint8Array(0));
    await pipeline.put('a/.hidden', new TextEncoder().encode('not an image'));
    await pipeline.settle();
    expect(Object.fromEntries(await outcomes(pipeline))).toEqual({
      'top.dcm': 'ingested',
      '_root/under.dcm': 'ingested',
      'a/ spaces + %25 ü': 'ingested',
      'a/empty': 'rejected: Empty',
      'a/.hidden': 'rejected: NotP10',
    });
    expect(await pipeline.keys('inbox')).toEqual([]);
    expect((await pipeline.keys('work', 'rejected/')).length).toBe(2);
  });

  it('is told as ingested exactly once, wherever an execution ends without a report', {
    timeout: 180_000,
  }, async () => {
    const whole = memoryPipeline();
    const send = async (pipeline: ReturnType<typeof memoryPipeline>, upload: string) => {
      for (const sop of ['1', '2']) await pipeline.put(`${upload}/${sop}`, p10({ sop, pixels: Number(sop) }));
      await pipeline.settle();
    };
    await send(whole, 'a');
    expect(whole.calls()).toBeGreaterThan(20);
    for (let atCall = 1; atCall <= whole.calls(); atCall++) {
      const pipeline = memoryPipeline();
      pipeline.killAt({ atCall, when: 'after' });
      await send(pipeline, 'a');
      await send(pipeline, 'b');
      const told = (await pipeline.reports()).reduce((sum, { counts }) => sum + counts.ingested, 0);
      expect(told, `killed after call ${atCall}`).toBe(2);
      const last = (await pipeline.reports()).at(-1);
      expect(last?.counts, `killed after call ${atCall}`).toMatchObject({ duplicate: 2, ingested: 0 });
    }
  });

  it('sent again is a duplicate, and makes nothing new', async () => {
    const pipeline = memoryPipeline();
    for (const upload of ['a', 'b']) {
      await pipeline.put(`${upload}/1`, p10({ pixels: 1 }));
      await pipeline.put(`${upload}/sr`, p10({ series: 'sr', sop: 'r' }));
      await pipeline.settle();
    }
    const [, second] = await pipeline.reports();
    expect(second?.counts).toEqual({ received: 2, ingested: 0, duplicate: 2, rejected: 0, failed: 0 });
    expect([...pipeline.imaging.imports.values()]).toEqual([1, 1]);
  });

  it('with the same object twice takes one, and calls the other its duplicate', async () => {
    const pipeline = memoryPipeline();
    for (const key of ['a/1', 'a/2', 'a/3']) await pipeline.put(key, p10({ pixels: 1 }));
    await pipeline.settle();
    expect(Object.fromEntries(await outcomes(pipeline))).toEqual({
      'a/1': 'ingested',
      'a/2': 'duplicate',
      'a/3': 'duplicate',
    });
  });

  it('with other content under one SOP Instance UID keeps the first', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('a/1', p10({ pixels: 1 }));
    await pipeline.put('a/2', p10({ pixels: 2 }));
    await pipeline.put('a/3', p10({ pixels: 1, elements: { ImageComments: 'corrected' } }));
    await pipeline.settle();
    await pipeline.put('b/4', p10({ pixels: 3 }));
    await pipeline.put('b/5', p10({ pixels: 1, elements: { ImageComments: 'late' } }));
    await pipeline.settle();
    expect(Object.fromEntries(await outcomes(pipeline))).toEqual({
      'a/1': 'ingested',
      'a/2': 'rejected: InstanceConflict',
      'a/3': 'rejected: InstanceConflict',
      'b/4': 'rejected: InstanceConflict',
      'b/5': 'rejected: InstanceConflict',
    });
  });

  it('with other content takes the place of the stored instance when a person decided so', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('a/1', p10({ pixels: 1 }));
    await pipeline.settle();
    await pipeline.put('b/2', p10({ pixels: 2 }));
    await pipeline.settle();
    const series = uid('study/series');
    const sop = uid('series/sop');
    const sops = new Map([[sop, undefined]]);
    const found = await findConflicting(pipeline.deps(), series, sops);
    expect(found.get(sop)).toMatchObject({ line: { key: 'b/2' } });
    const by = { actor: 'somebody', reason: 'the second is right', at: '2026-01-01T00:00:00Z' };
    expect(await replaceInstances(pipeline.deps(), series, sops, by)).toMatchObject([{ restored: 1 }]);
    await pipeline.settle();
    expect((await outcomes(pipeline)).get('b/2')).toBe('ingested');
    await pipeline.put('c/3', p10({ pixels: 2 }));
    await pipeline.put('d/4', p10({ pixels: 3 }));
    await pipeline.settle();
    expect((await outcomes(pipeline)).get('c/3')).toBe('duplicate');
    expect((await outcomes(pipeline)).get('d/4')).toBe('rejected: InstanceConflict');
    expect([...pipeline.imaging.imports.values()]).toEqual([2]);
  });

  it('of another patient under a stored study is held back', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('a/1', p10({ sop: '1', pixels: 1 }));
    await pipeline.settle();
    await pipeline.put('b/2', p10({ sop: '2', pixels: 1, patient: { PatientBirthDate: '19700102' } }));
    await pipeline.put('b/3', p10({ series: 'other', pixels: 1, patient: { PatientID: 'N-2' } }));
    await pipeline.put('b/4', p10({ sop: '4', pixels: 1, patient: { PatientName: 'NOBODY^TEST^' } }));
    await pipeline.settle();
    expect(Object.fromEntries(await outcomes(pipeline))).toEqual({
      'a/1': 'ingested',
      'b/2': 'rejected: IdentityConflict',
      'b/3': 'rejected: IdentityConflict',
      'b/4': 'ingested',
    });
  });

  it('of two patients in one study: the smaller is held back now, kept apart in 2024', async () => {
    for (const profile of ['current', '2024'] as const) {
      const pipeline = memoryPipeline({ profile });
      for (let i = 0; i < 3; i++) await pipeline.put(`a/${i}`, p10({ sop: `${i}`, pixels: i }));
      await pipeline.put('a/other', p10({ sop: 'x', pixels: 1, patient: { PatientID: 'N-2' } }));
      await pipeline.settle();
      const account = await outcomes(pipeline);
      expect(account.get('a/0')).toBe('ingested');
      expect(account.get('a/other')).toBe(
        profile === 'current' ? 'rejected: IdentityConflict' : 'ingested: KeptApart',
      );
    }
  });

  it('fails what HealthImaging does not speak of, and what does not match its checksum', async () => {
    const pipeline = memoryPipeline();
    for (let i = 0; i < 3; i++) await pipeline.put(`a/${i}`, p10({ sop: `${i}`, pixels: i }));
    let left = 1;
    pipeline.imaging.faults.leaveOut = () => left-- > 0;
    pipeline.imaging.faults.damage = (sop) => sop === uid('series/2');
    await pipeline.settle();
    const codes = [...(await outcomes(pipeline)).values()].sort();
    const [report] = await pipeline.reports();
    expect(report?.outcome).toBe('PartlyIngested');
    expect(codes.filter((code) => code !== 'ingested').length).toBeGreaterThanOrEqual(1);
    expect(codes).toContain('failed: Unaccounted');
    expect(pipeline.imaging.tags.size).toBe(codes.includes('failed: ChecksumMismatch') ? 1 : 0);
  });

  it('waits for lines that the manifest counts, and goes on without those that never come', async () => {
    const pipeline = memoryPipeline();
    for (let i = 0; i < 3; i++) await pipeline.put(`a/${i}`, p10({ sop: `${i}`, pixels: i }));
    const { imaging, store } = pipeline;
    const start = imaging.startImportJob;
    imaging.startImportJob = async (request) => {
      const job = await start(request);
      for (const key of await pipeline.keys('work', 'executions/'))
        if (key.includes('/SUCCESS/')) {
          const [, ...lines] = new TextDecoder()
            .decode((await store.read({ bucket: 'work', key })).bytes)
            .split('\n');
          await store.write({ bucket: 'work', key }, lines.join('\n'));
        }
      return job;
    };
    await pipeline.settle();
    expect(pipeline.failures.map((error) => (error as Error).name)).toEqual(['ManifestNotThereYet']);
    const codes = [...(await outcomes(pipeline)).values()].sort();
    expect(codes).toEqual(['failed: Unaccounted', 'ingested', 'ingested']);
    expect(await pipeline.keys('inbox')).toEqual([]);
  });

  it('names a frame that is listed and not stored, and tags its image set', async () => {
    const pipeline = memoryPipeline();
    for (let i = 0; i < 3; i++) await pipeline.put(`a/${i}`, p10({ sop: `${i}`, pixels: i }));
    pipeline.imaging.faults.lose = (sop) => sop === uid('series/1');
    await pipeline.settle();
    expect((await outcomes(pipeline)).get('a/1')).toBe('failed: FrameUndecodable');
    expect((await pipeline.reports())[0]).toMatchObject({ frames: { verified: 2, undecodable: 1 } });
    expect(pipeline.imaging.tags.size).toBe(1);
  });

  it('tries a failed job again under a new token, three times in all', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('a/1', p10({ pixels: 1 }));
    pipeline.imaging.faults.failJobs = 2;
    await pipeline.settle();
    expect((await pipeline.reports())[0]?.outcome).toBe('Ingested');
    await pipeline.put('b/1', p10({ sop: 'b', pixels: 1 }));
    pipeline.imaging.faults.failJobs = 3;
    await pipeline.settle();
    expect((await outcomes(pipeline)).get('b/1')).toBe('failed: JobFailed');
  });

  it('fails only the object that crashes its handler', async () => {
    const pipeline = memoryPipeline();
    for (let i = 0; i < 9; i++) await pipeline.put(`a/${i}`, p10({ sop: `${i}`, pixels: i }));
    pipeline.crashOn((stage, lines) => stage === 'inspect' && lines.some((line) => line.key === 'a/4'));
    await pipeline.settle();
    const account = await outcomes(pipeline);
    expect(account.get('a/4')).toBe('failed: HandlerCrashed');
    expect([...account.values()].filter((outcome) => outcome === 'ingested').length).toBe(8);
    expect(await pipeline.keys('inbox')).toEqual([]);
  });
});
