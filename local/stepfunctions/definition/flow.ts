/** Checks over a whole scope: transitions lead somewhere, every state is reached, variables exist and do not clash. */
import type { Template } from '../evaluate/template.ts';
import { isSync } from './fields.ts';
import type { Leaving, Scope, State } from './model.ts';
import type { Problems } from './problems.ts';

/** Every state that a state can go to. */
function targets(state: State): string[] {
  const chosen =
    state.type === 'Choice' ? [...state.choices.map((choice) => choice.next), state.default] : [];
  return [state.next, ...chosen, ...state.catch.map((catcher) => catcher.next)].filter(
    (name) => name !== undefined,
  );
}

/** Adds a problem for each transition to nowhere and each state that nothing leads to. */
export function checkTransitions(scope: Scope, path: string, problems: Problems): void {
  if (scope.startAt !== '' && !scope.states.has(scope.startAt)) {
    problems.add(`${path}.StartAt`, `there is no state ${scope.startAt} in this scope`);
  }
  const reached = new Set<string>();
  const queue = [scope.startAt];
  for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
    const state = scope.states.get(name);
    if (!state || reached.has(name)) continue;
    reached.add(name);
    queue.push(...targets(state));
  }
  for (const state of scope.states.values()) {
    const at = `${path}.States.${state.name}`;
    for (const target of targets(state)) {
      if (!scope.states.has(target)) problems.add(at, `there is no state ${target} in this scope`);
    }
    if (!reached.has(state.name)) problems.add(at, 'nothing leads to this state');
  }
}

/** The scopes inside a state, and whether they see the variables around it. */
function innerScopes(state: State): { scope: Scope; at: string; seesOuter: boolean }[] {
  if (state.type === 'Parallel') {
    return state.branches.map((scope, index) => ({ scope, at: `Branches[${index}]`, seesOuter: true }));
  }
  if (state.type !== 'Map') return [];
  return [{ scope: state.processor, at: 'ItemProcessor', seesOuter: state.mode === 'INLINE' }];
}

/**
 * Adds a problem for each thing that EXPRESS executions cannot do: wait for a job, or run a Distributed Map. `type` is that
 * of the machine or of the children around.
 */
export function checkExpress(
  scope: Scope,
  path: string,
  problems: Problems,
  type: 'STANDARD' | 'EXPRESS',
): void {
  for (const state of scope.states.values()) {
    const at = `${path}.States.${state.name}`;
    const isDistributed = state.type === 'Map' && state.mode === 'DISTRIBUTED';
    if (type === 'EXPRESS' && isDistributed) problems.add(at, 'no Distributed Map in an EXPRESS execution');
    if (type === 'EXPRESS' && state.type === 'Task' && isSync(state.resource)) {
      problems.add(`${at}.Resource`, `${state.resource} does not go with an EXPRESS execution`);
    }
    const inside = isDistributed ? state.executionType : type;
    for (const inner of innerScopes(state)) checkExpress(inner.scope, `${at}.${inner.at}`, problems, inside);
  }
}

const leavings = (state: State): Leaving[] => [
  state,
  ...state.catch,
  ...(state.type === 'Choice' ? state.choices : []),
];

/** Every template of the state itself, not of the scopes inside. */
function templates(state: State): Template[] {
  const found: Template[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if ('freeVariables' in value) found.push(value as Template);
    else if (!(value instanceof Map)) for (const item of Object.values(value)) visit(item);
  };
  const { processor: _processor, branches: _branches, ...own } = state as State & Record<string, unknown>;
  visit(own);
  return found;
}

/**
 * Adds a problem for each variable that no Assign in scope makes (children of a Distributed Map see none of the
 * outside), and for each inner Assign to a name of an outer scope.
 */
export function checkVariables(
  scope: Scope,
  path: string,
  problems: Problems,
  outer: ReadonlySet<string> = new Set(),
): void {
  const own = new Set<string>();
  for (const state of scope.states.values()) {
    for (const { assign } of leavings(state)) {
      for (const name of assignedNames(assign)) {
        if (outer.has(name)) {
          problems.add(`${path}.States.${state.name}`, `variable ${name} belongs to an outer scope`);
        }
        own.add(name);
      }
    }
  }
  const visible = new Set([...outer, ...own]);
  for (const state of scope.states.values()) {
    const at = `${path}.States.${state.name}`;
    for (const template of templates(state)) {
      for (const name of template.freeVariables) {
        if (!visible.has(name)) {
          problems.add(`${at}.${template.field}`, `$${name} is no function and no variable of this scope`);
        }
      }
    }
    for (const inner of innerScopes(state)) {
      const seen = inner.seesOuter ? visible : new Set<string>();
      checkVariables(inner.scope, `${at}.${inner.at}`, problems, seen);
    }
  }
}

const assigned = new WeakMap<Template, readonly string[]>();
/** The loader tells here which names a compiled Assign makes. */
export const rememberAssigned = (template: Template, names: readonly string[]): void => {
  assigned.set(template, names);
};
const assignedNames = (template: Template | undefined): readonly string[] =>
  (template && assigned.get(template)) ?? [];
