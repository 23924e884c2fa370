import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  type FunctionHost,
  type InvocationReport,
  startFunctionHost,
} from '../../../local/world/function-host.ts';

/** For machines that do much else. */
const PATIENCE = { timeout: 20_000 };

const SOURCE = `
let calls = 0;
export const handler = async (event, context) => {
  calls++;
  if (event.say) console.log(event.say);
  if (event.throw) { const e = new Error(event.throw); e.name = 'Throttled'; throw e; }
  if (event.throwText) throw 'just a text';
  if (event.loop) for (;;) {}
  if (event.exit) process.exit(3);
  if (event.reject) { Promise.reject(new Error('nobody waits')); await new Promise((r) => setTimeout(r, 1000)); }
  if (event.ms) await new Promise((r) => setTimeout(r, event.ms));
  if (event.bytes) return 'x'.repeat(event.bytes);
  if (event.nothing) return undefined;
  return { calls, env: process.env.WHO, path: process.env.PATH, remaining: context.getRemainingTimeInMillis(), name: context.functionName };
};
`;
let folder: string;
let host: FunctionHost;
const reports: InvocationReport[] = [];
let printed = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'isocenter-host-'));
  await writeFile(join(folder, 'index.mjs'), SOURCE);
  await writeFile(join(folder, 'broken.mjs'), "import 'no-such-package';");
});
afterAll(() => rm(folder, { recursive: true, force: true }));
afterEach(() => host.close());

function start(
  more: { timeoutSeconds?: number; concurrency?: number; module?: string; exportName?: string } = {},
) {
  reports.length = 0;
  printed = '';
  host = startFunctionHost({
    functions: [
      {
        name: 'f',
        arn: 'arn:aws:lambda:us-east-1:000000000000:function:f',
        modulePath: join(folder, more.module ?? 'index.mjs'),
        exportName: more.exportName ?? 'handler',
        timeoutSeconds: more.timeoutSeconds ?? 10,
        memoryMB: 128,
        env: { WHO: 'me' },
      },
    ],
    ...(more.concurrency ? { concurrency: more.concurrency } : {}),
    onReport: (report) => reports.push(report),
    onOutput: (_name, text) => {
      printed += text;
    },
  });
}

describe('the function host', () => {
  it('gives a function its own environment, a context, and uses it again while it is warm', async () => {
    start();
    const first = (await host.invoke('f', {})) as Record<string, unknown>;
    const second = (await host.invoke('arn:aws:lambda:us-east-1:000000000000:function:f', {})) as Record<
      string,
      unknown
    >;
    expect(first).toMatchObject({ calls: 1, env: 'me', name: 'f' });
    expect(first.path).toBeUndefined();
    expect(first.remaining).toBeGreaterThan(5000);
    expect(second.calls).toBe(2);
    expect(reports.map(({ cold }) => cold)).toEqual([true, false]);
    expect(reports[0]!.usedMB).toBeGreaterThan(0);
  });

  it('has loaded what it was asked to warm', async () => {
    start();
    await host.warm();
    await host.invoke('f', {});
    expect(reports.map(({ cold }) => cold)).toEqual([false]);
  });

  it.each([
    ['an error by its name', { throw: 'slow down' }, 'Throttled', 'slow down'],
    ['a thrown text', { throwText: true }, 'string', 'just a text'],
    ['an exit', { exit: true }, 'Runtime.ExitError', 'exit status 3'],
    ['a rejection that nobody waits for', { reject: true }, 'Runtime.ExitError', 'exit status'],
  ])('tells %s as Lambda does, and goes on', async (_name, event, errorType, message) => {
    start();
    const error = await host.invoke('f', event).catch((e: Error) => e);
    expect(error).toMatchObject({ name: errorType });
    expect(JSON.parse((error as Error).message)).toMatchObject({
      errorType,
      errorMessage: expect.stringContaining(message),
    });
    expect(await host.invoke('f', {})).toMatchObject({ env: 'me' });
  });

  it('ends a function that runs longer than its timeout, even one that never yields', async () => {
    start({ timeoutSeconds: 0.5 });
    await expect(host.invoke('f', { loop: true })).rejects.toMatchObject({ name: 'Sandbox.Timedout' });
    expect(await host.invoke('f', {})).toMatchObject({ calls: 1 });
  });

  it('refuses requests and answers over 6 MB', async () => {
    start();
    await expect(host.invoke('f', { x: 'x'.repeat(6_400_000) })).rejects.toMatchObject({
      name: 'Lambda.RequestTooLargeException',
    });
    await expect(host.invoke('f', { bytes: 6_400_000 })).rejects.toMatchObject({
      name: 'Function.ResponseSizeTooLarge',
    });
    expect(await host.invoke('f', { bytes: 6_000_000 })).toHaveLength(6_000_000);
    expect(await host.invoke('f', { nothing: true })).toBeNull();
  });

  it('runs so many at a time, each in an environment of its own', async () => {
    start({ concurrency: 2 });
    const started = performance.now();
    await Promise.all([1, 2, 3, 4].map(() => host.invoke('f', { ms: 300 })));
    expect(performance.now() - started).toBeGreaterThan(590);
    expect(reports.filter(({ cold }) => cold)).toHaveLength(2);
  });

  it('tells a module that does not load and a handler that is not there', async () => {
    start({ module: 'broken.mjs' });
    await expect(host.invoke('f', {})).rejects.toThrow(/no-such-package/);
    await host.close();
    start({ exportName: 'nope' });
    await expect(host.invoke('f', {})).rejects.toMatchObject({ name: 'Runtime.HandlerNotFound' });
  });

  it('hands over what a function prints, and knows no function that is not there', async () => {
    start();
    await host.invoke('f', { say: 'hello from inside' });
    await expect.poll(() => printed, PATIENCE).toContain('hello from inside');
    await expect(host.invoke('g', {})).rejects.toMatchObject({ name: 'Lambda.ResourceNotFoundException' });
  });

  it('stops waiting when the caller gives up, and lets the function finish', async () => {
    start();
    const controller = new AbortController();
    const waiting = host.invoke('f', { ms: 200 }, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect.poll(() => reports.length, PATIENCE).toBe(1);
    expect(reports[0]!.error).toBeUndefined();
  });
});
