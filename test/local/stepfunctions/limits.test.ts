/** Quotas, just below or at, and just above. */
import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { LIMITS } from '../../../local/stepfunctions/limits.ts';
import { distributed, invoke, machine, machineArn, runOnce, scope, startRuntime } from './runtime.ts';

/** A string whose JSON text has so many bytes of UTF-8; `ä` has two. */
const textOf = (bytes: number): string =>
  `${bytes % 2 === 0 ? '' : 'a'}${'ä'.repeat(Math.floor((bytes - 2) / 2))}`;
const MOST = LIMITS.stateDataBytes.max;

test.each([
  [MOST, 'SUCCEEDED', undefined],
  [MOST + 1, 'FAILED', 'States.DataLimitExceeded'],
])('an output of %i bytes: %s', async (bytes, status, error) => {
  const half = Math.ceil(bytes / 2);
  const ended = await runOnce(
    {
      Double: { Type: 'Pass', Output: '{% $states.input.text & $states.input.text & $states.input.more %}' },
    },
    {
      input: {
        text: 'ä'.repeat((half - 2) / 2),
        more: 'x'.repeat(bytes - 2 - 4 * Math.floor((half - 2) / 2)),
      },
    },
  );
  expect(ended).toMatchObject({ status, ...(error && { error }) });
});

// The service's own metadata in the result is some 900 bytes.
test.each([
  [MOST - 1_500, undefined],
  [MOST - 500, 'States.DataLimitExceeded'],
])('a function that answers %i bytes: %s', async (bytes, error) => {
  const ended = await runOnce(
    { Call: { ...invoke('f', {}), Output: 'small' } },
    { functions: { f: () => 'x'.repeat(bytes - 2) } },
  );
  expect(ended.error).toBe(error);
  if (error) expect(ended.cause).toContain("The state/task 'lambda' returned a result");
});

test.each([
  [MOST, undefined],
  [MOST + 1, 'ValidationException'],
])('an execution input of %i bytes: %s', async (bytes, error) => {
  await using runtime = await startRuntime({ m: machine({ Only: { Type: 'Succeed', Output: 1 } }) });
  const input = JSON.stringify(textOf(bytes));
  expect(Buffer.byteLength(input)).toBe(bytes);
  const start = runtime.client.send(new StartExecutionCommand({ stateMachineArn: machineArn('m'), input }));
  if (error) await expect(start).rejects.toMatchObject({ name: error });
  else expect((await runtime.end((await start).executionArn as string)).status).toBe('SUCCEEDED');
});

test('results of a Map together are bound by the same limit; with ResultWriter they are not', async () => {
  const each = (more: object) => ({
    Each: {
      Type: 'Map',
      Items: [1, 2, 3],
      ItemProcessor: distributed({ Big: invoke('f') }),
      Output: 'small',
      ...more,
    },
  });
  const functions = { f: () => 'x'.repeat(100_000) };
  expect((await runOnce(each({}), { functions })).error).toBe('States.DataLimitExceeded');
  const writer = { Resource: 'arn:aws:states:::s3:putObject', Arguments: { Bucket: 'b' } };
  expect((await runOnce(each({ ResultWriter: writer }), { functions })).status).toBe('SUCCEEDED');
});

test.each([
  [MOST - 20, undefined],
  [MOST, 'States.QueryEvaluationError'],
])('an Assign of about %i bytes: %s', async (bytes, error) => {
  const ended = await runOnce(
    { Set: { Type: 'Pass', Assign: { text: '{% $states.input %}' }, Output: 1 } },
    { input: 'x'.repeat(bytes - 2) },
  );
  expect(ended.error).toBe(error);
});

/** Events of a loop: start, init (2), then Choice (2) and Pass (2) a round, Choice (2), Succeed (2), end. */
const eventsOf = (rounds: number): number => 1 + 2 + 4 * rounds + 2 + 2 + 1;
const loop = machine({
  Begin: { Type: 'Pass', Assign: { n: 0, rounds: '{% $states.input.rounds %}' }, Output: 0, Next: 'Ask' },
  Ask: { Type: 'Choice', Choices: [{ Condition: '{% $n < $rounds %}', Next: 'Count' }], Default: 'End' },
  Count: { Type: 'Pass', Assign: { n: '{% $n + 1 %}' }, Next: 'Ask' },
  End: { Type: 'Succeed' },
});

test('25,000 events are the most that a history holds', { timeout: 60_000 }, async () => {
  await using runtime = await startRuntime({ m: loop });
  const most = Math.floor((LIMITS.historyEvents.max - eventsOf(0)) / 4);
  expect((await runtime.run({ rounds: most })).status).toBe('SUCCEEDED');
  const over = await runtime.run({ rounds: most + 1 });
  expect(over).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(over.cause).toContain('maximum number of history events (25000)');
  const { events } = await runtime.sfn.call<{ events: { id: number; type: string }[] }>(
    'GetExecutionHistory',
    {
      executionArn: over.executionArn,
      reverseOrder: true,
      maxResults: 1,
    },
  );
  expect(events[0]).toMatchObject({ id: 25_000, type: 'ExecutionFailed' });
});

test('counters count what would be billed: states, retries, children; not iterations', async () => {
  let tries = 0;
  await using runtime = await startRuntime({
    m: machine({
      Inline: { Type: 'Map', Items: [1, 2], ItemProcessor: scope({ Show: { Type: 'Pass' } }), Next: 'Far' },
      Far: {
        Type: 'Map',
        Items: [1, 2, 3],
        ItemProcessor: distributed({ Show2: { Type: 'Pass' } }),
        Next: 'Try',
      },
      Try: invoke('f', {}, { Retry: [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 1 }] }),
    }),
  });
  runtime.services.functions.f = () => {
    tries += 1;
    if (tries === 1) throw new Error('once');
  };
  await runtime.run();
  // Inline, 2 × Show, Far, 3 children, Try, 1 retry.
  expect(runtime.sfn.counters()).toEqual({
    transitions: 9,
    byStateMachine: { m: 9 },
    express: { executions: 3, billedMilliseconds: 300 },
  });
});
