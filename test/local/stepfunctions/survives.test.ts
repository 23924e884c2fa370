/** Executions survive kill -9 at any moment: what was finished is not run again, what ran is, and nothing is lost. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Journal } from '../../../local/stepfunctions/journal/journal.ts';
import { clientOf, endOf, invoke, machine, Services, startRuntime } from './runtime.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const program = join(root, '.cache', `killed-process-${process.pid}.mjs`);
const CHILDREN = 60;
const CONCURRENCY = 4;

beforeAll(async () => {
  await build({
    entryPoints: [join(root, 'test/local/stepfunctions/killed-process.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    outfile: program,
    logLevel: 'error',
  });
});
afterAll(() => rm(program, { force: true }));

async function startProcess(dataDir: string, log: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [program, dataDir, log], { stdio: ['ignore', 'pipe', 'inherit'] });
  const url = await new Promise<string>((resolve, reject) => {
    child.stdout?.once('data', (data: Buffer) => resolve(data.toString().trim()));
    child.once('exit', (code, signal) => reject(new Error(`the process ended: ${code ?? signal}`)));
  });
  return { child, url };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await gone;
}

test('goes on after kill -9 at random moments, and repeats only what was running', {
  timeout: 60_000,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-sfn-kill-'));
  const log = join(dataDir, 'log');
  await writeFile(log, '');
  const pauses = Array.from({ length: 6 }, () => Math.round(Math.random() * 400));
  console.log(`killed after ${pauses.join(', ')} ms`);
  for (const pause of pauses) {
    const { child } = await startProcess(dataDir, log);
    await sleep(pause);
    await kill(child);
  }
  const { child, url } = await startProcess(dataDir, log);
  const client = clientOf(url);
  const ended = await endOf(client, 'arn:aws:states:us-east-1:000000000000:execution:m:x');
  client.destroy();
  await kill(child);
  const sum = (CHILDREN * (CHILDREN + 1)) / 2;
  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: ['first', sum, sum, 'nested'] });
  const lines = (await readFile(log, 'utf8')).trim().split('\n');
  const begun = (of: RegExp) => lines.filter((line) => of.test(line)).length;
  for (const kind of ['express', 'standard']) {
    const repeated = begun(new RegExp(`^begin ${kind}`)) - CHILDREN;
    expect(repeated, `${kind} children run again`).toBeLessThanOrEqual(pauses.length * CONCURRENCY);
    expect(new Set(lines.filter((line) => line.startsWith(`end ${kind}`))).size).toBe(CHILDREN);
  }
  const order = ['first', 'express', 'second', 'standard', 'branch', 'nested'];
  const firstOf = order.map((of) => lines.findIndex((line) => line.startsWith(`begin ${of}`)));
  const lastOf = order.map((of) => lines.findLastIndex((line) => line.startsWith(`begin ${of}`)));
  for (let index = 1; index < order.length; index += 1) {
    expect(lastOf[index - 1], `${order[index - 1]} after ${order[index]}`).toBeLessThan(firstOf[index] ?? 0);
  }
  await rm(dataDir, { recursive: true });
});

test('an execution that was acknowledged is there after kill -9 right away', {
  timeout: 120_000,
}, async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-sfn-kill-'));
  const log = join(dataDir, 'log');
  const { child } = await startProcess(dataDir, log);
  await kill(child);
  const again = await startProcess(dataDir, log);
  const client = clientOf(again.url);
  const ended = await endOf(client, 'arn:aws:states:us-east-1:000000000000:execution:m:x');
  client.destroy();
  await kill(again.child);
  expect(ended.status).toBe('SUCCEEDED');
  await rm(dataDir, { recursive: true });
});

test('close leaves executions running for the next start, retries and waits included', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-sfn-close-'));
  const definitions = {
    m: machine({
      Pause: { Type: 'Wait', Seconds: 1, Next: 'Work' },
      Work: invoke('work', {}),
    }),
  };
  const first = await startRuntime(definitions, { dataDir });
  const began = Date.now();
  const arn = await first.start();
  await first[Symbol.asyncDispose]();
  const services = new Services({ work: () => 'done' });
  await using second = await startRuntime(definitions, { dataDir, services });
  const ended = await second.end(arn);
  expect(ended).toMatchObject({ status: 'SUCCEEDED', output: 'done' });
  expect(Date.now() - began).toBeGreaterThanOrEqual(990);
  expect(await second.eventTypes(arn)).toEqual([
    'ExecutionStarted',
    'WaitStateEntered',
    'WaitStateExited',
    'TaskStateEntered',
    'TaskScheduled',
    'TaskStarted',
    'TaskSucceeded',
    'TaskStateExited',
    'ExecutionSucceeded',
  ]);
  await rm(dataDir, { recursive: true });
});

test('a second process on the same folder is refused', async () => {
  await using runtime = await startRuntime({ m: machine({ Only: { Type: 'Pass' } }) });
  await expect(
    startRuntime({ m: machine({ Only: { Type: 'Pass' } }) }, { dataDir: runtime.dataDir }),
  ).rejects.toThrow('another process uses it');
});

test('an execution whose definition this version cannot load fails, and the runtime starts all the same', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'isocenter-sfn-old-'));
  const definitions = { m: machine({ Pause: { Type: 'Wait', Seconds: 60 } }) };
  const first = await startRuntime(definitions, { dataDir });
  const arn = await first.start();
  await first[Symbol.asyncDispose]();
  const journal = await Journal.open(join(dataDir, 'stepfunctions'));
  for (const key of await journal.keys('d|')) journal.put(key, { QueryLanguage: 'JSONata', Former: true });
  await journal.close();
  await using second = await startRuntime({ m: machine({ Only: { Type: 'Pass' } }) }, { dataDir });
  const ended = await second.end(arn);
  expect(ended).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
  expect(ended.cause).toContain('$.Former: unknown or unsupported field');
  await rm(dataDir, { recursive: true });
});
