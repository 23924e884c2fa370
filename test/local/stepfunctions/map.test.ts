/** Rules of Map, inline and distributed. One test a rule. */

import { setTimeout as sleep } from 'node:timers/promises';
import {
  DescribeExecutionCommand,
  DescribeMapRunCommand,
  ListExecutionsCommand,
  ListMapRunsCommand,
} from '@aws-sdk/client-sfn';
import { expect, test } from 'vitest';
import {
  distributed,
  invoke,
  machine,
  NamedError,
  runOnce,
  Services,
  scope,
  startRuntime,
} from './runtime.ts';

const PASS = { Show: { Type: 'Pass' } };
const from = (key: string, inputType: string, more: object = {}) => ({
  Resource: 'arn:aws:states:::s3:getObject',
  ReaderConfig: { InputType: inputType, ...more },
  Arguments: { Bucket: 'b', Key: key },
});
const withObjects = (
  objects: Record<string, string>,
  functions: Record<string, (payload: never) => unknown> = {},
): Services => {
  const services = new Services(functions);
  for (const [path, text] of Object.entries(objects)) services.objects.set(path, text);
  return services;
};

/** Counts how many run at once. */
function gauge() {
  const seen = { now: 0, most: 0 };
  const run = async () => {
    seen.now += 1;
    seen.most = Math.max(seen.most, seen.now);
    await sleep(20);
    seen.now -= 1;
    return seen.most;
  };
  return { seen, run };
}

test('without Items the input is iterated; results are in the order of the items', async () => {
  const { output } = await runOnce(
    { Each: { Type: 'Map', ItemProcessor: scope({ Work: invoke('f') }) } },
    { input: [30, 1, 10], functions: { f: async (ms: number) => sleep(ms, ms) } },
  );
  expect(output).toEqual([30, 1, 10]);
});

test('Items that are no array are States.QueryEvaluationError', async () => {
  const ended = await runOnce({ Each: { Type: 'Map', Items: '{% "text" %}', ItemProcessor: scope(PASS) } });
  expect(ended.error).toBe('States.QueryEvaluationError');
});

test.each([
  ['INLINE', 'a number', 2],
  ['INLINE', 'an expression', '{% 2 %}'],
  ['DISTRIBUTED', 'a number', 2],
  ['DISTRIBUTED', 'an expression', '{% 2 %}'],
])('%s keeps MaxConcurrency given as %s', async (mode, _as, limit) => {
  const { seen, run } = gauge();
  const processor = mode === 'INLINE' ? scope : distributed;
  await runOnce(
    {
      Each: {
        Type: 'Map',
        Items: [1, 2, 3, 4, 5],
        MaxConcurrency: limit,
        ItemProcessor: processor({ Work: invoke('f') }),
      },
    },
    { functions: { f: run } },
  );
  expect(seen.most).toBe(2);
});

test('an inline Map runs at most 40 at once', async () => {
  const { seen, run } = gauge();
  await runOnce(
    { Each: { Type: 'Map', Items: '{% $range(1, 60, 1) %}', ItemProcessor: scope({ Work: invoke('f') }) } },
    { functions: { f: run } },
  );
  expect(seen.most).toBe(40);
});

test('a failing iteration fails the inline Map with its error', async () => {
  const ended = await runOnce({
    Each: { Type: 'Map', Items: [1, 2], ItemProcessor: scope({ Work: { Type: 'Fail', Error: 'Mine' } }) },
  });
  expect(ended.error).toBe('Mine');
});

test('no items give an empty array', async () => {
  expect((await runOnce({ Each: { Type: 'Map', Items: [], ItemProcessor: scope(PASS) } })).output).toEqual(
    [],
  );
  expect(
    (await runOnce({ Each: { Type: 'Map', Items: [], ItemProcessor: distributed(PASS) } })).output,
  ).toEqual([]);
});

test('reads a JSON array and JSON lines from S3, at most MaxItems', async () => {
  const services = withObjects({
    'b/a.json': '[{"n":1},{"n":2},{"n":3}]',
    'b/l.jsonl': '{"n":1}\r\n{"n":2}\n',
  });
  const each = (reader: object) => ({
    Each: { Type: 'Map', ItemReader: reader, ItemProcessor: distributed(PASS) },
  });
  expect((await runOnce(each(from('a.json', 'JSON')), { services })).output).toEqual([
    { n: 1 },
    { n: 2 },
    { n: 3 },
  ]);
  expect((await runOnce(each(from('l.jsonl', 'JSONL')), { services })).output).toEqual([{ n: 1 }, { n: 2 }]);
  expect(
    (await runOnce(each(from('a.json', 'JSON', { MaxItems: '{% 2 %}' })), { services })).output,
  ).toHaveLength(2);
});

