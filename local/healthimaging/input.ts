/**
 * Requests, read by the API model: URI labels, query and body become one validated object. Every problem is named
 * with its member, all of them at once, in the words AWS services use; values are never repeated.
 */
import { validation } from './errors.ts';
import { type MemberRef, operationModels, type Shape, shapeOf } from './model-data.ts';

export interface RawRequest {
  readonly labels: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Uint8Array;
}

/** Deeper JSON than any shape of the model needs is refused before it is looked at. */
const MAX_JSON_DEPTH = 64;

/**
 * Equivalent to the model's pattern, without its exponential backtracking on a hostile value.
 * MetadataFilePath: printable ASCII, no space first or last.
 */
const SAFE_PATTERNS: Readonly<Record<string, RegExp>> = { MetadataFilePath: /^[!-~](?:[ -~]*[!-~])?$/u };
const patterns = new Map<string, RegExp>();

/** The operation's input as an object of member names. Throws ValidationException. Pure. */
export function parseInput(operation: string, raw: RawRequest): Record<string, unknown> {
  const shape = shapeOf(operationModels[operation]!.input.shape);
  const body = bodyOf(shape, raw.body);
  const problems: string[] = [];
  const input: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const required = shape.required?.includes(name) ?? false;
    const value = readMember(name, member, shape, raw, body, problems);
    if (value === undefined) {
      if (required) problems.push(missing(name));
    } else {
      input[name] = value;
    }
  }
  if (problems.length > 0) throw validation(summary(problems));
  return input;
}

function readMember(
  name: string,
  member: MemberRef,
  shape: Shape,
  raw: RawRequest,
  body: unknown,
  problems: string[],
): unknown {
  const wireName = member.locationName ?? name;
  if (member.location === 'uri') return check(raw.labels[wireName], member.shape, name, problems);
  if (member.location === 'querystring') {
    return check(fromQuery(raw.query, wireName, member.shape), member.shape, name, problems);
  }
  if (shape.payload === name) return check(body, member.shape, name, problems);
  return check((body as Record<string, unknown> | null)?.[wireName], member.shape, name, problems);
}

/** Query text as the JSON value it stands for; what does not parse stays text and fails its type check. */
function fromQuery(query: URLSearchParams, name: string, shapeName: string): unknown {
  const shape = shapeOf(shapeName);
  if (shape.type === 'list') return query.has(name) ? query.getAll(name) : undefined;
  const text = query.get(name);
  if (text === null) return undefined;
  if (shape.type === 'boolean') return text === 'true' ? true : text === 'false' ? false : text;
  if (shape.type === 'integer') return /^[+-]?\d{1,15}$/.test(text) ? Number(text) : text;
  return text;
}

/** The parsed body: any JSON for a payload member, which has its own check; else an object of members. */
function bodyOf(shape: Shape, bytes: Uint8Array): unknown {
  const needsBody = Object.values(shape.members ?? {}).some((member) => !member.location);
  if (!needsBody) return undefined;
  if (bytes.length === 0) return shape.payload ? undefined : {};
  const value = parseJson(bytes);
  if (shape.payload || value === null) return value;
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw validation('The request body must be a JSON object');
  }
  return value;
}

/** JSON bytes of bounded depth. Throws ValidationException. */
export function parseJson(bytes: Uint8Array): unknown {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    if (jsonDepth(text) > MAX_JSON_DEPTH) throw validation('The request body is nested too deeply');
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof Error && error.name === 'ValidationException') throw error;
    throw validation('The request body is not valid JSON');
  }
}

function jsonDepth(text: string): number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (inString) {
      if (c === 0x5c) i++;
      else if (c === 0x22) inString = false;
    } else if (c === 0x22) inString = true;
    else if (c === 0x7b || c === 0x5b) deepest = Math.max(deepest, ++depth);
    else if (c === 0x7d || c === 0x5d) depth--;
  }
  return deepest;
}

/** The value in its checked form (blobs as bytes), or undefined when absent; problems are appended. */
function check(value: unknown, shapeName: string, path: string, problems: string[]): unknown {
  if (value === undefined || value === null) return undefined;
  const shape = shapeOf(shapeName);
  switch (shape.type) {
    case 'structure':
      return checkStructure(value, shape, path, problems);
    case 'list':
      return checkList(value, shape, path, problems);
    case 'map':
      return checkMap(value, shape, path, problems);
    case 'string':
      return checkString(value, shapeName, shape, path, problems);
    case 'integer':
      return checkNumber(value, shape, path, problems);
    case 'timestamp':
      return checkTimestamp(value, path, problems);
    case 'boolean':
      if (typeof value !== 'boolean') problems.push(wrongType(path, 'a boolean'));
      return value;
    case 'blob':
      return checkBlob(value, shape, path, problems);
  }
}

