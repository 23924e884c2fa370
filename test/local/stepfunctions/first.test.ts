import { expect, test } from 'vitest';
import { distributed, invoke, NamedError, runOnce, Services, scope } from './runtime.ts';

test('walks task, choice, wait and inline map to an output', async () => {
  const { status, output, error, cause } = await runOnce(
    {
      Add: invoke(
        'add',
        { a: '{% $states.input.a %}', b: 2 },
        { Assign: { sum: '{% $states.result.Payload.sum %}' }, Next: 'IsBig' },
      ),
      IsBig: { Type: 'Choice', Choices: [{ Condition: '{% $sum > 2 %}', Next: 'Each' }], Default: 'Small' },
      Small: { Type: 'Fail', Error: 'Small' },
      Each: {
        Type: 'Map',
        Items: '{% [1..$sum] %}',
        ItemProcessor: scope({ Twice: { Type: 'Pass', Output: '{% $states.input * 2 + $sum %}' } }),
        Next: 'Rest',
      },
      Rest: { Type: 'Wait', Seconds: 0 },
    },
    { input: { a: 1 }, functions: { add: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }) } },
  );
  expect({ status, output, error, cause }).toMatchObject({ status: 'SUCCEEDED', output: [5, 7, 9] });
});

test('runs a distributed map over S3 lines with express children', async () => {
  const services = new Services({ work: ({ n }: { n: number }) => n * 10 });
  services.objects.set('b/list.jsonl', '{"n":1}\n{"n":2}\n\n{"n":3}');
  const { status, output, cause } = await runOnce(
    {
      Each: {
        Type: 'Map',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:getObject',
          ReaderConfig: { InputType: 'JSONL' },
          Arguments: { Bucket: 'b', Key: '{% $states.input.key %}' },
        },
        ItemProcessor: distributed({ Work: invoke('work') }),
      },
    },
    { input: { key: 'list.jsonl' }, services },
  );
  expect({ status, output, cause }).toMatchObject({ status: 'SUCCEEDED', output: [10, 20, 30] });
});

test('retries, then catches with the error output', async () => {
  let tries = 0;
  const { output } = await runOnce(
    {
      Try: invoke(
        'fails',
        {},
        {
          Retry: [{ ErrorEquals: ['Busy'], IntervalSeconds: 1, MaxAttempts: 1 }],
          Catch: [{ ErrorEquals: ['States.ALL'], Next: 'After', Output: '{% $states.errorOutput %}' }],
        },
      ),
      After: { Type: 'Pass' },
    },
    {
      functions: {
        fails: () => {
          tries += 1;
          throw new NamedError('Busy', 'come back');
        },
      },
    },
  );
  expect(tries).toBe(2);
  expect(output).toEqual({ Error: 'Busy', Cause: 'come back' });
});