test('lists objects below a prefix', async () => {
  const services = withObjects({ 'b/p/1': 'x', 'b/p/2': 'yy', 'b/q/3': 'z' });
  const { output } = await runOnce(
    {
      Each: {
        Type: 'Map',
        ItemReader: {
          Resource: 'arn:aws:states:::s3:listObjectsV2',
          Arguments: { Bucket: 'b', Prefix: '{% $states.input.prefix %}' },
        },
        ItemProcessor: distributed(PASS),
      },
    },
    { services, input: { prefix: 'p/' } },
  );
  expect(output).toEqual([
    { Etag: '"e"', Key: 'p/1', LastModified: 1767323045, Size: 1, StorageClass: 'STANDARD' },
    { Etag: '"e"', Key: 'p/2', LastModified: 1767323045, Size: 2, StorageClass: 'STANDARD' },
  ]);
});

test.each([
  ['a missing object', 'none', 'JSON'],
  ['no array', 'object.json', 'JSON'],
  ['a broken line', 'broken.jsonl', 'JSONL'],
])('%s is States.ItemReaderFailed', async (_what, key, type) => {
  const services = withObjects({ 'b/object.json': '{}', 'b/broken.jsonl': '{"n":1}\n{' });
  const ended = await runOnce(
    { Each: { Type: 'Map', ItemReader: from(key, type), ItemProcessor: distributed(PASS) } },
    { services },
  );
  expect(ended).toMatchObject({ status: 'FAILED', error: 'States.ItemReaderFailed' });
});

test('ItemSelector shapes each item before it is batched', async () => {
  const { output } = await runOnce(
    {
      Each: {
        Type: 'Map',
        Items: [1, 2, 3],
        ItemSelector: { i: '{% $states.context.Map.Item.Value %}', of: '{% $states.input.of %}' },
        ItemBatcher: { MaxItemsPerBatch: 2, BatchInput: { for: '{% $states.input.of %}' } },
        ItemProcessor: distributed(PASS),
      },
    },
    { input: { of: 'all' } },
  );
  expect(output).toEqual([
    {
      BatchInput: { for: 'all' },
      Items: [
        { i: 1, of: 'all' },
        { i: 2, of: 'all' },
      ],
    },
    { BatchInput: { for: 'all' }, Items: [{ i: 3, of: 'all' }] },
  ]);
});

test('MaxInputBytesPerBatch bounds the whole input of a child', async () => {
  const { output } = await runOnce({
    Each: {
      Type: 'Map',
      Items: ['aaaa', 'bbbb', 'cccc'],
      ItemBatcher: { MaxInputBytesPerBatch: 25 },
      ItemProcessor: distributed(PASS),
    },
  });
  // {"Items":["aaaa","bbbb"]} has 25 bytes.
  expect(output).toEqual([{ Items: ['aaaa', 'bbbb'] }, { Items: ['cccc'] }]);
});

const picky = { f: (n: number) => (n % 2 === 0 ? n : Promise.reject(new NamedError('Odd', 'not even'))) };

test('one failed child is too many when nothing is tolerated', async () => {
  const ended = await runOnce(
    { Each: { Type: 'Map', Items: [2, 3, 4], ItemProcessor: distributed({ Work: invoke('f') }) } },
    { functions: picky },
  );
  expect(ended).toMatchObject({ status: 'FAILED', error: 'States.ExceedToleratedFailureThreshold' });
});

test.each([
  ['ToleratedFailureCount', 2, 'SUCCEEDED'],
  ['ToleratedFailureCount', 1, 'FAILED'],
  ['ToleratedFailureCount', '{% 2 %}', 'SUCCEEDED'],
  ['ToleratedFailurePercentage', 50, 'SUCCEEDED'],
  ['ToleratedFailurePercentage', 49, 'FAILED'],
  ['ToleratedFailurePercentage', 100, 'SUCCEEDED'],
])('%s %s with half of 4 items failing: %s', async (field, value, status) => {
  const ended = await runOnce(
    {
      Each: {
        Type: 'Map',
        Items: [1, 2, 3, 4],
        [field]: value,
        ItemProcessor: distributed({ Work: invoke('f') }),
      },
    },
    { functions: picky },
  );
  expect(ended.status).toBe(status);
});

