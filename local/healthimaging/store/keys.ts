/**
 * Keys of the embedded database. Parts are joined by NUL, which no identifier holds and which is taken out of
 * values, so that a prefix scan never runs into a neighbour; numbers are padded, so that key order is value order.
 */
const NUL = '\u0000';
/** Sorts after every part. */
const LAST = '\u0001';

export type KeyPart = string | number;

export function keyOf(...parts: readonly KeyPart[]): string {
  return parts.map(encodePart).join(NUL);
}

/** All keys that start with these parts and have more of them. */
export function below(...parts: readonly KeyPart[]): { gte: string; lt: string } {
  const prefix = keyOf(...parts);
  return { gte: `${prefix}${NUL}`, lt: `${prefix}${LAST}` };
}

/** The parts of a key, numbers as text. */
export function partsOf(key: string): string[] {
  return key.split(NUL);
}

function encodePart(part: KeyPart): string {
  if (typeof part === 'number') return String(Math.max(0, Math.trunc(part))).padStart(15, '0');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: NUL and SOH are this file's separators
  return part.replace(/[\u0000\u0001]/g, '\u0002');
}
