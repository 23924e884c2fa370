/** SHA-256 digests (hex) over the canonical form of an instance: equal exactly when the content is, whatever its encoding. */
import { createHash } from 'node:crypto';
import { type CanonicalPart, canonicalElement, canonicalParts, isContent } from './canonical.ts';
import { inLittleEndian } from './little-endian.ts';
import { NORMALISED } from './normalisation.ts';
import type { P10 } from './p10.ts';

/** Bytes of a big value that are hashed at once; a multiple of every word's width. */
const STEP_BYTES = 1024 * 1024;
const NORMALISED_TAGS = new Set(Object.values(NORMALISED).flat());

/** Of the data set without group 0002, group lengths and pixel values. Reads big binary values from the source in steps. */
export function datasetDigest(p10: P10): Promise<string> {
  return digestOf(p10, canonicalParts(p10.dataset, isContent));
}

/** Over the elements that HealthImaging lifts to patient, study and series; absent and empty differ. */
export function normalisedDigest(p10: P10): Promise<string> {
  return digestOf(
    p10,
    canonicalParts(p10.dataset, (tag) => NORMALISED_TAGS.has(tag)),
  );
}

/** Of each normalised element that is there, by tag: to compare whole series without their values. */
export async function normalisedElementDigests(p10: P10): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const tag of NORMALISED_TAGS) {
    const element = p10.dataset.elements.get(tag);
    if (element) found.set(tag, await digestOf(p10, canonicalElement(p10.dataset, element)));
  }
  return found;
}

async function digestOf(p10: P10, parts: readonly CanonicalPart[]): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) {
    if (part instanceof Uint8Array) {
      hash.update(part);
      continue;
    }
    const { offset, length } = part;
    for (let at = 0; at < length; at += STEP_BYTES) {
      const bytes = await p10.source.read(offset + at, offset + Math.min(length, at + STEP_BYTES));
      hash.update(inLittleEndian(part, bytes));
    }
  }
  return hash.digest('hex');
}
