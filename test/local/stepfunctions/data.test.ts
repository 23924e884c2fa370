/** Rules of data flow: Arguments, Output, Assign, scopes of variables, `$states`. One test a rule. */
import { expect, test } from 'vitest';
import { distributed, invoke, machine, runOnce, Services, scope, startRuntime } from './runtime.ts';

test('a state without Output hands on its result, or its input where it has no result', async () => {
  const { output } = await runOnce(
    {
      Call: {
        Type: 'Task',
        Resource: 'arn:aws:states:::lambda:invoke',
        Arguments: { FunctionName: 'f' },
        Next: 'Pass',
      },
      Pass: { Type: 'Pass', Next: 'Wait' },
      Wait: { Type: 'Wait', Seconds: 0, Next: 'End' },
      End: { Type: 'Succeed' },
    },
    { functions: { f: () => 'answer' } },
  );
  expect(output).toMatchObject({
    ExecutedVersion: '$LATEST',
    Payload: 'answer',
    SdkHttpMetadata: { HttpStatusCode: 200 },
    StatusCode: 200,
  });
});

test('Output may be any JSON, with expressions at any depth', async () => {
  const { output } = await runOnce(
    {
      Make: {
        Type: 'Pass',
        Output: { list: [1, '{% $states.input.a + 1 %}', { deep: '{% $states.input.b %}' }], text: 'x{%' },
      },
    },
    { input: { a: 1, b: [null, true] } },
  );
  expect(output).toEqual({ list: [1, 2, { deep: [null, true] }], text: 'x{%' });
});

test('Output and Assign both see the variables as they were when the state was entered', async () => {
  const { output } = await runOnce({
    Set: { Type: 'Pass', Assign: { a: 1, b: 2 }, Next: 'Swap' },
    Swap: { Type: 'Pass', Assign: { a: '{% $b %}', b: '{% $a %}' }, Output: '{% [$a, $b] %}', Next: 'Show' },
    Show: { Type: 'Pass', Output: { before: '{% $states.input %}', after: '{% [$a, $b] %}' } },
  });
  expect(output).toEqual({ before: [1, 2], after: [2, 1] });
});

test('Assign sees the result of the state, and the input', async () => {
  const { output } = await runOnce(
    {
      Call: invoke(
        'f',
        {},
        { Assign: { both: '{% [$states.input.i, $states.result.Payload] %}' }, Next: 'Show' },
      ),
      Show: { Type: 'Pass', Output: '{% $both %}' },
    },
    { input: { i: 'in' }, functions: { f: () => 'out' } },
  );
  expect(output).toEqual(['in', 'out']);
});

test('a choice has its own Output and Assign; the state has those of the default', async () => {
  const states = {
    Ask: {
      Type: 'Choice',
      Choices: [
        { Condition: '{% $states.input.n = 1 %}', Next: 'Show', Assign: { way: 'one' }, Output: 'chosen' },
      ],
      Default: 'Show',
      Assign: { way: 'other' },
      Output: 'default',
    },
    Show: { Type: 'Pass', Output: '{% [$states.input, $way] %}' },
  };
  expect((await runOnce(states, { input: { n: 1 } })).output).toEqual(['chosen', 'one']);
  expect((await runOnce(states, { input: { n: 2 } })).output).toEqual(['default', 'other']);
});

test('the first condition that holds is taken', async () => {
  const { output } = await runOnce({
    Ask: {
      Type: 'Choice',
      Choices: [
        { Condition: false, Next: 'A' },
        { Condition: '{% true %}', Next: 'B' },
        { Condition: true, Next: 'A' },
      ],
    },
    A: { Type: 'Pass', Output: 'A' },
    B: { Type: 'Pass', Output: 'B' },
  });
  expect(output).toBe('B');
});

test('no choice and no Default is States.NoChoiceMatched', async () => {
  const ended = await runOnce({
    Ask: { Type: 'Choice', Choices: [{ Condition: '{% false %}', Next: 'A' }] },
    A: { Type: 'Pass' },
  });
  expect(ended).toMatchObject({ status: 'FAILED', error: 'States.NoChoiceMatched' });
});

