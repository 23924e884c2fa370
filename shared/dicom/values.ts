/** Values of elements as text and numbers, by keyword or tag. Nothing here throws on odd values: they are undefined. */
import { characterSetOf, decodeText } from './character-sets.ts';
import type { DataSet, Element } from './data-set.ts';
import { tagOf } from './dictionary.ts';
import { latin1Text } from './latin1.ts';
import { representation } from './value-representations.ts';

/** A P10 object (its data set is meant) or a data set. */
export type Elements = DataSet | { readonly dataset: DataSet };
/** A PS3.6 keyword, or a tag as `0xGGGGEEEE`. */
export type ElementName = string | number;

function dataSetOf(elements: Elements): DataSet {
  return 'dataset' in elements ? elements.dataset : elements;
}

/** The element itself, or undefined. */
export function elementOf(elements: Elements, name: ElementName): Element | undefined {
  const tag = typeof name === 'number' ? name : tagOf(name);
  return tag === undefined ? undefined : dataSetOf(elements).elements.get(tag);
}

/** Trailing NUL and spaces are padding (PS3.5 6.2); leading spaces count in LT, ST, UT, PN and are kept by us everywhere. */
export function withoutPadding(value: string): string {
  let end = value.length;
  while (end > 0 && (value.charCodeAt(end - 1) === 0x20 || value.charCodeAt(end - 1) === 0)) end--;
  return value.slice(0, end);
}

/** A text element as it is, in unicode, its values not parted. */
export function rawText(dataSet: DataSet, element: Element): string | undefined {
  if (!element.value) return undefined;
  const { usesCharacterSet } = representation(element.vr);
  if (!usesCharacterSet) return latin1Text(element.value);
  return decodeText(element.value, characterSetOf(dataSet), element.vr);
}

/** Values of a text element, each without its padding; of a binary number element, in decimal. Empty when absent or empty. */
export function texts(elements: Elements, name: ElementName): string[] {
  const element = elementOf(elements, name);
  if (!element || element.length === 0) return [];
  const facts = representation(element.vr);
  if (facts.kind === 'number') return numbersOf(element).map(String);
  const whole = rawText(dataSetOf(elements), element);
  if (whole === undefined || facts.kind !== 'text') return [];
  return (facts.splits ? whole.split('\\') : [whole]).map(withoutPadding);
}

/** The whole text of an element, decoded by Specific Character Set, padding trimmed; undefined when absent or empty. */
export function text(elements: Elements, name: ElementName): string | undefined {
  const element = elementOf(elements, name);
  if (!element || element.length === 0) return undefined;
  const { kind, splits } = representation(element.vr);
  if (kind !== 'text') return texts(elements, name).join('\\') || undefined;
  const whole = rawText(dataSetOf(elements), element) ?? '';
  const isOne = !splits || !whole.includes('\\');
  return (isOne ? withoutPadding(whole) : whole.split('\\').map(withoutPadding).join('\\')) || undefined;
}

const READERS: Readonly<
  Record<string, (view: DataView, at: number, littleEndian: boolean) => number | bigint>
> = {
  US: (view, at, little) => view.getUint16(at, little),
  SS: (view, at, little) => view.getInt16(at, little),
  UL: (view, at, little) => view.getUint32(at, little),
  SL: (view, at, little) => view.getInt32(at, little),
  FL: (view, at, little) => view.getFloat32(at, little),
  FD: (view, at, little) => view.getFloat64(at, little),
  UV: (view, at, little) => view.getBigUint64(at, little),
  SV: (view, at, little) => view.getBigInt64(at, little),
};

/** The numbers of a binary number element (US, SS, UL, SL, UV, SV, FL, FD); 64-bit ones above 2^53 lose their last digits. */
export function numbersOf(element: Element): number[] {
  const read = READERS[element.vr];
  const { value } = element;
  if (!read || !value) return [];
  const { width } = representation(element.vr);
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const found: number[] = [];
  for (let at = 0; at + width <= view.byteLength; at += width)
    found.push(Number(read(view, at, element.littleEndian)));
  return found;
}

/** Numbers of a binary or decimal-string (IS, DS) element; what is no number is left out. */
export function numbers(elements: Elements, name: ElementName): number[] {
  const element = elementOf(elements, name);
  if (!element) return [];
  if (READERS[element.vr]) return numbersOf(element);
  return texts(elements, name)
    .map((value) => value.trim())
    .filter((value) => /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(value))
    .map(Number);
}

export function integers(elements: Elements, name: ElementName): number[] {
  return numbers(elements, name).filter(Number.isSafeInteger);
}

/** The first value, when it is a whole number. */
export function integer(elements: Elements, name: ElementName): number | undefined {
  const [first] = numbers(elements, name);
  return first !== undefined && Number.isSafeInteger(first) ? first : undefined;
}
