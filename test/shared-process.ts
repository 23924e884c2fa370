/** Test files share the process of their worker, and with it what they import: each leaves that process as it found it. */
import { afterAll, expect } from 'vitest';

/** What a file could change under the next one, by name. */
function state(): Map<string, unknown> {
  const globals = Object.getOwnPropertyNames(globalThis).filter((name) => !name.startsWith('_'));
  return new Map<string, unknown>([
    ...globals.map((name) => [`global ${name}`, Reflect.get(globalThis, name)] as const),
    ...Object.entries(process.env).map(([name, value]) => [`environment ${name}`, value] as const),
    ...process
      .eventNames()
      .map((name) => [`listeners ${String(name)}`, process.listenerCount(name)] as const),
    ['Date.now', Date.now],
    ['Math.random', Math.random],
    ['working directory', process.cwd()],
    ['effective user', process.geteuid?.()],
    ['exit code', process.exitCode],
  ]);
}

const found = state();
afterAll(() => {
  const left = state();
  // A package that is loaded for the first time may bring a global of its own; it changes none.
  const names = [...new Set([...found.keys(), ...left.keys()])].filter(
    (name) => found.has(name) || !name.startsWith('global '),
  );
  // Names alone: values of the environment do not belong into a log.
  const changed = names.filter((name) => !Object.is(found.get(name), left.get(name)));
  expect(changed, 'left changed for the files after this one').toEqual([]);
});
