/** Who wakes a batch that waits for its import job: the event at its end, or the look that follows the note. */
import { describe, expect, it } from 'vitest';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import { checkImportJob } from '../../shared/ingest/import-batch.ts';
import type { PipelineDeps } from '../../shared/ingest/pipeline-deps.ts';
import { wakeImportBatch } from '../../shared/ingest/wake-import-batch.ts';
import { batchOfStaged, workKeys } from '../../shared/ingest/work-keys.ts';
import type { JobStatus } from '../../shared/ports/imaging-service.ts';

const ref = { executionId: 'e', planExecutionId: 'p', batchId: 'b', jobId: 'j1', taskToken: 't1' };
const ended = {
  jobId: 'j1',
  jobStatus: 'COMPLETED',
  inputS3Uri: 's3://work-bucket/executions/p/staged/b/',
} as const;

function world(jobStatus: JobStatus = 'IN_PROGRESS') {
  const answered: [string, unknown][] = [];
  const deps = {
    objects: memoryObjectStore({ now: () => 0 }),
    imaging: { importJob: async () => ({ jobStatus, outputS3Uri: '' }) },
    executions: {
      succeed: async (token: string, output: unknown) => {
        if (answered.some(([known]) => known === token)) return false;
        answered.push([token, output]);
        return true;
      },
    },
    settings: { workBucket: 'work-bucket' },
  } as unknown as PipelineDeps;
  return { deps, answered };
}

describe('a batch that waits', () => {
  it('is woken by the event, once', async () => {
    const { deps, answered } = world();
    await checkImportJob(deps, ref);
    expect(answered).toEqual([]);
    expect(await wakeImportBatch(deps, ended)).toBe(true);
    expect(await wakeImportBatch(deps, ended)).toBe(false);
    expect(answered).toEqual([['t1', { jobId: 'j1', jobStatus: 'COMPLETED' }]]);
  });

  it('is answered by its own look when the job ended before anybody waited', async () => {
    const { deps, answered } = world('FAILED');
    expect(await wakeImportBatch(deps, ended)).toBe(false);
    await checkImportJob(deps, ref);
    expect(answered).toEqual([['t1', { jobId: 'j1', jobStatus: 'FAILED' }]]);
  });

  it('is woken by its newest token after a look that found nothing', async () => {
    const { deps, answered } = world();
    await checkImportJob(deps, ref);
    await checkImportJob(deps, { ...ref, taskToken: 't2' });
    await wakeImportBatch(deps, ended);
    expect(answered.map(([token]) => token)).toEqual(['t2']);
  });

  it('needs no job when nothing could be staged', async () => {
    const { deps, answered } = world();
    await checkImportJob(deps, { ...ref, jobId: 'none' });
    expect(answered).toEqual([['t1', { jobId: 'none', jobStatus: 'COMPLETED' }]]);
  });

  it.each([
    ['a former attempt', { ...ended, jobId: 'j0' }],
    ['another bucket', { ...ended, inputS3Uri: 's3://other/executions/p/staged/b/' }],
    ['a job that is not ours', { ...ended, inputS3Uri: 's3://work-bucket/elsewhere/' }],
    ['an event without an input', { jobId: 'j1', jobStatus: 'COMPLETED' as const }],
  ])('is left alone by %s', async (_what, event) => {
    const { deps, answered } = world();
    await checkImportJob(deps, ref);
    expect(await wakeImportBatch(deps, event)).toBe(false);
    expect(answered).toEqual([]);
  });
});

it('finds the batch in the folder that it was staged in', () => {
  const folder = `s3://work-bucket/${workKeys.staged('an-execution', 'x1-0007')}`;
  expect(batchOfStaged(folder, 'work-bucket')).toEqual({
    planExecutionId: 'an-execution',
    batchId: 'x1-0007',
  });
});