test('a tolerated failure is in the result with its error', async () => {
  const { output } = await runOnce(
    {
      Each: {
        Type: 'Map',
        Items: [1, 2],
        ToleratedFailureCount: 1,
        ItemProcessor: distributed({ Work: invoke('f') }),
      },
    },
    { functions: picky },
  );
  expect(output).toEqual([
    expect.objectContaining({ Status: 'FAILED', Error: 'Odd', Cause: 'not even', Input: '1' }),
    2,
  ]);
});

test('ResultWriter writes succeeded and failed children and a manifest', async () => {
  const services = new Services(picky);
  const { output } = await runOnce(
    {
      Each: {
        Type: 'Map',
        Items: [1, 2, 4],
        ToleratedFailurePercentage: 100,
        ItemProcessor: distributed({ Work: invoke('f') }),
        ResultWriter: {
          Resource: 'arn:aws:states:::s3:putObject',
          Arguments: { Bucket: 'out', Prefix: 'runs' },
        },
      },
    },
    { services },
  );
  const { MapRunArn: arn, ResultWriterDetails: where } = output as {
    MapRunArn: string;
    ResultWriterDetails: { Bucket: string; Key: string };
  };
  const id = arn.split(':').at(-1);
  expect(where).toEqual({ Bucket: 'out', Key: `runs/${id}/manifest.json` });
  const read = (key: string) => JSON.parse(services.objects.get(`out/${key}`) ?? 'null');
  const manifest = read(where.Key);
  expect(manifest).toMatchObject({ DestinationBucket: 'out', MapRunArn: arn, ResultFiles: { PENDING: [] } });
  const [succeeded] = manifest.ResultFiles.SUCCEEDED;
  expect(succeeded.Size).toBe(services.objects.get(`out/${succeeded.Key}`)?.length);
  expect(read(succeeded.Key)).toMatchObject([
    { Input: '2', Output: '2', Status: 'SUCCEEDED' },
    { Input: '4', Output: '4' },
  ]);
  expect(read(manifest.ResultFiles.FAILED[0].Key)).toMatchObject([
    { Input: '1', Error: 'Odd', Status: 'FAILED' },
  ]);
});

test('WriterConfig shapes results: COMPACT, FLATTEN, JSON lines', async () => {
  const services = new Services();
  const writer = (config: object, more: object = {}) => ({
    Each: {
      Type: 'Map',
      Items: [[1], [2, 3]],
      ItemProcessor: distributed(PASS),
      ResultWriter: { WriterConfig: config, ...more },
    },
  });
  const shaped = async (Transformation: string) =>
    (await runOnce(writer({ Transformation, OutputType: 'JSON' }))).output;
  expect(await shaped('COMPACT')).toEqual([[1], [2, 3]]);
  expect(await shaped('FLATTEN')).toEqual([1, 2, 3]);
  expect(await shaped('NONE')).toMatchObject([{ Output: '[1]' }, { Output: '[2,3]' }]);
  const s3 = { Resource: 'arn:aws:states:::s3:putObject', Arguments: { Bucket: 'out' } };
  await runOnce(writer({ Transformation: 'COMPACT', OutputType: 'JSONL' }, s3), { services });
  const lines = [...services.objects].find(([path]) => path.endsWith('SUCCEEDED_0.jsonl'));
  expect(lines?.[1]).toBe('[1]\n[2,3]\n');
});

test.each(['EXPRESS', 'STANDARD'])(
  'a Map Run with %s children is listed, described and counted',
  async (type) => {
    const services = new Services(picky);
    await using runtime = await startRuntime(
      {
        m: machine({
          Each: {
            Type: 'Map',
            Label: 'Evens',
            Items: [1, 2, 3, 4, 6],
            ToleratedFailurePercentage: 100,
            ItemBatcher: { MaxItemsPerBatch: 1 },
            ItemProcessor: distributed({ Work: invoke('f', '{% $states.input.Items[0] %}') }, type),
          },
        }),
      },
      { services },
    );
    const { executionArn } = await runtime.run();
    const { mapRuns = [] } = await runtime.client.send(new ListMapRunsCommand({ executionArn }));
    expect(mapRuns).toHaveLength(1);
    const mapRunArn = mapRuns[0]?.mapRunArn as string;
    expect(mapRunArn).toMatch(/:mapRun:m\/Evens:/);
    const run = await runtime.client.send(new DescribeMapRunCommand({ mapRunArn }));
    expect(run).toMatchObject({
      status: 'SUCCEEDED',
      maxConcurrency: 10_000,
      toleratedFailurePercentage: 100,
      itemCounts: { total: 5, succeeded: 3, failed: 2, pending: 0, running: 0 },
      executionCounts: { total: 5, succeeded: 3, failed: 2 },
    });
    const { executions = [] } = await runtime.client.send(
      new ListExecutionsCommand({ mapRunArn, statusFilter: 'FAILED' }),
    );
    expect(executions).toHaveLength(2);
    const child = await runtime.client.send(
      new DescribeExecutionCommand({ executionArn: executions[0]?.executionArn }),
    );
    expect(child).toMatchObject({ status: 'FAILED', error: 'Odd', mapRunArn, input: '{"Items":[3]}' });
  },
);

