/**
 * EventBridge's pattern language: exact values, prefix, suffix, anything-but, exists, numeric, equals-ignore-case,
 * wildcard, `$or`, nested objects. A pattern that it does not know is refused when it is compiled, never ignored.
 * After the guide, "Amazon EventBridge event patterns" and "Comparison operators".
 */
import { type Json, TemplateError } from './intrinsics.ts';

/** Whether a value at a place of the event matches; undefined stands for a field that is not there. */
type Test = (value: unknown) => boolean;
type Fields = { readonly [key: string]: Json };

/** `pattern` as a predicate over events. Throws TemplateError with the path of what is wrong in the pattern. */
export function compilePattern(pattern: Json, path = 'EventPattern'): (event: unknown) => boolean {
  return compileFields(fieldsOf(pattern, path), path);
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function fieldsOf(pattern: Json | undefined, path: string): Fields {
  if (!isFields(pattern) || Object.keys(pattern).length === 0)
    throw new TemplateError(`${path}: expected an object with fields, got ${JSON.stringify(pattern)}`);
  return pattern;
}

function compileFields(fields: Fields, path: string): Test {
  const tests = Object.entries(fields).map(([name, value]) =>
    name === '$or' ? compileOr(value, `${path}.$or`) : compileField(name, value, `${path}.${name}`),
  );
  return (event) => tests.every((test) => test(event));
}

function compileOr(alternatives: Json, path: string): Test {
  if (!Array.isArray(alternatives) || alternatives.length === 0)
    throw new TemplateError(`${path}: expected a list of patterns, got ${JSON.stringify(alternatives)}`);
  const tests = alternatives.map((item, index) =>
    compileFields(fieldsOf(item, `${path}[${index}]`), `${path}[${index}]`),
  );
  return (event) => tests.some((test) => test(event));
}

function compileField(name: string, value: Json, path: string): Test {
  const fieldOf = (event: unknown): unknown => (isFields(event) ? event[name] : undefined);
  if (isFields(value)) {
    const test = compileFields(value, path);
    // A list of objects matches when one of them does.
    return (event) => {
      const inner = fieldOf(event);
      return Array.isArray(inner) ? inner.some(test) : test(inner);
    };
  }
  if (!Array.isArray(value) || value.length === 0)
    throw new TemplateError(`${path}: expected a list of values or an object, got ${JSON.stringify(value)}`);
  const tests = value.map((item, index) => compileValue(item, `${path}[${index}]`));
  return (event) => {
    const found = fieldOf(event);
    const candidates = Array.isArray(found) && found.length > 0 ? found : [found];
    return tests.some((test) => candidates.some(test));
  };
}

function compileValue(wanted: Json, path: string): Test {
  if (!isFields(wanted)) {
    if (Array.isArray(wanted)) throw new TemplateError(`${path}: a list inside a list`);
    return (value) => value === wanted;
  }
  const [operator, ...more] = Object.keys(wanted);
  const compile = operator === undefined ? undefined : OPERATORS[operator];
  if (!compile || more.length > 0)
    throw new TemplateError(
      `${path}: expected one of ${Object.keys(OPERATORS).join(', ')}, got ${JSON.stringify(wanted)}`,
    );
  return compile(wanted[operator as string] as Json, path);
}

const onText =
  (test: (text: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value);

function textFor(operator: string, argument: Json, path: string): string {
  if (typeof argument !== 'string') throw new TemplateError(`${path}: ${operator} takes a text`);
  return argument;
}

/** `prefix` and `suffix` take a text, or a text in which case does not count. */
function affix(operator: 'prefix' | 'suffix', argument: Json, path: string): Test {
  const fits = (text: string, part: string) =>
    operator === 'prefix' ? text.startsWith(part) : text.endsWith(part);
  if (isFields(argument)) {
    const part = textFor(operator, argument['equals-ignore-case'] ?? null, path).toLowerCase();
    return onText((text) => fits(text.toLowerCase(), part));
  }
  const part = textFor(operator, argument, path);
  return onText((text) => fits(text, part));
}

/** `*` stands for any run of characters; `\*` and `\\` for themselves. */
function wildcard(argument: Json, path: string): Test {
  const source = textFor('wildcard', argument, path)
    .match(/\\[*\\]|\*|[^*\\]+|\\/g)
    ?.map((part) =>
      part === '*' ? '.*' : part.replace(/^\\(?=[*\\])/, '').replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'),
    )
    .join('');
  const pattern = new RegExp(`^${source ?? ''}$`, 's');
  return onText((text) => pattern.test(text));
}

const COMPARE: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  '=': (a, b) => a === b,
  '<': (a, b) => a < b,
  '<=': (a, b) => a <= b,
  '>': (a, b) => a > b,
  '>=': (a, b) => a >= b,
};

/** `["\>", 0, "<=", 5]`: pairs of comparison and number, all of which must hold. */
function numeric(argument: Json, path: string): Test {
  if (!Array.isArray(argument) || argument.length === 0 || argument.length % 2 !== 0)
    throw new TemplateError(`${path}: numeric takes pairs of comparison and number`);
  const tests: ((value: number) => boolean)[] = [];
  for (let i = 0; i < argument.length; i += 2) {
    const compare = COMPARE[String(argument[i])];
    const limit = argument[i + 1];
    if (!compare || typeof limit !== 'number')
      throw new TemplateError(`${path}: numeric does not know ${JSON.stringify(argument.slice(i, i + 2))}`);
    tests.push((value) => compare(value, limit));
  }
  return (value) => typeof value === 'number' && tests.every((test) => test(value));
}

/** `anything-but` needs the field to be there; takes a value, a list, or one of the text operators. */
function anythingBut(argument: Json, path: string): Test {
  const inner = isFields(argument) ? Object.entries(argument) : undefined;
  if (inner && (inner.length !== 1 || !TEXT_OPERATORS.has(inner[0]?.[0] ?? '')))
    throw new TemplateError(`${path}: anything-but takes ${[...TEXT_OPERATORS].join(', ')}`);
  const tests = inner
    ? inner.flatMap(([operator, value]) =>
        [value].flat().map((item) => compileValue({ [operator]: item as Json }, path)),
      )
    : [argument].flat().map((item) => compileValue(item as Json, path));
  return (value) => value !== undefined && !tests.some((test) => test(value));
}

const TEXT_OPERATORS: ReadonlySet<string> = new Set(['prefix', 'suffix', 'wildcard', 'equals-ignore-case']);

const OPERATORS: Readonly<Record<string, (argument: Json, path: string) => Test>> = {
  prefix: (argument, path) => affix('prefix', argument, path),
  suffix: (argument, path) => affix('suffix', argument, path),
  wildcard,
  numeric,
  'anything-but': anythingBut,
  'equals-ignore-case': (argument, path) => {
    const wanted = textFor('equals-ignore-case', argument, path).toLowerCase();
    return onText((text) => text.toLowerCase() === wanted);
  },
  exists: (argument, path) => {
    if (typeof argument !== 'boolean') throw new TemplateError(`${path}: exists takes true or false`);
    return (value) => (value !== undefined) === argument;
  },
};
