/** The endpoint as the official SDK client sees it: start, describe, list, history, stop, and the service's errors. */
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  ListStateMachinesCommand,
  paginateGetExecutionHistory,
  paginateListExecutions,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { invoke, machine, machineArn, Services, startRuntime, type TestRuntime } from './runtime.ts';

const definition = machine({
  Ask: {
    Type: 'Choice',
    Choices: [{ Condition: '{% $states.input.wait = true %}', Next: 'Long' }],
    Default: 'Work',
  },
  Long: { Type: 'Wait', Seconds: 60, Next: 'Work' },
  Work: invoke('work'),
});
let runtime: TestRuntime;
beforeAll(async () => {
  const services = new Services({ work: (input: unknown) => input });
  runtime = await startRuntime(
    {
      m: definition,
      pages: machine({ Only: { Type: 'Pass' } }),
      express: machine({ Only: { Type: 'Pass' } }),
    },
    { services, express: ['express'] },
  );
});
afterAll(() => runtime[Symbol.asyncDispose]());

const stateMachineArn = machineArn('m');
const executionArn = (name: string) => `arn:aws:states:us-east-1:000000000000:execution:m:${name}`;

test('an execution is described with its dates, input and output', async () => {
  const arn = await runtime.start({ a: 'ä' }, 'm', 'described');
  await runtime.end(arn);
  const told = await runtime.client.send(new DescribeExecutionCommand({ executionArn: arn }));
  expect(told).toMatchObject({
    executionArn: executionArn('described'),
    stateMachineArn,
    name: 'described',
    status: 'SUCCEEDED',
    input: '{"a":"ä"}',
    output: '{"a":"ä"}',
    redriveCount: 0,
    redriveStatus: 'NOT_REDRIVABLE',
  });
  expect(Math.abs((told.startDate?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  expect((told.stopDate?.getTime() ?? 0) >= (told.startDate?.getTime() ?? 0)).toBe(true);
});

test('the same name and input while it runs is the same execution', async () => {
  const input = '{ "wait": true }';
  const start = (more: object = {}) =>
    runtime.client.send(new StartExecutionCommand({ stateMachineArn, name: 'once', input, ...more }));
  const [one, two] = await Promise.all([start(), start()]);
  expect(two.executionArn).toBe(one.executionArn);
  expect(two.startDate).toEqual(one.startDate);
  await expect(start({ input: '{"wait":true,"b":1}' })).rejects.toMatchObject({
    name: 'ExecutionAlreadyExists',
  });
  await runtime.client.send(new StopExecutionCommand({ executionArn: executionArn('once') }));
  await expect(start()).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
});

test('StopExecution ends an execution as ABORTED with error and cause; again is harmless', async () => {
  const arn = await runtime.start({ wait: true });
  const stop = () =>
    runtime.client.send(new StopExecutionCommand({ executionArn: arn, error: 'Enough', cause: 'because' }));
  const { stopDate } = await stop();
  const told = await runtime.client.send(new DescribeExecutionCommand({ executionArn: arn }));
  expect(told).toMatchObject({ status: 'ABORTED', error: 'Enough', cause: 'because', stopDate });
  expect((await stop()).stopDate).toEqual(stopDate);
  expect((await runtime.eventTypes(arn)).slice(-2)).toEqual(['WaitStateAborted', 'ExecutionAborted']);
});

test('executions are listed newest first, in pages, by status', async () => {
  const names = ['p1', 'p2', 'p3', 'p4', 'p5'];
  for (const name of names) {
    await runtime.end(await runtime.start({}, 'pages', name));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const listed: (string | undefined)[] = [];
  let pages = 0;
  const paging = { client: runtime.client, pageSize: 2 };
  for await (const page of paginateListExecutions(paging, { stateMachineArn: machineArn('pages') })) {
    pages += 1;
    listed.push(...(page.executions ?? []).map(({ name }) => name));
  }
  expect(listed).toEqual([...names].reverse());
  expect(pages).toBe(3);
  const by = async (statusFilter: 'SUCCEEDED' | 'RUNNING') =>
    (
      await runtime.client.send(
        new ListExecutionsCommand({ stateMachineArn: machineArn('pages'), statusFilter }),
      )
    ).executions;
  expect(await by('SUCCEEDED')).toHaveLength(5);
  expect(await by('RUNNING')).toHaveLength(0);
});

test('history comes in pages, in reverse, and without data', async () => {
  const arn = await runtime.start({ secret: 1 });
  await runtime.end(arn);
  const ids: number[] = [];
  for await (const page of paginateGetExecutionHistory(
    { client: runtime.client, pageSize: 3 },
    { executionArn: arn },
  )) {
    ids.push(...(page.events ?? []).map(({ id }) => id as number));
  }
  expect(ids).toEqual(ids.map((_, index) => index + 1));
  const reverse = await runtime.client.send(
    new GetExecutionHistoryCommand({ executionArn: arn, reverseOrder: true }),
  );
  expect(reverse.events?.map(({ id }) => id)).toEqual([...ids].reverse());
  expect(reverse.events?.[0]).toMatchObject({
    type: 'ExecutionSucceeded',
    executionSucceededEventDetails: { output: '{"secret":1}' },
  });
  const bare = await runtime.client.send(
    new GetExecutionHistoryCommand({ executionArn: arn, includeExecutionData: false }),
  );
  expect(JSON.stringify(bare.events)).not.toContain('secret');
  expect(bare.events?.[1]).toMatchObject({
    type: 'ChoiceStateEntered',
    previousEventId: 0,
    stateEnteredEventDetails: { name: 'Ask' },
  });
});

test('machines are listed and described', async () => {
  const { stateMachines = [] } = await runtime.client.send(new ListStateMachinesCommand({}));
  expect(stateMachines.map(({ name, type }) => [name, type])).toEqual([
    ['m', 'STANDARD'],
    ['pages', 'STANDARD'],
    ['express', 'EXPRESS'],
  ]);
  const told = await runtime.client.send(new DescribeStateMachineCommand({ stateMachineArn }));
  expect(told).toMatchObject({ name: 'm', status: 'ACTIVE', type: 'STANDARD' });
  expect(JSON.parse(told.definition ?? '')).toEqual(definition);
  const arn = await runtime.start();
  const of = await runtime.client.send(new DescribeStateMachineForExecutionCommand({ executionArn: arn }));
  expect(JSON.parse(of.definition ?? '')).toEqual(definition);
});

test('an EXPRESS machine runs, and is not listed by execution', async () => {
  const arn = await runtime.start({ n: 1 }, 'express');
  expect(await runtime.end(arn)).toMatchObject({ status: 'SUCCEEDED', output: { n: 1 } });
  await expect(
    runtime.client.send(new ListExecutionsCommand({ stateMachineArn: machineArn('express') })),
  ).rejects.toMatchObject({ name: 'StateMachineTypeNotSupported' });
});

test.each([
  ['ExecutionDoesNotExist', new DescribeExecutionCommand({ executionArn: executionArn('none') })],
  ['ExecutionDoesNotExist', new GetExecutionHistoryCommand({ executionArn: executionArn('none') })],
  ['ExecutionDoesNotExist', new StopExecutionCommand({ executionArn: executionArn('none') })],
  ['StateMachineDoesNotExist', new StartExecutionCommand({ stateMachineArn: machineArn('none') })],
  ['StateMachineDoesNotExist', new ListExecutionsCommand({ stateMachineArn: machineArn('none') })],
  ['InvalidArn', new DescribeExecutionCommand({ executionArn: 'nonsense' })],
  ['InvalidArn', new StartExecutionCommand({ stateMachineArn: 'arn:aws:s3:::bucket' })],
  ['InvalidName', new StartExecutionCommand({ stateMachineArn, name: 'a b' })],
  ['InvalidName', new StartExecutionCommand({ stateMachineArn, name: 'a:b' })],
  ['ValidationException', new StartExecutionCommand({ stateMachineArn, name: 'x'.repeat(81) })],
  ['InvalidExecutionInput', new StartExecutionCommand({ stateMachineArn, input: '{' })],
  ['InvalidToken', new ListExecutionsCommand({ stateMachineArn, nextToken: 'nonsense' })],
  ['ValidationException', new ListExecutionsCommand({ stateMachineArn, maxResults: 1001 })],
  ['ValidationException', new ListExecutionsCommand({ stateMachineArn, statusFilter: 'ODD' as 'RUNNING' })],
  [
    'ResourceNotFound',
    new DescribeMapRunCommand({ mapRunArn: 'arn:aws:states:us-east-1:000000000000:mapRun:m/x:y' }),
  ],
])('%s is answered by name', async (name, command) => {
  await expect(runtime.client.send(command as StartExecutionCommand)).rejects.toMatchObject({
    name,
    $metadata: { httpStatusCode: 400 },
  });
});

test('a token of another list is InvalidToken', async () => {
  await runtime.end(await runtime.start({}, 'pages'));
  await runtime.end(await runtime.start({}, 'pages'));
  const list = (more: object) =>
    runtime.client.send(
      new ListExecutionsCommand({ stateMachineArn: machineArn('pages'), maxResults: 1, ...more }),
    );
  const { nextToken } = await list({});
  await expect(list({ nextToken, statusFilter: 'FAILED' })).rejects.toMatchObject({ name: 'InvalidToken' });
});

const post = (target: string, body: string) =>
  fetch(runtime.sfn.url, {
    method: 'POST',
    headers: { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' },
    body,
  });

test.each([
  ['AWSStepFunctions.CreateActivity', '{}', 'UnknownOperationException'],
  ['Other.StartExecution', '{}', 'UnknownOperationException'],
  ['AWSStepFunctions.toString', '{}', 'UnknownOperationException'],
  ['AWSStepFunctions.StartExecution', '{', 'SerializationException'],
  ['AWSStepFunctions.StartExecution', '[]', 'SerializationException'],
  ['AWSStepFunctions.StartExecution', '{"stateMachineArn":1}', 'SerializationException'],
  ['AWSStepFunctions.StartExecution', '{}', 'ValidationException'],
  ['AWSStepFunctions.StartExecution', `{"input":"${'x'.repeat(1_100_000)}"}`, 'ValidationException'],
])('%s with an odd body is %s', async (target, body, error) => {
  const response = await post(target, body).catch(() => undefined);
  // A body over the bound may be cut off before the answer is read.
  if (!response) return expect(body.length).toBeGreaterThan(1_000_000);
  expect(response.status).toBe(400);
  expect(((await response.json()) as { __type: string }).__type).toBe(error);
});

test('a request that is no POST is refused', async () => {
  expect((await fetch(runtime.sfn.url)).status).toBe(400);
});
