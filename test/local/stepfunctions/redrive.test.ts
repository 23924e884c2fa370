/** RedriveExecution: goes on from the failed state, runs no finished work again. */
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListMapRunsCommand,
  RedriveExecutionCommand,
} from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import {
  distributed,
  invoke,
  machine,
  NamedError,
  Services,
  scope,
  startRuntime,
  type TestRuntime,
} from './runtime.ts';

/** Fails as long as `broken`. */
function mendable() {
  const state = { broken: true };
  const run = (input: unknown) => {
    if (state.broken) throw new NamedError('Broken');
    return input;
  };
  return { state, run };
}

const redrive = (runtime: TestRuntime, executionArn: string) =>
  runtime.client.send(new RedriveExecutionCommand({ executionArn }));
const calls = (services: Services, name: string) =>
  services.calls.filter((call) => call.name === name).length;

test('goes on from the failed task with its input and variables', async () => {
  const { state, run } = mendable();
  const services = new Services({ good: () => 'good', bad: run });
  await using runtime = await startRuntime(
    {
      m: machine({
        Good: invoke('good', {}, { Assign: { kept: '{% $states.result.Payload %}' }, Next: 'Bad' }),
        Bad: invoke(
          'bad',
          {},
          { Retry: [{ ErrorEquals: ['Broken'], IntervalSeconds: 1, MaxAttempts: 1 }], Output: '{% $kept %}' },
        ),
      }),
    },
    { services },
  );
  const { executionArn, status } = await runtime.run();
  expect(status).toBe('FAILED');
  const before = await runtime.client.send(new DescribeExecutionCommand({ executionArn }));
  expect(before.redriveStatus).toBe('REDRIVABLE');
  state.broken = false;
  const { redriveDate } = await redrive(runtime, executionArn);
  expect(await runtime.end(executionArn)).toMatchObject({
    status: 'SUCCEEDED',
    output: 'good',
    error: undefined,
  });
  expect([calls(services, 'good'), calls(services, 'bad')]).toEqual([1, 3]);
  const after = await runtime.client.send(new DescribeExecutionCommand({ executionArn }));
  expect(after).toMatchObject({ redriveCount: 1, redriveDate, redriveStatus: 'NOT_REDRIVABLE' });
  expect(await runtime.eventTypes(executionArn)).toContain('ExecutionRedriven');
});

test('branches that had succeeded are not run again', async () => {
  const { state, run } = mendable();
  const services = new Services({ good: () => 'good', bad: run });
  await using runtime = await startRuntime(
    {
      m: machine({
        Both: {
          Type: 'Parallel',
          Branches: [
            scope({ Good: invoke('good') }),
            scope({ First: { Type: 'Wait', Seconds: 1, Next: 'Bad' }, Bad: invoke('bad') }),
          ],
        },
      }),
    },
    { services },
  );
  const { executionArn } = await runtime.run('in');
  state.broken = false;
  await redrive(runtime, executionArn);
  expect(await runtime.end(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: ['good', 'in'] });
  expect(calls(services, 'good')).toBe(1);
});

test.each(['EXPRESS', 'STANDARD'])('a Map Run runs only its failed %s children again', async (type) => {
  const { state, run } = mendable();
  const services = new Services({ work: (n: number) => (n === 2 ? run(n) : n) });
  await using runtime = await startRuntime(
    {
      m: machine({
        Each: {
          Type: 'Map',
          Items: [1, 2, 3],
          MaxConcurrency: 1,
          ItemProcessor: distributed({ Work: invoke('work') }, type),
        },
      }),
    },
    { services },
  );
  const { executionArn, error } = await runtime.run();
  expect(error).toBe('States.ExceedToleratedFailureThreshold');
  state.broken = false;
  await redrive(runtime, executionArn);
  expect(await runtime.end(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: [1, 2, 3] });
  expect(services.calls.map(({ payload }) => payload)).toEqual([1, 2, 2, 3]);
  const { mapRuns = [] } = await runtime.client.send(new ListMapRunsCommand({ executionArn }));
  expect(mapRuns).toHaveLength(1);
  const told = await runtime.client.send(new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }));
  expect(told).toMatchObject({
    status: 'SUCCEEDED',
    redriveCount: 1,
    itemCounts: { succeeded: 3, failed: 0, total: 3 },
  });
});

test('a stopped execution may be redriven, also after a restart', async () => {
  const services = new Services({ work: () => 'done' });
  const definitions = {
    m: machine({ Long: { Type: 'Wait', Seconds: 1, Next: 'Work' }, Work: invoke('work') }),
  };
  await using first = await startRuntime(definitions, { services });
  const executionArn = await first.start();
  await first.sfn.call('StopExecution', { executionArn });
  await first.sfn.close();
  await using second = await startRuntime(definitions, { services, dataDir: first.dataDir });
  await redrive(second, executionArn);
  expect(await second.end(executionArn)).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
});

test('what runs or has succeeded is ExecutionNotRedrivable', async () => {
  await using runtime = await startRuntime({ m: machine({ Only: { Type: 'Succeed' } }) });
  const { executionArn } = await runtime.run();
  await expect(redrive(runtime, executionArn)).rejects.toMatchObject({ name: 'ExecutionNotRedrivable' });
});
