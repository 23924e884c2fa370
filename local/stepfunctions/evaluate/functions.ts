/**
 * The functions that Step Functions adds to JSONata (developer guide, "JSONata functions provided by Step Functions"),
 * and what it takes away: `$eval`.
 */
import { createHash, randomUUID } from 'node:crypto';
import type jsonata from 'jsonata';

const HASHES = { MD5: 'md5', 'SHA-1': 'sha1', 'SHA-256': 'sha256', 'SHA-384': 'sha384', 'SHA-512': 'sha512' };
/** Largest array that $range and $partition make. */
const LONGEST = 1_000;

interface ExtraFunction {
  readonly signature: string;
  readonly run: (...args: never[]) => unknown;
}

/** name → JSONata signature and implementation. A thrown Error becomes States.QueryEvaluationError. */
export const EXTRA_FUNCTIONS = {
  partition: { signature: '<a-n:a>', run: partition },
  range: { signature: '<n-nn:a>', run: range },
  hash: { signature: '<s-s:s>', run: hash },
  random: { signature: '<n?:n>', run: random },
  uuid: { signature: '<:s>', run: () => randomUUID() },
  parse: {
    signature: '<s-:x>',
    run: (text: string | undefined) => (text === undefined ? undefined : parseJson(text)),
  },
} as const satisfies Record<string, ExtraFunction>;

/** JSONata's own functions, all but `$eval`, which Step Functions refuses. */
export const JSONATA_FUNCTIONS = (
  'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match ' +
  'contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt ' +
  'power boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error ' +
  'assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent ' +
  'decodeUrl toMillis fromMillis clone now millis'
).split(' ');

/** Teaches one compiled expression the extra functions. */
export function registerFunctions(expression: jsonata.Expression): void {
  for (const [name, { signature, run }] of Object.entries(EXTRA_FUNCTIONS)) {
    expression.registerFunction(name, run as (...args: unknown[]) => unknown, signature);
  }
}

function partition(values: readonly unknown[] | undefined, size: number): unknown[][] | undefined {
  if (values === undefined) return undefined;
  const step = Math.floor(size);
  if (!(step >= 1)) throw new Error(`$partition: expected a chunk size of at least 1, got ${size}`);
  const parts: unknown[][] = [];
  for (let start = 0; start < values.length; start += step) parts.push(values.slice(start, start + step));
  return parts;
}

function range(first: number | undefined, last: number, step: number): number[] | undefined {
  if (first === undefined || last === undefined || step === undefined) return undefined;
  if (step === 0) throw new Error('$range: expected a step other than 0');
  const count = Math.floor((last - first) / step) + 1;
  if (count > LONGEST) throw new Error(`$range: expected at most ${LONGEST} numbers, got ${count}`);
  return Array.from({ length: Math.max(0, count) }, (_, index) => first + index * step);
}

function hash(text: string | undefined, algorithm: string): string | undefined {
  if (text === undefined) return undefined;
  const name = HASHES[algorithm as keyof typeof HASHES];
  if (!name) throw new Error(`$hash: expected one of ${Object.keys(HASHES).join(', ')}`);
  return createHash(name).update(text, 'utf8').digest('hex');
}

/** Between 0 and 1; the same seed gives the same number (mulberry32; the service's own generator is not known). */
function random(seed: number | undefined): number {
  if (seed === undefined) return Math.random();
  let state = (Math.floor(seed) + 0x6d2b79f5) | 0;
  state = Math.imul(state ^ (state >>> 15), state | 1);
  state ^= state + Math.imul(state ^ (state >>> 7), state | 61);
  return ((state ^ (state >>> 14)) >>> 0) / 4_294_967_296;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw new Error('$parse: expected JSON text');
  }
}
