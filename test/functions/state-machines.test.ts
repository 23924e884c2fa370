/** The state machines against the code: functions that exist, errors that exist, every task guarded. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { ERROR_NAMES } from '../../shared/ingest/quiet-errors.ts';

const require = createRequire(import.meta.url);
const root = new URL('../../', import.meta.url);

interface State {
  readonly Type: string;
  readonly Comment?: string;
  readonly TimeoutSeconds?: number | string;
  readonly Arguments?: { readonly FunctionName?: string };
  readonly Retry?: readonly { readonly ErrorEquals: readonly string[]; readonly JitterStrategy?: string }[];
  readonly Catch?: readonly unknown[];
  readonly ItemProcessor?: { readonly States: Readonly<Record<string, State>> };
}
interface Machine {
  readonly Comment: string;
  readonly States: Readonly<Record<string, State>>;
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`statemachines/${name}`, root), 'utf8')) as Machine;
const names = readdirSync(new URL('statemachines/', root));

const allStates = (states: Readonly<Record<string, State>>): [string, State][] =>
  Object.entries(states).flatMap(([name, state]) => [
    [name, state] as [string, State],
    ...allStates(state.ItemProcessor?.States ?? {}),
  ]);

const kebab = (name: string) => name.replace(/(?!^)([A-Z])/g, '-$1').toLowerCase();

describe.each(names)('%s', (name) => {
  const machine = read(name);
  const states = allStates(machine.States);

  it('is valid Amazon States Language', () => {
    const validate = require('asl-validator') as (d: unknown) => { isValid: boolean; errorsText(): string };
    const result = validate(machine);
    expect(result.isValid, result.errorsText()).toBe(true);
  });

  it('tells in each state why it is there', () => {
    for (const [state, { Comment }] of states) expect(Comment, state).toBeTruthy();
  });

  it('gives every task a timeout and named retries with jitter', () => {
    for (const [state, { Type, TimeoutSeconds, Retry }] of states) {
      if (Type !== 'Task') continue;
      if (typeof TimeoutSeconds === 'string') expect(TimeoutSeconds, state).toMatch(/^\{% .+ %\}$/);
      else expect(TimeoutSeconds, state).toBeGreaterThan(0);
      expect(Retry?.length, state).toBeGreaterThan(0);
      for (const retry of Retry ?? []) {
        expect(retry.ErrorEquals, state).not.toContain('States.ALL');
        expect(retry.JitterStrategy, state).toBe('FULL');
      }
    }
  });

  it('invokes functions that are files', () => {
    for (const [state, { Arguments }] of states) {
      const fn = /^\$\{(\w+)FunctionArn\}$/.exec(Arguments?.FunctionName ?? '')?.[1];
      if (fn)
        expect(
          readFileSync(new URL(`functions/${kebab(fn)}.ts`, root), 'utf8').length,
          state,
        ).toBeGreaterThan(0);
    }
  });

  it('retries errors that the code can throw', () => {
    const own = states
      .flatMap(([, { Retry }]) => Retry ?? [])
      .flatMap(({ ErrorEquals }) => ErrorEquals)
      .filter((error) => !error.includes('.'));
    for (const error of own) expect(ERROR_NAMES).toContain(error);
  });
});
