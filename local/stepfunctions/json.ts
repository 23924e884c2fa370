/** JSON values as they travel between states, and their size as Step Functions counts it: UTF-8 bytes of the text. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Bytes of the value's JSON text in UTF-8. */
export const sizeBytes = (value: Json): number => Buffer.byteLength(JSON.stringify(value));

/** What a value is, in the words of the service's messages. */
export function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/**
 * A plain copy of a JSONata result, free of the marks that JSONata leaves on its sequences. Returns undefined for a
 * result that JSON has no word for (nothing, or a function), wherever in the value it is.
 */
export function plainJson(value: unknown): Json | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) ? value : undefined;
    case 'object':
      return value === null ? null : Array.isArray(value) ? plainArray(value) : plainObject(value);
    default:
      return undefined;
  }
}

function plainArray(value: readonly unknown[]): Json | undefined {
  const copy: Json[] = [];
  for (const item of value) {
    const plain = plainJson(item);
    if (plain === undefined) return undefined;
    copy.push(plain);
  }
  return copy;
}

function plainObject(value: object): Json | undefined {
  const copy: Record<string, Json> = {};
  for (const [key, item] of Object.entries(value)) {
    const plain = plainJson(item);
    if (plain === undefined) return undefined;
    Object.defineProperty(copy, key, { value: plain, enumerable: true, writable: true, configurable: true });
  }
  return copy;
}

/** Whether arrays and objects nest at most `levels` deep. Safe for any depth: it does not recurse. */
export function nestsWithin(value: unknown, levels: number): boolean {
  let layer: unknown[] = [value];
  for (let level = 0; layer.length > 0; level += 1) {
    const inner = layer.filter((item): item is object => typeof item === 'object' && item !== null);
    if (inner.length > 0 && level >= levels) return false;
    layer = inner.flatMap((item) => Object.values(item) as unknown[]);
  }
  return true;
}
