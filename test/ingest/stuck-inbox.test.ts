/** Objects that do not leave the inbox: the others do, and no execution follows another for ever. */
import { describe, expect, it } from 'vitest';
import { readAttempts } from '../../shared/ingest/attempts.ts';
import { sweepInbox } from '../../shared/ingest/sweep-inbox.ts';
import { uploadIdOf } from '../../shared/ingest/work-keys.ts';
import { type ObjectStore, PreconditionFailed } from '../../shared/ports/object-store.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { p10 } from './objects.ts';

const refusal = (name: string, httpStatusCode: number) =>
  Object.assign(new Error('no'), { name, $metadata: { httpStatusCode } });

/** Replaces one method of the store, as a policy or another writer would. */
function override<K extends keyof ObjectStore>(
  pipeline: ReturnType<typeof memoryPipeline>,
  method: K,
  by: (original: ObjectStore[K]) => ObjectStore[K],
): void {
  pipeline.store[method] = by(pipeline.store[method]);
}

const isInbox = (bucket: string) => bucket === 'inbox';
const attempts = (pipeline: ReturnType<typeof memoryPipeline>) =>
  readAttempts(pipeline.deps(), uploadIdOf('a'));

describe('the inbox', () => {
  it('keeps an object that may not be read, and lets the others go', async () => {
    const pipeline = memoryPipeline();
    for (const method of ['read', 'copy'] as const)
      override(
        pipeline,
        method,
        (original) =>
          (async (location: { bucket: string; key: string }, ...rest: []) => {
            if (isInbox(location.bucket) && location.key === 'a/locked') throw refusal('AccessDenied', 403);
            return (original as (...args: unknown[]) => unknown)(location, ...rest);
          }) as never,
      );
    pipeline.crashOn((stage, lines) => stage === 'inspect' && lines.some((line) => line.key === 'a/locked'));
    await pipeline.put('a/1', p10({ sop: '1', pixels: 1 }));
    await pipeline.put('a/junk', new Uint8Array(3));
    await pipeline.put('a/locked', p10({ sop: '2', pixels: 1 }));
    await pipeline.settle(4);
    expect(await pipeline.keys('inbox')).toEqual(['a/locked']);
    expect((await pipeline.reports())[0]?.counts).toMatchObject({ ingested: 1, rejected: 1, failed: 1 });
  });

  it.each([
    ['that changes whenever it is read', 'read'],
    ['that may not be removed', 'remove'],
  ] as const)('with an object %s is tried a few times, then needs attention', async (_, method) => {
    const pipeline = memoryPipeline({ maxAttempts: 5 });
    if (method === 'read')
      override(pipeline, 'read', (original) => async (location, options) => {
        if (isInbox(location.bucket)) throw new PreconditionFailed('another one');
        return original(location, options);
      });
    else
      override(pipeline, 'remove', (original) => async (bucket, objects) => {
        if (!isInbox(bucket)) return original(bucket, objects);
        return {
          removed: [],
          changed: [],
          failed: objects.map(({ key }) => ({ key, code: 'AccessDenied' })),
        };
      });
    await pipeline.put('a/1', p10({ pixels: 1 }));
    await pipeline.settle(40);
    expect(await pipeline.keys('inbox')).toEqual(['a/1']);
    expect(await attempts(pipeline)).toMatchObject({ attempts: 5, needsAttention: true });
    expect(pipeline.statuses.size).toBe(5);
  });

  it('whose clearing fails as a whole counts that as an attempt, though a report stands', async () => {
    const pipeline = memoryPipeline({ maxAttempts: 5 });
    override(pipeline, 'remove', (original) => async (bucket, objects) => {
      if (isInbox(bucket)) throw refusal('AccessDenied', 403);
      return original(bucket, objects);
    });
    await pipeline.put('a/1', p10({ pixels: 1 }));
    await pipeline.settle(40);
    expect(pipeline.statuses.size).toBe(5);
    expect(await attempts(pipeline)).toMatchObject({ needsAttention: true });
  });

  it('is swept to its end when one upload cannot be started', async () => {
    const pipeline = memoryPipeline();
    await pipeline.put('a/1', p10({ pixels: 1 }));
    await pipeline.put('b/1', p10({ sop: 'b', pixels: 1 }));
    pipeline.advance(120_000);
    const deps = pipeline.deps();
    const { executions } = deps;
    const start: typeof executions.start = async (name, input) => {
      if (input.uploadId === uploadIdOf('a')) throw new Error('no free name');
      return executions.start(name, input);
    };
    const failing = { ...deps, executions: Object.assign(Object.create(executions), { start }) };
    await expect(sweepInbox(failing)).rejects.toThrow('no free name');
    expect(pipeline.inputs).toMatchObject([{ input: { uploadId: uploadIdOf('b') } }]);
  });
});
