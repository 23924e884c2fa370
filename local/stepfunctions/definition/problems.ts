/** Collects what is wrong with a definition, each problem with its path, while small readers walk it. */
import { isObject, typeName } from '../json.ts';

export class Problems {
  readonly found: string[] = [];

  add(path: string, message: string): void {
    this.found.push(`${path}: ${message}`);
  }

  /** The object at `path` with exactly the known fields; an empty one where it is not an object. */
  object(
    value: unknown,
    path: string,
    fields: { readonly required: readonly string[]; readonly optional: readonly string[] },
  ): Record<string, unknown> {
    if (!isObject(value)) {
      this.add(path, `expected an object, got ${typeName(value)}`);
      return {};
    }
    for (const name of fields.required)
      if (value[name] === undefined) this.add(path, `missing field ${name}`);
    const known = new Set([...fields.required, ...fields.optional]);
    for (const name of Object.keys(value)) {
      if (!known.has(name)) this.add(`${path}.${name}`, 'unknown or unsupported field');
    }
    return value;
  }

  array(value: unknown, path: string): readonly unknown[] {
    if (Array.isArray(value) && value.length > 0) return value;
    this.add(path, `expected a non-empty array, got ${typeName(value)}`);
    return [];
  }

  string(value: unknown, path: string): string {
    if (typeof value === 'string' && value !== '') return value;
    this.add(path, `expected a non-empty string, got ${value === '' ? 'an empty one' : typeName(value)}`);
    return '';
  }

  /** One of the words; the fallback when absent. */
  word<T extends string>(value: unknown, path: string, words: readonly T[], fallback: T): T {
    if (value === undefined) return fallback;
    if (words.includes(value as T)) return value as T;
    this.add(path, `expected ${words.join(' or ')}, got ${JSON.stringify(value)}`);
    return fallback;
  }

  number(
    value: unknown,
    path: string,
    bounds: { min: number; max: number; integer?: boolean },
    fallback: number,
  ): number {
    if (value === undefined) return fallback;
    const { min, max, integer = true } = bounds;
    if (typeof value === 'number' && value >= min && value <= max && (!integer || Number.isInteger(value))) {
      return value;
    }
    const wanted = integer ? 'an integer' : 'a number';
    this.add(path, `expected ${wanted} from ${min} to ${max}, got ${JSON.stringify(value)}`);
    return fallback;
  }
}
