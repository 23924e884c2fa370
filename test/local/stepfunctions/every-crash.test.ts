/**
 * A crash after every single batch of an execution: from each such disk the execution ends the same, and no state whose
 * end is on it runs again.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ClassicLevel } from 'classic-level';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import {
  distributed,
  invoke,
  machine,
  machineArn,
  NamedError,
  Services,
  scope,
  startRuntime,
} from './runtime.ts';

type Change = readonly [key: string, value: string | undefined];

/** Copies each batch that the journal writes. */
function recordBatches(): Change[][] {
  const batches: Change[][] = [];
  const original = ClassicLevel.prototype.batch as () => ReturnType<ClassicLevel['batch']>;
  vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation(function (this: ClassicLevel) {
    const chain = original.call(this);
    const changes: Change[] = [];
    return {
      put: (key: string, value: string) => {
        changes.push([key, value]);
        chain.put(key, value);
      },
      del: (key: string) => {
        changes.push([key, undefined]);
        chain.del(key);
      },
      write: async (options: object) => {
        await chain.write(options);
        batches.push(changes);
      },
    };
  } as never);
  return batches;
}

/** A disk as it was after the first `count` batches. */
async function diskAfter(batches: readonly Change[][], count: number): Promise<string> {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-sfn-crash-'));
  await mkdir(join(dataDir, 'stepfunctions'));
  const level = new ClassicLevel<string, string>(join(dataDir, 'stepfunctions'));
  for (const changes of batches.slice(0, count)) {
    await level.batch(
      changes.map(([key, value]) =>
        value === undefined ? { type: 'del', key } : { type: 'put', key, value },
      ),
    );
  }
  await level.close();
  return dataDir;
}

/** Tasks whose end is on that disk: of states by their history, of children by their Map Run's record of them. */
function endedTasks(batches: readonly Change[][], count: number): Set<string> {
  const ended = new Set<string>();
  const inputs = new Map<string, string>();
  for (const [key, value] of batches.slice(0, count).flat()) {
    if (value === undefined) continue;
    const record = JSON.parse(value) as {
      type?: string;
      status?: string;
      stateExitedEventDetails?: { name: string };
      input?: string;
    };
    if (record.type === 'TaskStateExited') ended.add(record.stateExitedEventDetails?.name ?? '');
    if (key.startsWith('i|')) inputs.set(key.slice(2), record.input ?? '');
    if (key.startsWith('c|') && record.status === 'SUCCEEDED') ended.add(`child ${inputs.get(key.slice(2))}`);
  }
  return ended;
}

const call = (name: string, more: object = {}) => invoke('f', name, { Output: name, ...more });
const each = (executionType: string, prefix: string) => ({
  Type: 'Map',
  Items: [1, 2, 3],
  ItemSelector: `{% '${prefix}' & $states.context.Map.Item.Value %}`,
  MaxConcurrency: 2,
  ItemProcessor: distributed(
    {
      [`Child${prefix}`]: invoke('child', '{% $states.input %}', {
        Output: '{% $states.input %}',
        Next: `More${prefix}`,
      }),
      [`More${prefix}`]: { Type: 'Pass' },
    },
    executionType,
  ),
});

const definitions = {
  m: machine({
    A: call('A', { Assign: { a: 1 }, Next: 'Both' }),
    Both: {
      Type: 'Parallel',
      Branches: [
        scope({ B: call('B', { Next: 'C' }), C: call('C') }),
        scope({ Skip: { Type: 'Pass', Next: 'D' }, D: call('D') }),
      ],
      Assign: { both: '{% $states.result %}' },
      Next: 'Inline',
    },
    Inline: {
      Type: 'Map',
      Items: [1, 2],
      ItemProcessor: scope({ Each: { Type: 'Pass', Output: '{% $states.input + $a %}' } }),
      Assign: { inline: '{% $states.result %}' },
      Next: 'Express',
    },
    Express: { ...each('EXPRESS', 'e'), Assign: { express: '{% $states.result %}' }, Next: 'Standard' },
    Standard: { ...each('STANDARD', 's'), Assign: { standard: '{% $states.result %}' }, Next: 'Caught' },
    Caught: invoke('fails', 'Caught', {
      Catch: [
        { ErrorEquals: ['Mine'], Next: 'Nested', Assign: { caught: '{% $states.errorOutput.Error %}' } },
      ],
    }),
    Nested: {
      Type: 'Task',
      Resource: 'arn:aws:states:::states:startExecution.sync:2',
      Arguments: { StateMachineArn: machineArn('inner') },
      Output: [
        '{% $a %}',
        '{% $both %}',
        '{% $inline %}',
        '{% $express %}',
        '{% $standard %}',
        '{% $caught %}',
        '{% $states.result.Output %}',
      ],
    },
  }),
  inner: machine({ Inner: call('Inner') }),
};
const OUTPUT = [1, ['C', 'D'], [2, 3], ['e1', 'e2', 'e3'], ['s1', 's2', 's3'], 'Mine', 'Inner'];

const services = () =>
  new Services({
    f: () => sleep(Math.random() * 4),
    child: () => sleep(Math.random() * 4),
    fails: () => {
      throw new NamedError('Mine');
    },
  });

const ARN = 'arn:aws:states:us-east-1:000000000000:execution:m:x';
let batches: Change[][];
beforeAll(async () => {
  const recorded = recordBatches();
  {
    await using runtime = await startRuntime(definitions, { services: services() });
    const ended = await runtime.end(await runtime.start({}, 'm', 'x'));
    expect(ended).toMatchObject({ status: 'SUCCEEDED', output: OUTPUT });
  }
  batches = [...recorded];
  vi.restoreAllMocks();
});
afterAll(() => vi.restoreAllMocks());

test('from every disk between the first batch and the last the execution ends the same', {
  timeout: 120_000,
}, async () => {
  const acknowledged = batches.findIndex((changes) => changes.some(([key]) => key === 'e|m:x')) + 1;
  console.log(`${batches.length} batches, started in number ${acknowledged}`);
  for (let count = acknowledged; count <= batches.length; count += 1) {
    const dataDir = await diskAfter(batches, count);
    const again = services();
    {
      await using runtime = await startRuntime(definitions, { services: again, dataDir });
      const ended = await runtime.end(ARN);
      expect(ended, `after batch ${count}`).toMatchObject({ status: 'SUCCEEDED', output: OUTPUT });
    }
    const done = endedTasks(batches, count);
    const repeated = again.calls
      .map(({ name, payload }) => (name === 'child' ? `child ${JSON.stringify(payload)}` : String(payload)))
      .filter((task) => done.has(task));
    expect(repeated, `run again after batch ${count}`).toEqual([]);
    await rm(dataDir, { recursive: true });
  }
});