test('counts of a running Map Run are live', async () => {
  const { run } = gauge();
  const services = new Services({ f: run });
  await using runtime = await startRuntime(
    {
      m: machine({
        Each: {
          Type: 'Map',
          Items: '{% $range(1, 40, 1) %}',
          MaxConcurrency: 4,
          ItemProcessor: distributed({ Work: invoke('f') }),
        },
      }),
    },
    { services },
  );
  const executionArn = await runtime.start();
  while (services.calls.length < 12) await sleep(5);
  const { mapRuns = [] } = await runtime.client.send(new ListMapRunsCommand({ executionArn }));
  const { itemCounts, status } = await runtime.client.send(
    new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }),
  );
  expect(status).toBe('RUNNING');
  expect(itemCounts?.total).toBe(40);
  expect(itemCounts?.succeeded).toBeGreaterThanOrEqual(8);
  expect((itemCounts?.running ?? 0) <= 4 && (itemCounts?.pending ?? 0) > 0).toBe(true);
  await runtime.end(executionArn);
});

test('only STANDARD children have a history', async () => {
  const services = new Services({ f: () => 1 });
  await using runtime = await startRuntime(
    {
      m: machine({
        Each: { Type: 'Map', Items: [1], ItemProcessor: distributed({ Work: invoke('f') }, 'STANDARD') },
      }),
    },
    { services },
  );
  const { executionArn } = await runtime.run();
  const { mapRuns = [] } = await runtime.client.send(new ListMapRunsCommand({ executionArn }));
  const { executions = [] } = await runtime.client.send(
    new ListExecutionsCommand({ mapRunArn: mapRuns[0]?.mapRunArn }),
  );
  expect(await runtime.eventTypes(executions[0]?.executionArn as string)).toEqual([
    'ExecutionStarted',
    'TaskStateEntered',
    'TaskScheduled',
    'TaskStarted',
    'TaskSucceeded',
    'TaskStateExited',
    'ExecutionSucceeded',
  ]);
  expect(await runtime.eventTypes(executionArn)).toEqual([
    'ExecutionStarted',
    'MapStateEntered',
    'MapStateStarted',
    'MapRunStarted',
    'MapRunSucceeded',
    'MapStateSucceeded',
    'MapStateExited',
    'ExecutionSucceeded',
  ]);
});

test('children still running when too many have failed are aborted', async () => {
  let aborted = 0;
  const services = new Services({
    f: (n: number, { signal }: { signal: AbortSignal } = { signal: AbortSignal.abort() }) =>
      n === 1
        ? sleep(30).then(() => Promise.reject(new NamedError('Odd')))
        : new Promise((_resolve, reject) => {
            signal.addEventListener('abort', () => {
              aborted += 1;
              reject(new Error('aborted'));
            });
          }),
  });
  await using runtime = await startRuntime(
    {
      m: machine({
        Each: {
          Type: 'Map',
          Items: [1, 2, 3, 4],
          MaxConcurrency: 3,
          ItemProcessor: distributed({ Work: invoke('f') }),
        },
      }),
    },
    { services },
  );
  const { executionArn, error } = await runtime.run();
  expect(error).toBe('States.ExceedToleratedFailureThreshold');
  expect(aborted).toBe(2);
  const { mapRuns = [] } = await runtime.client.send(new ListMapRunsCommand({ executionArn }));
  const run = await runtime.client.send(new DescribeMapRunCommand({ mapRunArn: mapRuns[0]?.mapRunArn }));
  expect(run).toMatchObject({
    status: 'FAILED',
    itemCounts: { failed: 1, aborted: 2, pending: 1, total: 4 },
  });
});