test('a condition that is no boolean is States.QueryEvaluationError', async () => {
  const ended = await runOnce({
    Ask: { Type: 'Choice', Choices: [{ Condition: '{% 1 %}', Next: 'A' }] },
    A: { Type: 'Pass' },
  });
  expect(ended).toMatchObject({ status: 'FAILED', error: 'States.QueryEvaluationError' });
});

test('inner scopes read outer variables, and theirs end with them', async () => {
  const { output } = await runOnce({
    Set: { Type: 'Pass', Assign: { outer: 'o' }, Next: 'Both' },
    Both: {
      Type: 'Parallel',
      Branches: [
        scope({
          A: { Type: 'Pass', Assign: { inner: '{% $outer & 1 %}' }, Next: 'A2' },
          A2: { Type: 'Pass', Output: '{% $inner %}' },
        }),
        scope({
          B: { Type: 'Pass', Assign: { inner: '{% $outer & 2 %}' }, Next: 'B2' },
          B2: { Type: 'Pass', Output: '{% $inner %}' },
        }),
      ],
      Next: 'Each',
    },
    Each: {
      Type: 'Map',
      Items: '{% $states.input %}',
      ItemProcessor: scope({ Show: { Type: 'Pass', Output: '{% $outer & $states.input %}' } }),
    },
  });
  expect(output).toEqual(['oo1', 'oo2']);
});

test('Parallel hands its Arguments, else its input, to each branch', async () => {
  const branches = [
    scope({ A: { Type: 'Pass' } }),
    scope({ B: { Type: 'Pass', Output: '{% $states.input.x + 1 %}' } }),
  ];
  const given = await runOnce(
    { Both: { Type: 'Parallel', Arguments: { x: 1 }, Branches: branches } },
    { input: { x: 5 } },
  );
  expect(given.output).toEqual([{ x: 1 }, 2]);
});

test('the context names execution, state and machine', async () => {
  const { output, executionArn } = await runOnce(
    { Show: { Type: 'Pass', Output: '{% $states.context %}' } },
    { input: { i: 1 } },
  );
  const name = executionArn.split(':').at(-1);
  expect(output).toEqual({
    Execution: {
      Id: executionArn,
      Input: { i: 1 },
      Name: name,
      RoleArn: 'arn:aws:iam::000000000000:role/test',
      StartTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      RedriveCount: 0,
    },
    State: { Name: 'Show', EnteredTime: expect.stringMatching(/Z$/) },
    StateMachine: { Id: 'arn:aws:states:us-east-1:000000000000:stateMachine:m', Name: 'm' },
  });
});

test('Map.Item has index and value, in ItemSelector and inside an inline iteration', async () => {
  const { output } = await runOnce({
    Each: {
      Type: 'Map',
      Items: ['a', 'b'],
      ItemSelector: {
        index: '{% $states.context.Map.Item.Index %}',
        value: '{% $states.context.Map.Item.Value %}',
      },
      ItemProcessor: scope({
        Show: { Type: 'Pass', Output: '{% [$states.input, $states.context.Map.Item.Index] %}' },
      }),
    },
  });
  expect(output).toEqual([
    [{ index: 0, value: 'a' }, 0],
    [{ index: 1, value: 'b' }, 1],
  ]);
});

test('children of a distributed map have an execution of their own and no outer variables', async () => {
  const { output, executionArn } = await runOnce({
    Each: {
      Type: 'Map',
      Items: ['a'],
      ItemProcessor: distributed({ Show: { Type: 'Pass', Output: '{% $states.context.Execution.Id %}' } }),
    },
  });
  const [id] = output as [string];
  expect(id).toMatch(/^arn:aws:states:us-east-1:000000000000:execution:m\/[-0-9a-f]{36}:[-0-9a-f]{36}$/);
  expect(id).not.toBe(executionArn);
  await expect(
    startRuntime({
      m: machine({
        Set: { Type: 'Pass', Assign: { x: 1 }, Next: 'Each' },
        Each: {
          Type: 'Map',
          Items: ['a'],
          ItemProcessor: distributed({ Show: { Type: 'Pass', Output: '{% $x %}' } }),
        },
      }),
    }),
  ).rejects.toThrow('$x is no function and no variable of this scope');
});

