/** No arrival waits for the sweep: what comes while an execution ends starts the next one. */
import { describe, expect, it } from 'vitest';
import { acquireLease, uploadLease } from '../../shared/ingest/leases.ts';
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
