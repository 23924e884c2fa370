/**
 * Digests of what an instance says, whatever its encoding: byte order, explicit or implicit VR, defined or undefined
 * lengths, padding and character set do not matter; group 0002, group lengths and pixel values are left out.
 */
import { createHash, type Hash } from 'node:crypto';
import type { DataSet, Element } from './data-set.ts';
import { isPrivate, lookUp } from './dictionary.ts';
import { inLittleEndian } from './metadata.ts';
import { NORMALISED } from './normalisation.ts';
import type { P10 } from './p10.ts';
import { representation } from './value-representations.ts';
import { rawText } from './values.ts';

/** Bytes of a big value that are hashed at once. */
const STEP_BYTES = 1024 * 1024;
/** Elements about the encoding, not the content: character set, data set trailing padding. */
const ENCODING_TAGS = new Set([0x00080005, 0xfffcfffc]);

type Source = P10['source'];

/** SHA-256 (hex) of the canonical data set. Reads big binary values from the source in steps. */
export async function datasetDigest(p10: P10): Promise<string> {
  const hash = createHash('sha256');
  await addDataSet(hash, p10.source, p10.dataset, isContent);
  return hash.digest('hex');
}

const NORMALISED_TAGS = new Set(Object.values(NORMALISED).flat());

/** SHA-256 (hex) over the elements that HealthImaging lifts to patient, study and series; absent and empty differ. */
export async function normalisedDigest(p10: P10): Promise<string> {
  const hash = createHash('sha256');
  await addDataSet(hash, p10.source, p10.dataset, (tag) => NORMALISED_TAGS.has(tag));
  return hash.digest('hex');
}

/** SHA-256 (hex) of each normalised element that is there, by tag: to compare whole series without their values. */
export async function normalisedElementDigests(p10: P10): Promise<Map<number, string>> {
  const found = new Map<number, string>();
  for (const tag of NORMALISED_TAGS) {
    const element = p10.dataset.elements.get(tag);
    if (!element) continue;
    const hash = createHash('sha256');
    await addElement(hash, p10.source, p10.dataset, element);
    found.set(tag, hash.digest('hex'));
  }
  return found;
}

function isContent(tag: number): boolean {
  return (tag & 0xffff) !== 0 && tag >>> 16 !== 0x7fe0 && !ENCODING_TAGS.has(tag);
}

async function addDataSet(
  hash: Hash,
  source: Source,
  dataSet: DataSet,
  wants: (tag: number) => boolean,
): Promise<void> {
  const tags = [...dataSet.elements.keys()].filter(wants).sort((a, b) => a - b);
  for (const tag of tags) await addElement(hash, source, dataSet, dataSet.elements.get(tag) as Element);
}

/** Tag, kind and length come before each value, so that no two data sets run together to the same bytes. */
async function addElement(hash: Hash, source: Source, dataSet: DataSet, element: Element): Promise<void> {
  if (element.items) {
    addHeader(hash, element.tag, 'S', element.items.length);
    for (const item of element.items) {
      hash.update('{');
      await addDataSet(hash, source, item, isContentOfItem);
      hash.update('}');
    }
    return;
  }
  if (!element.value && element.length > 0) return addFromSource(hash, source, element);
  const bytes = canonical(dataSet, element);
  addHeader(hash, element.tag, 'V', bytes.length);
  hash.update(bytes);
}

/** Inside of items the pixel group is content: an icon is no image of ours. */
function isContentOfItem(tag: number): boolean {
  return (tag & 0xffff) !== 0 && !ENCODING_TAGS.has(tag);
}

async function addFromSource(hash: Hash, source: Source, element: Element): Promise<void> {
  const { offset, length } = element;
  addHeader(hash, element.tag, 'V', length);
  for (let at = 0; at < length; at += STEP_BYTES) {
    const bytes = await source.read(offset + at, offset + Math.min(length, at + STEP_BYTES));
    hash.update(inLittleEndian(element, bytes));
  }
}

function addHeader(hash: Hash, tag: number, kind: 'S' | 'V', length: number): void {
  const header = Buffer.alloc(9);
  header.writeUInt32BE(tag, 0);
  header.write(kind, 4, 'latin1');
  header.writeUInt32BE(length, 5);
  hash.update(header);
}

/**
 * Text of standard elements in UTF-8 without padding; all else little endian. Private text stays as it stands, as
 * implicit VR does not tell that it is text.
 */
function canonical(dataSet: DataSet, element: Element): Uint8Array {
  const value = element.value ?? new Uint8Array(0);
  const { kind, splits } = representation(element.vr);
  if (kind !== 'text') return inLittleEndian(element, value);
  if (isPrivate(element.tag) || !lookUp(element.tag)) return value;
  const whole = rawText(dataSet, element) ?? '';
  const values = splits ? whole.split('\\') : [whole];
  return Buffer.from(values.map((part) => trimmed(part, element.vr)).join('\\'), 'utf8');
}

/** Leading spaces are insignificant but in the long texts (PS3.5 6.2). */
function trimmed(value: string, vr: string): string {
  const end = value.replace(/[\0 ]+$/, '');
  return vr === 'LT' || vr === 'ST' || vr === 'UT' ? end : end.replace(/^ +/, '');
}