function checkStructure(value: unknown, shape: Shape, path: string, problems: string[]): unknown {
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push(wrongType(path, 'an object'));
    return value;
  }
  const given = value as Record<string, unknown>;
  const result: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(shape.members ?? {})) {
    const at = `${path}.${name}`;
    const own = Object.hasOwn(given, name) ? given[name] : undefined;
    const checked = check(own, member.shape, at, problems);
    if (checked !== undefined) result[name] = checked;
    else if (shape.required?.includes(name)) problems.push(missing(at));
  }
  if (shape.union && Object.keys(result).length !== 1) {
    const names = Object.keys(shape.members ?? {}).join(', ');
    problems.push(
      `Value at '${path}' failed to satisfy constraint: Exactly one member must be set of: ${names}`,
    );
  }
  return result;
}

function checkList(value: unknown, shape: Shape, path: string, problems: string[]): unknown {
  if (!Array.isArray(value)) {
    problems.push(wrongType(path, 'a list'));
    return value;
  }
  checkSize(value.length, shape, path, problems);
  return value.slice(0, 10_000).map((item, i) => {
    const at = `${path}.${i + 1}.member`;
    if (item === null || item === undefined) problems.push(missing(at));
    return check(item, shape.member!.shape, at, problems);
  });
}

function checkMap(value: unknown, shape: Shape, path: string, problems: string[]): unknown {
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push(wrongType(path, 'a map'));
    return value;
  }
  const entries = Object.entries(value as Record<string, unknown>).slice(0, 10_000);
  checkSize(entries.length, shape, path, problems);
  for (const [key, item] of entries) {
    check(key, shape.key!.shape, `${path} (key)`, problems);
    if (item === null || item === undefined) problems.push(missing(`${path} (value)`));
    else check(item, shape.value!.shape, `${path} (value)`, problems);
  }
  return Object.fromEntries(entries);
}

function checkString(
  value: unknown,
  shapeName: string,
  shape: Shape,
  path: string,
  problems: string[],
): unknown {
  if (typeof value !== 'string') {
    problems.push(wrongType(path, 'a string'));
    return value;
  }
  const before = problems.length;
  checkSize(value.length > 1_000_000 ? value.length : [...value].length, shape, path, problems);
  if (shape.enum && !shape.enum.includes(value)) {
    problems.push(failed(path, `Member must satisfy enum value set: [${shape.enum.join(', ')}]`));
  }
  // A value already too long is not worth a regular expression.
  if (shape.pattern && problems.length === before && !patternOf(shapeName, shape.pattern).test(value)) {
    problems.push(failed(path, `Member must satisfy regular expression pattern: ${shape.pattern}`));
  }
  return value;
}

function patternOf(shapeName: string, source: string): RegExp {
  let pattern = patterns.get(shapeName);
  if (!pattern) {
    pattern = SAFE_PATTERNS[shapeName] ?? new RegExp(`^(?:${source})$`, 'u');
    patterns.set(shapeName, pattern);
  }
  return pattern;
}

function checkNumber(value: unknown, shape: Shape, path: string, problems: string[]): unknown {
  if (typeof value !== 'number' || !Number.isInteger(value)) {
    problems.push(wrongType(path, 'an integer'));
    return value;
  }
  if (shape.min !== undefined && value < shape.min) {
    problems.push(failed(path, `Member must have value greater than or equal to ${shape.min}`));
  }
  if (shape.max !== undefined && value > shape.max) {
    problems.push(failed(path, `Member must have value less than or equal to ${shape.max}`));
  }
  return value;
}

/** Epoch seconds, fractions allowed; kept as milliseconds. */
function checkTimestamp(value: unknown, path: string, problems: string[]): unknown {
  if (typeof value !== 'number' || !Number.isFinite(value) || Math.abs(value) > 8.64e12) {
    problems.push(wrongType(path, 'a timestamp in epoch seconds'));
    return value;
  }
  return Math.round(value * 1000);
}

function checkBlob(value: unknown, shape: Shape, path: string, problems: string[]): unknown {
  if (typeof value !== 'string' || !/^[A-Za-z0-9+/]*={0,2}$/.test(value) || value.length % 4 !== 0) {
    problems.push(wrongType(path, 'base64'));
    return value;
  }
  const bytes = new Uint8Array(Buffer.from(value, 'base64'));
  checkSize(bytes.length, shape, path, problems);
  return bytes;
}

function checkSize(size: number, shape: Shape, path: string, problems: string[]): void {
  if (shape.min !== undefined && size < shape.min) {
    problems.push(failed(path, `Member must have length greater than or equal to ${shape.min}`));
  }
  if (shape.max !== undefined && size > shape.max) {
    problems.push(failed(path, `Member must have length less than or equal to ${shape.max}`));
  }
}

const failed = (path: string, rule: string) => `Value at '${path}' failed to satisfy constraint: ${rule}`;
const missing = (path: string) => failed(path, 'Member must not be null');
const wrongType = (path: string, wanted: string) => failed(path, `Member must be ${wanted}`);

/** At most ten problems are spelled out: a hostile list has thousands. */
function summary(problems: readonly string[]): string {
  const noun = problems.length === 1 ? 'validation error' : 'validation errors';
  return `${problems.length} ${noun} detected: ${problems.slice(0, 10).join('; ')}`;
}
