/** Rules of tasks that wait for a callback with a token, driven by the official client. One test a rule. */
import {
  GetExecutionHistoryCommand,
  SendTaskFailureCommand,
  SendTaskHeartbeatCommand,
  SendTaskSuccessCommand,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { expect, test, vi } from 'vitest';
import { clientOf, invoke, machine, NamedError, Services, startRuntime } from './runtime.ts';

vi.setConfig({ testTimeout: 30_000 });

const WAIT = 'arn:aws:states:::lambda:invoke.waitForTaskToken';
const waiting = (more: object = {}) => ({
  Type: 'Task',
  Resource: WAIT,
  Arguments: { FunctionName: 'ask', Payload: { token: '{% $states.context.Task.Token %}' } },
  ...more,
});

/** Services whose function `ask` hands on the tokens that it gets. */
function asking() {
  const tokens: string[] = [];
  const services = new Services({
    ask: ({ token }: { token: string }) => {
      tokens.push(token);
      return { asked: true };
    },
  });
  const token = (index = 0) =>
    vi.waitFor(
      () => {
        const found = tokens[index];
        if (found === undefined) throw new Error('not asked yet');
        return found;
      },
      { timeout: 20_000, interval: 5 },
    );
  return { services, token };
}

const succeed = (client: SFNClient, taskToken: string, output: unknown) =>
  client.send(new SendTaskSuccessCommand({ taskToken, output: JSON.stringify(output) }));

test('the task results in what SendTaskSuccess says, not in what the function answers', async () => {
  const { services, token } = asking();
  await using runtime = await startRuntime({ m: machine({ Ask: waiting() }) }, { services });
  const arn = await runtime.start();
  await succeed(runtime.client, await token(), { answer: 42 });
  expect((await runtime.end(arn)).output).toEqual({ answer: 42 });
  const { events } = await runtime.client.send(new GetExecutionHistoryCommand({ executionArn: arn }));
  expect(events?.map(({ type }) => type)).toContain('TaskSucceeded');
});

test('SendTaskFailure fails the task with its error and cause, which Catch sees', async () => {
  const { services, token } = asking();
  const caught = { ErrorEquals: ['Mine'], Next: 'Caught', Output: '{% $states.errorOutput %}' };
  await using runtime = await startRuntime(
    { m: machine({ Ask: waiting({ Catch: [caught] }), Caught: { Type: 'Pass' } }) },
    { services },
  );
  const arn = await runtime.start();
  const taskToken = await token();
  await runtime.client.send(new SendTaskFailureCommand({ taskToken, error: 'Mine', cause: 'why' }));
  expect((await runtime.end(arn)).output).toEqual({ Error: 'Mine', Cause: 'why' });
});

test('a second answer is TaskTimedOut, and so is one after the task', async () => {
  const { services, token } = asking();
  await using runtime = await startRuntime({ m: machine({ Ask: waiting() }) }, { services });
  const arn = await runtime.start();
  const taskToken = await token();
  await succeed(runtime.client, taskToken, 1);
  await expect(succeed(runtime.client, taskToken, 2)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  expect((await runtime.end(arn)).output).toBe(1);
  await expect(succeed(runtime.client, taskToken, 3)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  await expect(runtime.client.send(new SendTaskHeartbeatCommand({ taskToken }))).rejects.toMatchObject({
    name: 'TaskTimedOut',
  });
});

test('a token that nobody issued is InvalidToken, an output that is not JSON InvalidOutput', async () => {
  const { services, token } = asking();
  await using runtime = await startRuntime({ m: machine({ Ask: waiting() }) }, { services });
  await expect(succeed(runtime.client, 'made up', 1)).rejects.toMatchObject({ name: 'InvalidToken' });
  const arn = await runtime.start();
  const taskToken = await token();
  await expect(
    runtime.client.send(new SendTaskSuccessCommand({ taskToken, output: '{' })),
  ).rejects.toMatchObject({ name: 'InvalidOutput' });
  await succeed(runtime.client, taskToken, 'still waits');
  expect((await runtime.end(arn)).output).toBe('still waits');
});

test('without an answer the timeout ends the task; the next try has another token', async () => {
  const { services, token } = asking();
  const again = { ErrorEquals: ['States.Timeout'], Next: 'Ask', Output: {} };
  await using runtime = await startRuntime(
    { m: machine({ Ask: waiting({ TimeoutSeconds: 1, Catch: [again] }) }) },
    { services },
  );
  const arn = await runtime.start();
  const [first, second] = [await token(0), await token(1)];
  expect(second).not.toBe(first);
  await expect(succeed(runtime.client, first, 1)).rejects.toMatchObject({ name: 'TaskTimedOut' });
  await succeed(runtime.client, second, 2);
  expect((await runtime.end(arn)).output).toBe(2);
});

test('a retry has another token', async () => {
  const { services, token } = asking();
  const Retry = [{ ErrorEquals: ['Mine'], IntervalSeconds: 1, MaxAttempts: 1, BackoffRate: 1 }];
  await using runtime = await startRuntime({ m: machine({ Ask: waiting({ Retry }) }) }, { services });
  const arn = await runtime.start();
  const first = await token();
  await runtime.client.send(new SendTaskFailureCommand({ taskToken: first, error: 'Mine' }));
  await succeed(runtime.client, await token(1), 'second');
  expect((await runtime.end(arn)).output).toBe('second');
});

test('a function that fails fails the task', async () => {
  const services = new Services({
    ask: () => {
      throw new NamedError('Lambda.TooManyRequestsException');
    },
  });
  await using runtime = await startRuntime({ m: machine({ Ask: waiting() }) }, { services });
  expect((await runtime.run()).error).toBe('Lambda.TooManyRequestsException');
});

test('silence is States.HeartbeatTimeout, which States.Timeout catches; a heartbeat puts it off', async () => {
  const { services, token } = asking();
  const caught = {
    ErrorEquals: ['States.Timeout'],
    Next: 'Caught',
    Output: '{% $states.errorOutput.Error %}',
  };
  await using runtime = await startRuntime(
    { m: machine({ Ask: waiting({ HeartbeatSeconds: 2, Catch: [caught] }), Caught: { Type: 'Pass' } }) },
    { services },
  );
  const arn = await runtime.start();
  const taskToken = await token();
  const began = Date.now();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await runtime.client.send(new SendTaskHeartbeatCommand({ taskToken }));
  expect((await runtime.end(arn)).output).toBe('States.HeartbeatTimeout');
  expect(Date.now() - began).toBeGreaterThanOrEqual(2900);
});

test('a stopped execution takes no answer', async () => {
  const { services, token } = asking();
  await using runtime = await startRuntime({ m: machine({ Ask: waiting() }) }, { services });
  const arn = await runtime.start();
  const taskToken = await token();
  await runtime.sfn.call('StopExecution', { executionArn: arn });
  await expect(succeed(runtime.client, taskToken, 1)).rejects.toMatchObject({ name: 'TaskTimedOut' });
});

test('an answer before a restart is kept over it, one after it still finds the task', async () => {
  const { services, token } = asking();
  const definitions = {
    m: machine({
      A: waiting({ Next: 'B', Assign: { a: '{% $states.result %}' } }),
      B: waiting({ Output: '{% [$a, $states.result] %}' }),
    }),
  };
  await using first = await startRuntime(definitions, { services });
  const arn = await first.start();
  const tokenOfA = await token();
  await first.sfn.close();
  await using second = await startRuntime(definitions, { services, dataDir: first.dataDir });
  const client = clientOf(second.sfn.url);
  // The resumed task asks again, with the token that it had.
  expect(await token(1)).toBe(tokenOfA);
  await succeed(client, tokenOfA, 'a');
  await succeed(client, await token(2), 'b');
  expect((await second.end(arn)).output).toEqual(['a', 'b']);
});

test('is refused where executions cannot wait: EXPRESS', async () => {
  await expect(startRuntime({ m: machine({ Ask: waiting() }) }, { express: ['m'] })).rejects.toThrow(
    /EXPRESS/,
  );
});

test('only such tasks have a token', async () => {
  const plain = invoke('echo', { token: '{% $states.context.Task.Token %}' });
  const services = new Services({ echo: (payload) => payload });
  await using runtime = await startRuntime({ m: machine({ Plain: plain }) }, { services });
  expect((await runtime.run()).error).toBe('States.QueryEvaluationError');
});
