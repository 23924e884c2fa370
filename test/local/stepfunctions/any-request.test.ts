/** Any request gets an answer: a result, or an error of the service; never a crash, never a 500. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OPERATIONS, type OperationName } from '../../../local/stepfunctions/operations/operations.ts';
import { machine, machineArn, startRuntime, type TestRuntime } from './runtime.ts';

let runtime: TestRuntime;
const execution = 'arn:aws:states:us-east-1:000000000000:execution:m:known';
beforeAll(async () => {
  runtime = await startRuntime({ m: machine({ Only: { Type: 'Pass' } }) });
  await runtime.end(await runtime.start({}, 'm', 'known'));
});
afterAll(() => runtime[Symbol.asyncDispose]());

const post = async (operation: string, body: string) => {
  const response = await fetch(runtime.sfn.url, {
    method: 'POST',
    headers: {
      'x-amz-target': `AWSStepFunctions.${operation}`,
      'content-type': 'application/x-amz-json-1.0',
    },
    body,
  });
  return {
    status: response.status,
    answer: (await response.json()) as { __type?: string; message?: string },
  };
};

test('whatever the members hold', { timeout: 60_000 }, async () => {
  const text = fc.oneof(
    fc.string({ maxLength: 20 }),
    fc.constantFrom(
      machineArn('m'),
      execution,
      `${execution}x`,
      'arn:aws:states:us-east-1:000000000000:mapRun:m/a:b',
      '__proto__',
      '{}',
      '[',
      'RUNNING',
    ),
  );
  const member = fc.oneof(
    text,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(text, { maxLength: 2 }),
    fc.object({ maxDepth: 2 }),
  );
  const members = [
    'stateMachineArn',
    'executionArn',
    'mapRunArn',
    'name',
    'input',
    'statusFilter',
    'maxResults',
    'nextToken',
    'reverseOrder',
    'includeExecutionData',
    'error',
    'cause',
    'traceHeader',
  ];
  const request = fc.dictionary(fc.constantFrom(...members), member, { maxKeys: 5 });
  const seed = Date.now();
  console.log(`seed ${seed}`);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...(Object.keys(OPERATIONS) as OperationName[])),
      request,
      async (operation, body) => {
        const { status, answer } = await post(operation, JSON.stringify(body));
        expect([200, 400]).toContain(status);
        if (status === 400)
          expect(answer).toEqual({
            __type: expect.stringMatching(/^[A-Z]\w+$/),
            message: expect.any(String),
          });
      },
    ),
    { seed, numRuns: 600 },
  );
});

test('whatever the bytes of the body', async () => {
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.string(), fc.json()), async (body) => {
      expect((await post('StartExecution', body)).status).toBe(400);
    }),
    { numRuns: 100 },
  );
});

test.each([
  [1_000, 200],
  [1_001, 400],
  [100_000, 400],
])('an input nested %i levels deep: %i', async (levels, status) => {
  const input = '['.repeat(levels) + ']'.repeat(levels);
  const body = JSON.stringify({ stateMachineArn: machineArn('m'), name: `deep${levels}`, input });
  expect((await post('StartExecution', body)).status).toBe(status);
  if (status === 200)
    expect((await runtime.end(execution.replace('known', `deep${levels}`))).status).toBe('SUCCEEDED');
});
