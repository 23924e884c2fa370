/** Rules of the task resources: nested executions, events, notifications. One test a rule. */
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import { invoke, machine, machineArn, NamedError, runOnce, Services, startRuntime } from './runtime.ts';

const nested = (name: string, more: object = {}) => ({
  Type: 'Task',
  Resource: 'arn:aws:states:::states:startExecution.sync:2',
  Arguments: { StateMachineArn: machineArn(name), Input: { n: '{% $states.input.n %}' } },
  ...more,
});

test('startExecution.sync:2 waits, and gives input and output as JSON', async () => {
  await using runtime = await startRuntime({
    m: machine({ Call: nested('inner') }),
    inner: machine({ Add: { Type: 'Pass', Output: { sum: '{% $states.input.n + 1 %}' } } }),
  });
  const { output } = await runtime.run({ n: 1 });
  expect(output).toMatchObject({
    Status: 'SUCCEEDED',
    Input: { n: 1 },
    Output: { sum: 2 },
    StateMachineArn: machineArn('inner'),
  });
});

test('a failed nested execution is States.TaskFailed with its description as the cause', async () => {
  await using runtime = await startRuntime({
    m: machine({ Call: nested('inner') }),
    inner: machine({ End: { Type: 'Fail', Error: 'Mine', Cause: 'why' } }),
  });
  const { error, cause } = await runtime.run({ n: 1 });
  expect(error).toBe('States.TaskFailed');
  expect(JSON.parse(cause ?? '')).toMatchObject({ Error: 'Mine', Cause: 'why', Status: 'FAILED' });
});

test('a nested machine that is not there is an error of the service', async () => {
  const { error } = await runOnce({ Call: nested('none') }, { input: { n: 1 } });
  expect(error).toBe('StepFunctions.StateMachineDoesNotExistException');
});

test('a nested execution may be named, and its name is taken afterwards', async () => {
  await using runtime = await startRuntime({
    m: machine({
      Call: nested('inner', { Arguments: { StateMachineArn: machineArn('inner'), Name: 'fixed' } }),
    }),
    inner: machine({ End: { Type: 'Succeed' } }),
  });
  expect((await runtime.run()).status).toBe('SUCCEEDED');
  expect((await runtime.run()).error).toBe('StepFunctions.ExecutionAlreadyExistsException');
});

test('a nested execution with an illegal name is an error of the service', async () => {
  await using runtime = await startRuntime({
    m: machine({
      Call: nested('inner', { Arguments: { StateMachineArn: machineArn('inner'), Name: 'a b' } }),
    }),
    inner: machine({ End: { Type: 'Succeed' } }),
  });
  expect((await runtime.run()).error).toBe('StepFunctions.InvalidNameException');
});

test('stopping the outer execution stops the nested one', async () => {
  await using runtime = await startRuntime({
    m: machine({ Call: nested('inner') }),
    inner: machine({ Long: { Type: 'Wait', Seconds: 60 } }),
  });
  const arn = await runtime.start({ n: 1 });
  const list = () => runtime.client.send(new ListExecutionsCommand({ stateMachineArn: machineArn('inner') }));
  while (((await list()).executions ?? []).length === 0);
  await runtime.sfn.call('StopExecution', { executionArn: arn, error: 'Enough', cause: 'stop it' });
  expect(await runtime.end(arn)).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'stop it' });
  const executionArn = (await list()).executions?.[0]?.executionArn;
  const inner = await runtime.client.send(new DescribeExecutionCommand({ executionArn }));
  expect(inner.status).toBe('ABORTED');
});

test('events:putEvents makes JSON text of Detail', async () => {
  const entry = {
    Source: 'isocenter',
    DetailType: 'Ingest Finished',
    EventBusName: 'bus',
    Detail: { n: '{% $states.input.n %}' },
  };
  const { output, services } = await runOnce(
    {
      Tell: { Type: 'Task', Resource: 'arn:aws:states:::events:putEvents', Arguments: { Entries: [entry] } },
    },
    { input: { n: 1 } },
  );
  expect(output).toEqual({ FailedEntryCount: 0, Entries: [{ EventId: 'e0' }] });
  expect(services.events).toEqual([{ ...entry, Detail: '{"n":1}' }]);
});

test('an entry that the bus refused is EventBridge.FailedEntry', async () => {
  const services = new Services();
  services.failedEntries = 1;
  const { error } = await runOnce(
    {
      Tell: {
        Type: 'Task',
        Resource: 'arn:aws:states:::events:putEvents',
        Arguments: { Entries: [{ Detail: {} }] },
      },
    },
    { services },
  );
  expect(error).toBe('EventBridge.FailedEntry');
});

test.each([0, 11])('%i entries are States.Runtime', async (count) => {
  const entries = Array.from({ length: count }, () => ({ Detail: {} }));
  const { error } = await runOnce({
    Tell: { Type: 'Task', Resource: 'arn:aws:states:::events:putEvents', Arguments: { Entries: entries } },
  });
  expect(error).toBe('States.Runtime');
});

test('sns:publish sends text as it is and other JSON as text', async () => {
  const tell = (message: unknown) => ({
    Type: 'Task',
    Resource: 'arn:aws:states:::sns:publish',
    Arguments: { TopicArn: 't', Subject: 's', Message: message },
  });
  const { output, services } = await runOnce({ A: { ...tell('hello'), Next: 'B' }, B: tell({ n: 1 }) });
  expect(output).toEqual({ MessageId: 'm1' });
  expect(services.messages.map(({ Message }) => Message)).toEqual(['hello', '{"n":1}']);
});

test('arguments that the resource cannot use end the execution as States.Runtime', async () => {
  const { error } = await runOnce({
    Call: invoke(
      'f',
      {},
      { Arguments: { FunctionName: '{% 1 %}' }, Retry: [{ ErrorEquals: ['States.ALL'] }] },
    ),
  });
  expect(error).toBe('States.Runtime');
});

test('names that functions throw are kept: Lambda.TooManyRequestsException', async () => {
  const { error } = await runOnce(
    { Call: invoke('f') },
    {
      functions: {
        f: () => {
          throw new NamedError('Lambda.TooManyRequestsException', 'slow down');
        },
      },
    },
  );
  expect(error).toBe('Lambda.TooManyRequestsException');
});
