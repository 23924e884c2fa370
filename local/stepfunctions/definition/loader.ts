/**
 * Loads a definition of the Amazon States Language with JSONata (states-language.net/spec.html, 2024-11). What this
 * runtime does not know is an error here, never ignored there.
 */
import { DefinitionError, STATE_ERRORS } from '../errors.ts';
import { compileTemplate, type Template } from '../evaluate/template.ts';
import { isObject, type Json, sizeBytes, typeName } from '../json.ts';
import { LIMITS } from '../limits.ts';
import { OBJECT_FIELDS, STATE_FIELDS, type StateType, WORDS } from './fields.ts';
import { checkExpress, checkTransitions, checkVariables, rememberAssigned } from './flow.ts';
import type { Catcher, Definition, Leaving, NumberField, Retrier, Scope, State } from './model.ts';
import { Problems } from './problems.ts';
import { STATE_LOADERS } from './state-loaders.ts';

/** `states` is the language's own; the other would change the object that holds the variables. */
const FORBIDDEN_VARIABLES = ['states', '__proto__'];

/** A walk through one definition: its problems, and the state names seen so far (unique in the whole machine). */
export class Loading {
  readonly problems = new Problems();
  readonly #names = new Set<string>();

  template(value: unknown, path: string, field: string): Template {
    return compileTemplate(value, field, (at, message) => this.problems.add(`${path}.${at}`, message));
  }

  optionalTemplate(from: Record<string, unknown>, field: string, path: string): Template | undefined {
    return from[field] === undefined ? undefined : this.template(from[field], path, field);
  }

  /** A number within the bounds, or an expression for one, which is held to them when evaluated. */
  number(
    from: Record<string, unknown>,
    field: string,
    path: string,
    bounds: { min: number; max: number },
  ): NumberField | undefined {
    const value = from[field];
    if (value === undefined) return undefined;
    const template = this.template(value, path, field);
    if (template.constant !== undefined) this.problems.number(value, `${path}.${field}`, bounds, 0);
    return { template, ...bounds };
  }

  scope(value: Record<string, unknown>, path: string): Scope {
    this.problems.word(value.QueryLanguage, `${path}.QueryLanguage`, WORDS.QueryLanguage, 'JSONata');
    const startAt = this.problems.string(value.StartAt, `${path}.StartAt`);
    const states = new Map<string, State>();
    if (isObject(value.States)) {
      for (const [name, state] of Object.entries(value.States)) {
        const loaded = this.state(name, state, `${path}.States.${name}`);
        if (loaded) states.set(name, loaded);
      }
    } else this.problems.add(`${path}.States`, `expected an object, got ${typeName(value.States)}`);
    const scope = { startAt, states };
    checkTransitions(scope, path, this.problems);
    return scope;
  }

