/** Rules of failure: Retry, Catch, timeouts, and which names match which. One test a rule. */
import { expect, test } from 'vitest';
import type { Retrier } from '../../../local/stepfunctions/definition/model.ts';
import { StateError } from '../../../local/stepfunctions/errors.ts';
import { matches, nextTry } from '../../../local/stepfunctions/runtime/retry.ts';
import { invoke, machine, NamedError, runOnce, Services, scope, startRuntime } from './runtime.ts';

const retrier = (more: Partial<Retrier>): Retrier => ({
  errorEquals: ['States.ALL'],
  intervalSeconds: 1,
  maxAttempts: 3,
  backoffRate: 2,
  maxDelaySeconds: undefined,
  jitter: 'NONE',
  ...more,
});
const pauses = (of: Retrier, random = () => 1): (number | undefined)[] => {
  const used: number[] = [];
  return Array.from({ length: of.maxAttempts + 1 }, () =>
    nextTry([of], used, new StateError('E', ''), random),
  );
};

test('the pause grows by BackoffRate from IntervalSeconds, MaxAttempts times', () => {
  expect(pauses(retrier({ intervalSeconds: 3, backoffRate: 1.5 }))).toEqual([3000, 4500, 6750, undefined]);
});
test('MaxDelaySeconds caps the pause', () => {
  expect(pauses(retrier({ intervalSeconds: 2, maxDelaySeconds: 5 }))).toEqual([2000, 4000, 5000, undefined]);
});
test('JitterStrategy FULL takes a random part of the pause', () => {
  expect(pauses(retrier({ jitter: 'FULL' }), () => 0.25)).toEqual([250, 500, 1000, undefined]);
});
test('MaxAttempts 0 never retries', () => {
  expect(pauses(retrier({ maxAttempts: 0 }))).toEqual([undefined]);
});
test('each retrier counts its own attempts, and the first that matches is used', () => {
  const used: number[] = [];
  const list = [retrier({ errorEquals: ['A'], maxAttempts: 1 }), retrier({ intervalSeconds: 7 })];
  const ask = (error: string) => nextTry(list, used, new StateError(error, ''), () => 1);
  expect([ask('A'), ask('B'), ask('A'), ask('B')]).toEqual([1000, 7000, undefined, 14000]);
});

test.each([
  ['States.ALL', 'Mine', true],
  ['States.ALL', 'States.Timeout', true],
  ['States.ALL', 'States.QueryEvaluationError', true],
  ['States.ALL', 'States.DataLimitExceeded', false],
  ['States.ALL', 'States.Runtime', false],
  ['States.DataLimitExceeded', 'States.DataLimitExceeded', true],
  ['States.Runtime', 'States.Runtime', false],
  ['States.TaskFailed', 'Lambda.Unknown', true],
  ['States.TaskFailed', 'States.Timeout', false],
  ['States.Timeout', 'States.Timeout', true],
  ['Mine', 'Other', false],
])('%s matches %s: %s', (pattern, error, expected) => {
  expect(matches([pattern], error)).toBe(expected);
});

test('a retried task runs again with the same input, and RetryCount tells', async () => {
  let tries = 0;
  const { output, services } = await runOnce(
    {
      Try: invoke(
        'f',
        { count: '{% $states.context.State.RetryCount %}' },
        {
          Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1 }],
        },
      ),
    },
    {
      functions: {
        f: () => {
          tries += 1;
          if (tries < 2) throw new NamedError('Busy');
          return 'done';
        },
      },
    },
  );
  expect(output).toBe('done');
  expect(services.calls.map(({ payload }) => payload)).toEqual([{ count: 0 }, { count: 1 }]);
});

const fails = (error: string, cause: string) => () => {
  throw new NamedError(error, cause);
};

test('an error without Catch fails the execution with its name and cause', async () => {
  const ended = await runOnce({ Try: invoke('f') }, { functions: { f: fails('Mine', 'why') } });
  expect(ended).toMatchObject({ status: 'FAILED', error: 'Mine', cause: 'why' });
});

test('the first catcher that matches is taken; without Output the error output is handed on', async () => {
  const { output } = await runOnce(
    {
      Try: invoke(
        'f',
        {},
        {
          Catch: [
            { ErrorEquals: ['Other'], Next: 'Wrong' },
            { ErrorEquals: ['Mine'], Next: 'Right' },
          ],
        },
      ),
      Wrong: { Type: 'Fail' },
      Right: { Type: 'Pass' },
    },
    { functions: { f: fails('Mine', 'why') } },
  );
  expect(output).toEqual({ Error: 'Mine', Cause: 'why' });
});

