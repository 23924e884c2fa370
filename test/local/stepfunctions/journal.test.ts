/** The journal: order, batches, what a refusing disk does, and that the past is forgotten after 90 days. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeExecutionCommand, ListExecutionsCommand } from '@aws-sdk/client-sfn';
import { ClassicLevel } from 'classic-level';
import { afterEach, expect, test, vi } from 'vitest';
import { Journal } from '../../../local/stepfunctions/journal/journal.ts';
import { distributed, invoke, machine, machineArn, NamedError, Services, startRuntime } from './runtime.ts';

afterEach(() => vi.restoreAllMocks());

async function onJournal(work: (journal: Journal) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'isocenter-journal-'));
  const journal = await Journal.open(folder);
  try {
    await work(journal);
  } finally {
    await journal.close();
    await rm(folder, { recursive: true });
  }
}

test('reads see what was written before, and the last write of a key counts', () =>
  onJournal(async (journal) => {
    journal.put('a|1', 1);
    journal.put('a|1', 2);
    journal.put('a|2', 3);
    journal.remove('a|2');
    expect(await journal.get('a|1')).toBe(2);
    expect(await journal.get('a|2')).toBeUndefined();
  }));

test('a range is the entries of a prefix, either way, after a key', () =>
  onJournal(async (journal) => {
    for (const key of ['a|1', 'a|2', 'a|3', 'b|1']) journal.put(key, key);
    const read = async (options: object) => {
      const keys: string[] = [];
      for await (const [key] of journal.range('a|', options)) keys.push(key);
      return keys;
    };
    expect(await read({})).toEqual(['a|1', 'a|2', 'a|3']);
    expect(await read({ after: 'a|1', limit: 1 })).toEqual(['a|2']);
    expect(await read({ reverse: true, after: 'a|3' })).toEqual(['a|2', 'a|1']);
  }));

test('waiting for the disk does not starve under a steady stream of writes', () =>
  onJournal(async (journal) => {
    let going = true;
    const stream = (async () => {
      for (let n = 0; going; n += 1) {
        journal.put(`s|${n % 100}`, n);
        await new Promise(setImmediate);
      }
    })();
    for (let n = 0; n < 20; n += 1) {
      journal.put('w', n);
      await journal.flushed();
    }
    going = false;
    await stream;
  }));

test('when the disk refuses, executions stand still: no Catch runs, nothing is told as done', async () => {
  const lines: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((line) => {
    lines.push(String(line));
    return true;
  });
  const services = new Services({ work: () => 1, cleanUp: () => 1 });
  const catching = { Catch: [{ ErrorEquals: ['States.ALL'], Next: 'CleanUp' }] };
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-journal-'));
  const definitions = {
    m: machine({
      Pause: { Type: 'Wait', Seconds: 1, Next: 'Work' },
      Work: invoke('work', {}, { ...catching, Next: 'CleanUp' }),
      CleanUp: invoke('cleanUp', {}),
    }),
  };
  const runtime = await startRuntime(definitions, { services, dataDir });
  const arn = await runtime.start();
  const refuses = vi.spyOn(ClassicLevel.prototype, 'batch').mockImplementation((() => ({
    put: () => {},
    del: () => {},
    write: () => Promise.reject(new Error('ENOSPC: no space left on device')),
  })) as never);
  await vi.waitFor(() => expect(lines.join('')).toContain('ENOSPC'), 5000);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(services.calls).toEqual([]);
  await expect(runtime.start()).rejects.toMatchObject({ name: 'InternalFailure' });
  refuses.mockRestore();
  await runtime[Symbol.asyncDispose]();
  await using again = await startRuntime(definitions, { services, dataDir });
  expect((await again.end(arn)).status).toBe('SUCCEEDED');
  await rm(dataDir, { recursive: true });
});

test('after 90 days the name is free, and execution, history and Map Runs are gone', async () => {
  let ahead = 0;
  const now = Date.now.bind(Date);
  vi.spyOn(Date, 'now').mockImplementation(() => now() + ahead);
  const services = new Services({
    work: () => {
      throw new NamedError('Bad');
    },
  });
  const each = { Type: 'Map', Items: [1], ItemProcessor: distributed({ Work: invoke('work') }, 'STANDARD') };
  await using runtime = await startRuntime({ m: machine({ Each: each }) }, { services });
  const arn = await runtime.start({}, 'm', 'once');
  await runtime.end(arn);
  ahead = 90 * 86_400_000 - 60_000;
  await expect(runtime.start({}, 'm', 'once')).rejects.toMatchObject({ name: 'ExecutionAlreadyExists' });
  ahead += 120_000;
  await runtime.end(await runtime.start({ second: true }, 'm', 'once'));
  const told = await runtime.client.send(new DescribeExecutionCommand({ executionArn: arn }));
  expect(told.input).toBe('{"second":true}');
  const { executions } = await runtime.client.send(
    new ListExecutionsCommand({ stateMachineArn: machineArn('m') }),
  );
  expect(executions).toHaveLength(1);
});
