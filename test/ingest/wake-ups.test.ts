/** No arrival waits for the sweep: what comes while an execution ends starts the next one. */
import { describe, expect, it } from 'vitest';
import { parkUpload, readAttempts } from '../../shared/ingest/attempts.ts';
import { acquireLease, uploadLease } from '../../shared/ingest/leases.ts';
import { receiveUploads } from '../../shared/ingest/receive-uploads.ts';
import { finishUpload } from '../../shared/ingest/release-upload.ts';
import { takeUpload } from '../../shared/ingest/take-upload.ts';
import { startIngest } from '../../shared/ingest/uploads.ts';
import { uploadIdOf } from '../../shared/ingest/work-keys.ts';
import { memoryPipeline } from './memory-pipeline.ts';
import { p10 } from './objects.ts';

/** A pipeline with one running execution, which holds the upload `a`. */
async function running() {
  const pipeline = memoryPipeline();
  const deps = pipeline.deps();
  const uploadId = uploadIdOf('a');
  await startIngest(deps, 'a');
  const executionArn = [...pipeline.statuses.keys()][0]!;
  const executionId = executionArn.split(':').at(-1)!;
  const request = { executionId, uploadId, executionArn };
  await acquireLease({ ...deps, workBucket: 'work' }, uploadLease(uploadId), request);
  return { pipeline, deps, request };
}

describe('an object that arrives while an execution ends', () => {
  it('before the last look at the inbox starts the next one within the same half minute', async () => {
    const { pipeline, deps, request } = await running();
    await pipeline.put('a/late', p10({ pixels: 1 }));
    expect(await startIngest(deps, 'a')).toBe('held');
    await finishUpload(deps, request);
    expect([...pipeline.statuses.values()]).toEqual(['RUNNING', 'RUNNING']);
  });

  it('after the last look starts the next one, though the old one still runs', async () => {
    const { pipeline, deps, request } = await running();
    await finishUpload(deps, request);
    expect(pipeline.statuses.size).toBe(1);
    await pipeline.put('a/later', p10({ pixels: 1 }));
    expect(await startIngest(deps, 'a')).toBe('started');
    expect(pipeline.statuses.size).toBe(2);
  });

  it('after an execution found nothing starts the next one', async () => {
    const { pipeline, deps, request } = await running();
    const timed = { ...request, executionStartedAt: '2026-01-01T00:00:00Z' };
    expect((await takeUpload(deps, timed)).status).toBe('empty');
    await pipeline.put('a/later', p10({ pixels: 1 }));
    await startIngest(deps, 'a');
    expect(pipeline.statuses.size).toBe(2);
  });

  it('of one that is only starting starts no second', async () => {
    const { pipeline, deps } = await running();
    await startIngest(deps, 'a');
    expect(pipeline.statuses.size).toBe(1);
  });
});

describe('an event', () => {
  const uploadId = uploadIdOf('a');
  const event = (key: string, time?: string) => ({
    messageId: key,
    body: JSON.stringify({ time, detail: { object: { key } } }),
  });
  /** An upload that a person cancelled at 00:01:00.5. */
  async function cancelled() {
    const pipeline = memoryPipeline();
    const deps = pipeline.deps();
    const stopped = { upload: 'a', executionId: 'e', stoppedAt: '2026-01-01T00:01:00.500Z' };
    await parkUpload(deps, uploadId, stopped);
    return { pipeline, deps };
  }

  it('that comes late does not start what was cancelled after it', async () => {
    const { pipeline, deps } = await cancelled();
    expect(await receiveUploads(deps, [event('a/1', '2026-01-01T00:00:59Z')])).toEqual([]);
    expect(pipeline.statuses.size).toBe(0);
    expect(await readAttempts(deps, uploadId)).toMatchObject({ needsAttention: true });
  });

  it.each(['2026-01-01T00:01:00Z', '2026-01-01T00:02:00Z', undefined])(
    'of something new does (%s)',
    async (time) => {
      const { pipeline, deps } = await cancelled();
      const records = [event('a/1', '2026-01-01T00:00:59Z'), event('a/2', time)];
      expect(await receiveUploads(deps, records)).toEqual([]);
      expect(pipeline.statuses.size).toBe(1);
      expect(await readAttempts(deps, uploadId)).toBeUndefined();
    },
  );

  it('that is none comes again, and keeps no other waiting', async () => {
    const { pipeline, deps } = await cancelled();
    const bad = ['no json', 'null', '{"detail":{}}', '{"detail":{"object":{"key":7}}}'];
    const records = bad.map((body, i) => ({ messageId: `${i}`, body }));
    expect(await receiveUploads(deps, [...records, event('b/1')])).toEqual(['0', '1', '2', '3']);
    expect(pipeline.statuses.size).toBe(1);
  });
});