test('Output and Assign of a catcher see errorOutput and input, and reach the outer scope', async () => {
  const { output } = await runOnce(
    {
      Both: {
        Type: 'Parallel',
        Branches: [scope({ Try: invoke('f') })],
        Catch: [
          {
            ErrorEquals: ['States.ALL'],
            Next: 'Show',
            Assign: { failed: '{% $states.errorOutput.Error %}' },
            Output: '{% $states.input %}',
          },
        ],
      },
      Show: { Type: 'Pass', Output: '{% [$failed, $states.input] %}' },
    },
    { input: 'in', functions: { f: fails('Mine', 'why') } },
  );
  expect(output).toEqual(['Mine', 'in']);
});

test('Catch sees errors of evaluation too', async () => {
  const { output } = await runOnce({
    Try: invoke('f', '{% $states.input.none %}', {
      Catch: [{ ErrorEquals: ['States.QueryEvaluationError'], Next: 'End' }],
    }),
    End: { Type: 'Pass', Output: 'caught' },
  });
  expect(output).toBe('caught');
});

test('TimeoutSeconds ends a task as States.Timeout and aborts it', async () => {
  let aborted = false;
  const { output } = await runOnce(
    {
      Try: invoke(
        'f',
        {},
        {
          TimeoutSeconds: '{% 1 %}',
          Catch: [
            { ErrorEquals: ['States.Timeout'], Next: 'End', Output: '{% $states.errorOutput.Error %}' },
          ],
        },
      ),
      End: { Type: 'Pass' },
    },
    {
      functions: {
        f: (_payload: unknown, { signal }: { signal: AbortSignal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              reject(new Error('aborted'));
            });
          }),
      },
    },
  );
  expect(output).toBe('States.Timeout');
  expect(aborted).toBe(true);
});

test('a failing branch calls the others off, and its error is that of the Parallel', async () => {
  let aborted = false;
  const ended = await runOnce(
    {
      Both: {
        Type: 'Parallel',
        Branches: [scope({ Slow: invoke('slow') }), scope({ Fast: invoke('f') })],
      },
    },
    {
      functions: {
        f: fails('Mine', 'why'),
        slow: (_payload: unknown, { signal }: { signal: AbortSignal }) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              aborted = true;
              resolve(0);
            });
          }),
      },
    },
  );
  expect(ended).toMatchObject({ status: 'FAILED', error: 'Mine' });
  expect(aborted).toBe(true);
});

test('a retried Parallel runs all its branches again', async () => {
  let tries = 0;
  const { output, services } = await runOnce(
    {
      Both: {
        Type: 'Parallel',
        Branches: [scope({ Good: invoke('good') }), scope({ Bad: invoke('bad') })],
        Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1 }],
      },
    },
    {
      functions: {
        good: () => 'good',
        bad: () => {
          tries += 1;
          if (tries === 1) throw new NamedError('Busy');
          return 'better';
        },
      },
    },
  );
  expect(output).toEqual(['good', 'better']);
  expect(services.calls.filter(({ name }) => name === 'good')).toHaveLength(2);
});

test('TimeoutSeconds of the machine ends the execution as TIMED_OUT', async () => {
  await using runtime = await startRuntime({
    m: machine({ Long: { Type: 'Wait', Seconds: 60 } }, { TimeoutSeconds: 1 }),
  });
  const ended = await runtime.run();
  expect(ended.status).toBe('TIMED_OUT');
  expect((await runtime.eventTypes(ended.executionArn)).at(-1)).toBe('ExecutionTimedOut');
});

test('the history of a caught failure tells it in order', async () => {
  const services = new Services({ f: fails('Mine', 'why') });
  await using runtime = await startRuntime(
    {
      m: machine({
        Try: invoke('f', {}, { Catch: [{ ErrorEquals: ['Mine'], Next: 'End' }] }),
        End: { Type: 'Succeed' },
      }),
    },
    { services },
  );
  const { executionArn } = await runtime.run();
  expect(await runtime.eventTypes(executionArn)).toEqual([
    'ExecutionStarted',
    'TaskStateEntered',
    'TaskScheduled',
    'TaskStarted',
    'TaskFailed',
    'TaskStateExited',
    'SucceedStateEntered',
    'SucceedStateExited',
    'ExecutionSucceeded',
  ]);
});