  state(name: string, value: unknown, path: string): State | undefined {
    if (name === '' || name.length > LIMITS.stateNameLength.max) {
      this.problems.add(path, `expected a name of 1 to ${LIMITS.stateNameLength.max} characters`);
    }
    if (this.#names.has(name)) this.problems.add(path, 'this state name is used twice in the machine');
    this.#names.add(name);
    const type = isObject(value) ? value.Type : undefined;
    if (typeof type !== 'string' || !Object.hasOwn(STATE_FIELDS, type)) {
      this.problems.add(
        `${path}.Type`,
        `expected ${Object.keys(STATE_FIELDS).join(', ')}, got ${JSON.stringify(type)}`,
      );
      return undefined;
    }
    const fields = value as Record<string, unknown>;
    this.problems.word(fields.QueryLanguage, `${path}.QueryLanguage`, WORDS.QueryLanguage, 'JSONata');
    const base = {
      name,
      ...this.next(type as StateType, fields, path),
      ...this.leaving(fields, path),
      retry: this.retriers(fields.Retry, `${path}.Retry`),
      catch: this.catchers(fields.Catch, `${path}.Catch`),
    };
    return STATE_LOADERS[type as StateType](this, base, fields, path);
  }

  next(type: StateType, fields: Record<string, unknown>, path: string): { next?: string } {
    if (type === 'Choice' || type === 'Succeed' || type === 'Fail') return {};
    const { Next: next, End: end } = fields;
    if (end !== undefined && typeof end !== 'boolean') {
      this.problems.add(`${path}.End`, `expected true or false, got ${typeName(end)}`);
    }
    if ((next === undefined) === (end !== true)) this.problems.add(path, 'expected either Next or End: true');
    return next === undefined ? {} : { next: this.problems.string(next, `${path}.Next`) };
  }

  leaving(fields: Record<string, unknown>, path: string): Leaving {
    const output = this.optionalTemplate(fields, 'Output', path);
    const assign = this.assign(fields.Assign, path);
    return { ...(output && { output }), ...(assign && { assign }) };
  }

  assign(value: unknown, path: string): Template | undefined {
    if (value === undefined) return undefined;
    if (!isObject(value)) {
      this.problems.add(`${path}.Assign`, `expected an object, got ${typeName(value)}`);
      return undefined;
    }
    const names = Object.keys(value);
    for (const name of names) {
      const legal = /^[\p{ID_Start}_][\p{ID_Continue}]*$/u.test(name) && !FORBIDDEN_VARIABLES.includes(name);
      if (!legal || name.length > LIMITS.stateNameLength.max) {
        this.problems.add(`${path}.Assign.${name}`, 'not a legal variable name');
      }
    }
    const template = this.template(value, path, 'Assign');
    rememberAssigned(template, names);
    return template;
  }

  errorEquals(value: unknown, path: string, isLast: boolean): readonly string[] {
    const names = this.problems
      .array(value, path)
      .map((name, index) => this.problems.string(name, `${path}[${index}]`));
    for (const name of names) {
      if (name.startsWith('States.') && !Object.hasOwn(STATE_ERRORS, name)) {
        this.problems.add(path, `${name} is not an error name of the language`);
      }
    }
    if (names.includes('States.ALL') && (names.length > 1 || !isLast)) {
      this.problems.add(path, 'States.ALL stands alone, in the last entry');
    }
    return names;
  }

  retriers(value: unknown, path: string): Retrier[] {
    const list = value === undefined ? [] : this.problems.array(value, path);
    return list.map((item, index) => this.retrier(item, `${path}[${index}]`, index === list.length - 1));
  }

  retrier(value: unknown, path: string, isLast: boolean): Retrier {
    const fields = this.problems.object(value, path, OBJECT_FIELDS.retrier);
    const at = (name: string, min: number, max: number, fallback: number, integer = true) =>
      this.problems.number(fields[name], `${path}.${name}`, { min, max, integer }, fallback);
    const intervalSeconds = at('IntervalSeconds', 1, 99_999_999, 1);
    const hasMaximum = fields.MaxDelaySeconds !== undefined;
    return {
      errorEquals: this.errorEquals(fields.ErrorEquals, `${path}.ErrorEquals`, isLast),
      intervalSeconds,
      maxAttempts: at('MaxAttempts', 0, 99_999_999, 3),
      backoffRate: at('BackoffRate', 1, Number.MAX_VALUE, 2, false),
      maxDelaySeconds: hasMaximum ? at('MaxDelaySeconds', intervalSeconds + 1, 31_622_399, 0) : undefined,
      jitter: this.problems.word(
        fields.JitterStrategy,
        `${path}.JitterStrategy`,
        WORDS.JitterStrategy,
        'NONE',
      ),
    };
  }

  catchers(value: unknown, path: string): Catcher[] {
    const list = value === undefined ? [] : this.problems.array(value, path);
    return list.map((item, index) => {
      const at = `${path}[${index}]`;
      const fields = this.problems.object(item, at, OBJECT_FIELDS.catcher);
      return {
        errorEquals: this.errorEquals(fields.ErrorEquals, `${at}.ErrorEquals`, index === list.length - 1),
        next: this.problems.string(fields.Next, `${at}.Next`),
        ...this.leaving(fields, at),
      };
    });
  }
}

/** Loads a definition (an object, after DefinitionSubstitutions). Throws DefinitionError with every problem found. */
export function loadDefinition(
  machine: string,
  definition: unknown,
  type: 'STANDARD' | 'EXPRESS' = 'STANDARD',
): Definition {
  const loading = new Loading();
  const { problems } = loading;
  const fields = problems.object(definition, '$', OBJECT_FIELDS.stateMachine);
  if (problems.found.length === 0 && sizeBytes(definition as Json) > LIMITS.definitionBytes.max) {
    problems.add('$', `expected at most ${LIMITS.definitionBytes.max} bytes`);
  }
  const scope = loading.scope(fields, '$');
  checkVariables(scope, '$', problems);
  checkExpress(scope, '$', problems, type);
  const timeout = fields.TimeoutSeconds;
  const timeoutSeconds =
    problems.number(timeout, '$.TimeoutSeconds', { min: 1, max: 99_999_999 }, 0) || undefined;
  if (problems.found.length > 0) throw new DefinitionError(machine, problems.found);
  return { ...scope, timeoutSeconds };
}
