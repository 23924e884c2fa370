/** CloudFormation's intrinsic functions and conditions, evaluated over a template's values. */

/** Any value of a template, resolved or not. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a value may refer to. `ref` and `attribute` throw TemplateError for names that do not exist. */
export interface Scope {
  ref(name: string): Json | undefined;
  attribute(logicalId: string, attribute: string): Json;
  condition(name: string): boolean;
}

/** The template cannot be run: the message begins with the logical id or path. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** `Ref: AWS::NoValue`: the property, or the item, is not there at all. */
const NO_VALUE = Symbol('AWS::NoValue');
type Resolved = Json | typeof NO_VALUE;

const isObject = (value: Json): value is { readonly [key: string]: Json } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `value` with every intrinsic function replaced; undefined where it is `AWS::NoValue`. Throws TemplateError. */
export function resolve(value: Json, scope: Scope): Json | undefined {
  const resolved = evaluate(value, scope);
  return resolved === NO_VALUE ? undefined : resolved;
}

/** `${Name}`, `${Id.Attribute}` and `${!Literal}` in `text`. */
export function substitute(text: string, value: (name: string) => string): string {
  return text.replace(/\$\{(!?)([^}]*)\}/g, (_whole, literal: string, name: string) =>
    literal ? `\${${name}}` : value(name),
  );
}

function evaluate(value: Json, scope: Scope): Resolved {
  if (Array.isArray(value)) return value.map((item) => evaluate(item, scope)).filter(isThere);
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const [key] = keys;
  if (keys.length === 1 && key !== undefined && (key === 'Ref' || key === 'Condition' || /^Fn::/.test(key))) {
    const run = FUNCTIONS[key];
    // A policy statement's Condition is an object of its own, not a reference.
    if (run && !(key === 'Condition' && typeof value[key] !== 'string'))
      return run(value[key] as Json, scope);
    if (key !== 'Condition') throw new TemplateError(`${key}: not run locally`);
  }
  const entries = Object.entries(value).map(([name, item]) => [name, evaluate(item, scope)] as const);
  return Object.fromEntries(entries.filter((entry): entry is readonly [string, Json] => isThere(entry[1])));
}

const isThere = (value: Resolved): value is Json => value !== NO_VALUE;

function textOf(value: Json, scope: Scope, where: string): string {
  const resolved = evaluate(value, scope);
  if (typeof resolved === 'string' || typeof resolved === 'number' || typeof resolved === 'boolean')
    return String(resolved);
  throw new TemplateError(`${where}: expected a text, got ${JSON.stringify(resolved)}`);
}

function listOf(value: Json | undefined, where: string, length?: number): readonly Json[] {
  if (!Array.isArray(value) || (length !== undefined && value.length !== length))
    throw new TemplateError(
      `${where}: expected a list${length ? ` of ${length}` : ''}, got ${JSON.stringify(value)}`,
    );
  return value;
}

function truth(value: Json, scope: Scope): boolean {
  if (isObject(value) && typeof value.Condition === 'string') return scope.condition(value.Condition);
  const resolved = evaluate(value, scope);
  return resolved === true || resolved === 'true';
}

function reference(name: string, scope: Scope): Resolved {
  if (name === 'AWS::NoValue') return NO_VALUE;
  const value = scope.ref(name);
  if (value === undefined)
    throw new TemplateError(`Ref ${name}: no such parameter, resource or pseudo parameter`);
  return value;
}

function getAtt(value: Json, scope: Scope): Json {
  const [id, ...rest] =
    typeof value === 'string' ? value.split('.') : (listOf(value, 'Fn::GetAtt') as string[]);
  return scope.attribute(String(id), rest.map(String).join('.'));
}

function sub(value: Json, scope: Scope): Json {
  const [text, own]: readonly (Json | undefined)[] =
    typeof value === 'string' ? [value, {}] : listOf(value, 'Fn::Sub', 2);
  if (typeof text !== 'string' || own === undefined || !isObject(own))
    throw new TemplateError('Fn::Sub: expected a text, or a text and its values');
  return substitute(text, (name) => {
    const given = own[name];
    if (given !== undefined) return textOf(given, scope, `Fn::Sub ${name}`);
    return name.includes('.')
      ? textOf(getAtt(name, scope), scope, `Fn::Sub ${name}`)
      : textOf({ Ref: name }, scope, `Fn::Sub ${name}`);
  });
}

const FUNCTIONS: Readonly<Record<string, (value: Json, scope: Scope) => Resolved>> = {
  Ref: (value, scope) => reference(String(value), scope),
  Condition: (value, scope) => scope.condition(String(value)),
  'Fn::GetAtt': getAtt,
  'Fn::Sub': sub,
  'Fn::Join': (value, scope) => {
    const [separator, items] = listOf(value, 'Fn::Join', 2);
    const resolved = listOf(evaluate(items as Json, scope) as Json, 'Fn::Join');
    return resolved.map((item) => textOf(item, scope, 'Fn::Join')).join(String(separator));
  },
  'Fn::If': (value, scope) => {
    const [name, yes, no] = listOf(value, 'Fn::If', 3);
    return evaluate((scope.condition(String(name)) ? yes : no) as Json, scope);
  },
  'Fn::Select': (value, scope) => {
    const [index, items] = listOf(value, 'Fn::Select', 2);
    const item = listOf(evaluate(items as Json, scope) as Json, 'Fn::Select')[
      Number(textOf(index as Json, scope, 'Fn::Select'))
    ];
    if (item === undefined) throw new TemplateError(`Fn::Select: no item ${JSON.stringify(index)}`);
    return item;
  },
  'Fn::Split': (value, scope) => {
    const [separator, text] = listOf(value, 'Fn::Split', 2);
    return textOf(text as Json, scope, 'Fn::Split').split(String(separator));
  },
  'Fn::Base64': (value, scope) => Buffer.from(textOf(value, scope, 'Fn::Base64')).toString('base64'),
  'Fn::ToJsonString': (value, scope) => JSON.stringify(evaluate(value, scope)),
  'Fn::Equals': (value, scope) => {
    const [a, b] = listOf(value, 'Fn::Equals', 2).map((item) => evaluate(item, scope));
    return String(a) === String(b);
  },
  'Fn::Not': (value, scope) => !truth(listOf(value, 'Fn::Not', 1)[0] as Json, scope),
  'Fn::And': (value, scope) => listOf(value, 'Fn::And').every((item) => truth(item, scope)),
  'Fn::Or': (value, scope) => listOf(value, 'Fn::Or').some((item) => truth(item, scope)),
};