test('an expression that gives nothing is States.QueryEvaluationError naming expression and field', async () => {
  const ended = await runOnce({ Make: { Type: 'Pass', Output: { a: { b: '{% $states.input.none %}' } } } });
  expect(ended).toMatchObject({
    status: 'FAILED',
    error: 'States.QueryEvaluationError',
    cause:
      "The JSONata expression '$states.input.none' specified for the field 'Output/a/b' returned nothing (undefined).",
  });
});

test('an expression that throws, loops or gives a function is States.QueryEvaluationError', {
  timeout: 20_000,
}, async () => {
  for (const expression of [
    "$error('no')",
    '(function($x){ $x })',
    '( $f := function($n) { $f($n + 1) }; $f(1) )',
    '1 + "a"',
  ]) {
    const ended = await runOnce({ Make: { Type: 'Pass', Output: `{% ${expression} %}` } });
    expect(ended.error, expression).toBe('States.QueryEvaluationError');
  }
});

test('the top level has no $ and no field names', async () => {
  const ended = await runOnce({ Make: { Type: 'Pass', Output: '{% a %}' } }, { input: { a: 1 } });
  expect(ended.error).toBe('States.QueryEvaluationError');
});

test('an array from one step is the same array in the next: no sequence leaks', async () => {
  const { output } = await runOnce({
    Make: { Type: 'Pass', Output: { one: '{% [{"k": 1}].k[] %}' }, Next: 'Use' },
    Use: {
      Type: 'Pass',
      Output: { type: '{% $type($states.input.one) %}', count: '{% $count($states.input.one) %}' },
    },
  });
  expect(output).toEqual({ type: 'array', count: 1 });
});

test('Succeed may shape its output; Fail names error and cause, also by expression', async () => {
  expect((await runOnce({ End: { Type: 'Succeed', Output: '{% 1 %}' } })).output).toBe(1);
  const ended = await runOnce(
    { End: { Type: 'Fail', Error: "{% 'My' & 'Error' %}", Cause: '{% $states.input.why %}' } },
    { input: { why: 'because' } },
  );
  expect(ended).toMatchObject({ status: 'FAILED', error: 'MyError', cause: 'because' });
});

test('Wait takes seconds or a timestamp, also by expression', async () => {
  const began = Date.now();
  const at = new Date(began + 300).toISOString();
  const { status } = await runOnce(
    {
      A: { Type: 'Wait', Timestamp: '{% $states.input.at %}', Next: 'B' },
      B: { Type: 'Wait', Seconds: '{% 0 %}' },
    },
    { input: { at } },
  );
  expect(status).toBe('SUCCEEDED');
  expect(Date.now() - began).toBeGreaterThanOrEqual(299);
  const wrong = await runOnce({ A: { Type: 'Wait', Timestamp: '{% "tomorrow" %}' } });
  expect(wrong.error).toBe('States.QueryEvaluationError');
  const negative = await runOnce({ A: { Type: 'Wait', Seconds: '{% -1 %}' } });
  expect(negative.error).toBe('States.QueryEvaluationError');
});

test('lambda:invoke hands over the payload as it is', async () => {
  const { services } = await runOnce(
    { Call: invoke('arn:aws:lambda:us-east-1:000000000000:function:f', { a: '{% $states.input %}' }) },
    {
      input: [1],
      services: new Services({ 'arn:aws:lambda:us-east-1:000000000000:function:f': () => null }),
    },
  );
  expect(services.calls).toEqual([
    { name: 'arn:aws:lambda:us-east-1:000000000000:function:f', payload: { a: [1] } },
  ]);
});
