/**
 * One JSONata expression: compiled once, its free variables known at load, evaluated under a deadline. Step Functions
 * developer guide, "Transforming data with JSONata".
 */
import jsonata from 'jsonata';
import { breathe } from '../breathe.ts';
import { statesError } from '../errors.ts';
import type { Json } from '../json.ts';
import { isObject, plainJson } from '../json.ts';
import { EXPRESSION_BOUNDS } from '../limits.ts';
import { EXTRA_FUNCTIONS, JSONATA_FUNCTIONS, registerFunctions } from './functions.ts';

/** What an expression sees: `$states`, and the variables in scope. */
export interface Bindings {
  readonly states: Readonly<Record<string, unknown>>;
  readonly variables: Readonly<Record<string, Json>>;
}

export interface Expression {
  readonly text: string;
  /** Variables that the expression reads and does not bind itself, without `states` and the functions. */
  readonly freeVariables: readonly string[];
  /** Throws States.QueryEvaluationError naming `field`. */
  evaluate(bindings: Bindings, field: string): Promise<Json>;
}

const KNOWN = new Set(['', '$', 'states', ...Object.keys(EXTRA_FUNCTIONS), ...JSONATA_FUNCTIONS]);
const OPTIONS = {
  timeout: EXPRESSION_BOUNDS.milliseconds,
  stack: EXPRESSION_BOUNDS.depth,
  sequence: EXPRESSION_BOUNDS.sequence,
};
/** The source between the delimiters, or undefined for a literal string. */
export const expressionIn = (text: string): string | undefined =>
  text.startsWith('{%') ? (/^\{%([\s\S]*)%\}$/.exec(text)?.[1] ?? '') : undefined;

/** Throws an Error with JSONata's message where the text is not JSONata. */
export function compileExpression(text: string): Expression {
  let compiled: jsonata.Expression;
  try {
    compiled = jsonata(text.trim(), OPTIONS);
  } catch (error) {
    throw new Error(messageOf(error));
  }
  registerFunctions(compiled);
  const path = plainPath(compiled.ast());
  return {
    text,
    freeVariables: freeVariables(compiled.ast()),
    evaluate: async (bindings, field) => {
      const found = path && follow(path, bindings);
      if (found !== undefined) return found;
      const value = await alone(() => run(compiled, bindings)).catch((error: unknown) => {
        throw failed(text, field, `threw an error during evaluation. ${messageOf(error)}`);
      });
      if (value === undefined) throw failed(text, field, 'returned nothing (undefined).');
      const plain = plainJson(value);
      if (plain === undefined) throw failed(text, field, 'returned a value that JSON cannot hold.');
      return plain;
    },
  };
}

const run = async (compiled: jsonata.Expression, { states, variables }: Bindings): Promise<unknown> =>
  compiled.evaluate(undefined, { ...variables, states });

/** `$a.b.c`, the commonest expression, as its names; undefined for anything else. */
function plainPath(ast: unknown): string[] | undefined {
  const { type, steps, value, ...more } = ast as { type: string; steps?: unknown[]; value?: unknown };
  if (type === 'variable' && typeof value === 'string' && value !== '' && isBare(more)) return [value];
  if (type !== 'path' || !steps || !isBare(more)) return undefined;
  const names: string[] = [];
  for (const [index, step] of steps.entries()) {
    const { type: kind, value: name, ...marks } = step as { type: string; value?: unknown };
    const wanted = index === 0 ? 'variable' : 'name';
    if (kind !== wanted || typeof name !== 'string' || name === '' || !isBare(marks)) return undefined;
    names.push(name);
  }
  return names;
}

const isBare = (node: object): boolean => Object.keys(node).every((key) => key === 'position');

/**
 * The value at the path when only objects lie on the way: then JSONata gives just that. Undefined hands over to
 * JSONata, for arrays on the way and for nothing at the end.
 */
function follow(
  [first = '', ...names]: readonly string[],
  { states, variables }: Bindings,
): Json | undefined {
  let value: unknown =
    first === 'states' ? states : Object.hasOwn(variables, first) ? variables[first] : undefined;
  for (const name of names) {
    if (!isObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value === states ? undefined : (value as Json | undefined);
}

const failed = (text: string, field: string, what: string) =>
  statesError(
    'States.QueryEvaluationError',
    `The JSONata expression '${text.trim()}' specified for the field '${field}' ${what}`,
  );

/** JSONata throws plain objects `{ code, message }`, our functions throw Errors. */
function messageOf(thrown: unknown): string {
  const { code, message } = thrown as { code?: unknown; message?: unknown };
  const says = typeof message === 'string' ? message : 'The expression cannot be evaluated';
  return typeof code === 'string' ? `${code}: ${says}` : says;
}

let last: Promise<unknown> = Promise.resolve();
/** One evaluation at a time: they wait for nothing outside, so the deadline measures each of them alone. */
function alone<T>(work: () => Promise<T>): Promise<T> {
  const mine = last.then(breathe).then(work);
  last = mine.catch(() => {});
  return mine;
}

/** Names read minus names bound anywhere in the expression: lenient about where a name is bound. */
function freeVariables(ast: unknown): string[] {
  const read = new Set<string>();
  const bound = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (Array.isArray(node)) {
      for (const item of node) visit(item);
      return;
    }
    const { type, value, lhs, arguments: parameters, focus, index } = node as Record<string, unknown>;
    if (type === 'variable' && typeof value === 'string') read.add(value);
    if (type === 'bind') bound.add(String((lhs as { value?: unknown }).value));
    if (type === 'lambda') for (const { value: name } of parameters as { value: string }[]) bound.add(name);
    for (const name of [focus, index]) if (typeof name === 'string') bound.add(name);
    for (const item of Object.values(node)) visit(item);
  };
  visit(ast);
  return [...read].filter((name) => !bound.has(name) && !KNOWN.has(name));
}
