/** A field of a state as written: any JSON whose strings may be `{% JSONata %}`. Compiled at load, evaluated often. */
import type { Json } from '../json.ts';
import { isObject } from '../json.ts';
import { type Bindings, compileExpression, type Expression, expressionIn } from './expression.ts';

export interface Template {
  /** The path that messages name, as the service does: `Output/plan/key`. */
  readonly field: string;
  /** The value itself, when the template has no expression in it. */
  readonly constant: Json | undefined;
  readonly freeVariables: readonly string[];
  /** Throws States.QueryEvaluationError. */
  evaluate(bindings: Bindings): Promise<Json>;
}

/** Compiles `value`; what is not JSONata goes to `problem` with the path inside the value. */
export function compileTemplate(
  value: unknown,
  field: string,
  problem: (field: string, message: string) => void,
): Template {
  if (typeof value === 'string') return compileString(value, field, problem);
  if (Array.isArray(value)) return compileArray(value, field, problem);
  if (isObject(value)) return compileObject(value, field, problem);
  return constant(value as Json, field);
}

const constant = (value: Json, field: string): Template => ({
  field,
  constant: value,
  freeVariables: [],
  evaluate: () => Promise.resolve(value),
});

function compileString(
  value: string,
  field: string,
  problem: (field: string, message: string) => void,
): Template {
  const source = expressionIn(value);
  if (source === undefined) return constant(value, field);
  if (source.trim() === '') {
    problem(field, 'expected {% JSONata %}, got a string that is not closed by %} or is empty');
    return constant(value, field);
  }
  try {
    return expressionTemplate(compileExpression(source), field);
  } catch (error) {
    problem(field, (error as Error).message);
    return constant(value, field);
  }
}

const expressionTemplate = (expression: Expression, field: string): Template => ({
  field,
  constant: undefined,
  freeVariables: expression.freeVariables,
  evaluate: (bindings) => expression.evaluate(bindings, field),
});

function compileArray(
  value: readonly unknown[],
  field: string,
  problem: (field: string, message: string) => void,
): Template {
  const items = value.map((item, index) => compileTemplate(item, `${field}[${index}]`, problem));
  if (items.every(isConstant)) return constant(value as Json, field);
  return {
    field,
    constant: undefined,
    freeVariables: items.flatMap((item) => item.freeVariables),
    evaluate: async (bindings) => {
      const result: Json[] = [];
      for (const item of items) result.push(await item.evaluate(bindings));
      return result;
    },
  };
}

function compileObject(
  value: Record<string, unknown>,
  field: string,
  problem: (field: string, message: string) => void,
): Template {
  const entries = Object.entries(value).map(
    ([key, item]) => [key, compileTemplate(item, `${field}/${key}`, problem)] as const,
  );
  for (const [key] of entries) {
    if (key.endsWith('.$')) problem(`${field}/${key}`, 'JSONPath fields (ending in .$) are not JSONata');
  }
  if (entries.every(([, item]) => isConstant(item))) return constant(value as Json, field);
  return {
    field,
    constant: undefined,
    freeVariables: entries.flatMap(([, item]) => item.freeVariables),
    evaluate: async (bindings) => {
      const result: [string, Json][] = [];
      for (const [key, item] of entries) result.push([key, await item.evaluate(bindings)]);
      return Object.fromEntries(result);
    },
  };
}

const isConstant = (template: Template): boolean => template.constant !== undefined;
