/** statemachines/import-batch, run on the local runtime: what wakes its wait, and what happens when nothing does. */
import { readFileSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { Services, startRuntime } from '../local/stepfunctions/runtime.ts';

vi.setConfig({ testTimeout: 60_000 });

interface Check {
  readonly attempt: number;
  readonly jobId: string;
  readonly taskToken: string;
}

const file = new URL('../../statemachines/import-batch.asl.json', import.meta.url);
/** The definition with names for its functions, and the first look after a second instead of half a minute. */
const definition = JSON.parse(
  readFileSync(file, 'utf8')
    .replaceAll(/\$\{(\w+)FunctionArn\}/g, '$1')
    .replaceAll('"waitSeconds": 30', '"waitSeconds": 1'),
) as object;

/** One batch; `onCheck` is what becomes of the n-th look (from 0): a status ends the job, undefined leaves it running. */
async function runBatch(onCheck: (n: number, check: Check) => 'COMPLETED' | 'FAILED' | undefined) {
  const checks: Check[] = [];
  const read: unknown[] = [];
  const services = new Services({
    StartImportJob: ({ attempt }: { attempt: number }) => ({ jobId: `j${attempt}`, jobStatus: 'SUBMITTED' }),
    CheckImportJob: async (check: Check) => {
      const jobStatus = onCheck(checks.push(check) - 1, check);
      const { jobId, taskToken } = check;
      if (jobStatus)
        await runtime.sfn.call('SendTaskSuccess', {
          taskToken,
          output: JSON.stringify({ jobId, jobStatus }),
        });
    },
    ReadImportOutput: (payload: unknown) => void read.push(payload),
  });
  await using runtime = await startRuntime({ m: definition }, { services });
  const { status } = await runtime.run({ executionId: 'e', planExecutionId: 'p', batchId: 'b' });
  return { status, checks, read };
}

it('reads the output as soon as the job is said to have ended', async () => {
  const { status, checks, read } = await runBatch(() => 'COMPLETED');
  expect([status, checks.length]).toEqual(['SUCCEEDED', 1]);
  expect(read).toEqual([expect.objectContaining({ jobId: 'j1', jobStatus: 'COMPLETED', attempt: 1 })]);
});

it('looks again, with another token, when the event is lost', async () => {
  const { status, checks } = await runBatch((n) => (n === 1 ? 'COMPLETED' : undefined));
  expect([status, checks.length]).toEqual(['SUCCEEDED', 2]);
  expect(checks[1]?.taskToken).not.toBe(checks[0]?.taskToken);
});

it('tries a failed job three times, each under its own attempt, and then reads what there is', async () => {
  const { status, checks, read } = await runBatch(() => 'FAILED');
  expect(status).toBe('SUCCEEDED');
  expect(checks.map(({ attempt, jobId }) => [attempt, jobId])).toEqual([
    [1, 'j1'],
    [2, 'j2'],
    [3, 'j3'],
  ]);
  expect(read).toEqual([expect.objectContaining({ jobStatus: 'FAILED', attempt: 3 })]);
});
