/**
 * The canonical form of a data set, for digests: tags in order, text of standard elements in UTF-8 without padding,
 * numbers and words in little endian, private and unknown values as they stand. Byte order, explicit or implicit VR,
 * defined or undefined lengths, padding and character set leave no trace in it.
 */
import { characterSetOf, isPlainAscii } from './character-sets.ts';
import { type DataSet, type Element, HeldElement } from './data-set.ts';
import { isPrivate, lookUp } from './dictionary.ts';
import { inLittleEndian } from './little-endian.ts';
import { representation } from './value-representations.ts';
import { rawText } from './values.ts';

/** Canonical bytes, or an element whose value was too big to hold and follows from the source. */
export type CanonicalPart = Uint8Array | Element;

/** Elements about the encoding, not the content: character set, data set trailing padding. */
const CHARACTER_SET = 0x00080005;
const TRAILING_PADDING = 0xfffcfffc;
/** Kind of what follows a tag. */
const VALUE = 0x56;
const SEQUENCE = 0x53;
const ITEM = 0x7b;
const ITEM_END = 0x7d;

/** Content of the main data set: no group lengths, no pixel group, nothing about the encoding. */
export function isContent(tag: number): boolean {
  return tag >>> 16 !== 0x7fe0 && isContentOfItem(tag);
}

/** Inside of items the pixel group is content: an icon is no image of ours. */
function isContentOfItem(tag: number): boolean {
  return (tag & 0xffff) !== 0 && tag !== CHARACTER_SET && tag !== TRAILING_PADDING;
}

/** The canonical form of the elements that `wants` takes, in parts. */
export function canonicalParts(dataSet: DataSet, wants: (tag: number) => boolean): CanonicalPart[] {
  const writer = new PartsWriter();
  addDataSet(writer, dataSet, wants);
  return writer.finish();
}

/** The canonical form of one element. */
export function canonicalElement(dataSet: DataSet, element: Element): CanonicalPart[] {
  const writer = new PartsWriter();
  addElement(writer, dataSet, element);
  return writer.finish();
}

/** Where all canonical forms are written, one after the other; what is finished is copied out. */
let scratch = Buffer.allocUnsafe(64 * 1024);
/** Parts are handed out at this size, so that the scratch stays small. */
const PART_BYTES = 256 * 1024;

/** Tag, kind and length come before each value, so that no two data sets give the same bytes. One at a time. */
class PartsWriter {
  private used = 0;
  private readonly parts: CanonicalPart[] = [];

  header(tag: number, kind: number, length: number): void {
    if (this.used > PART_BYTES) this.flush();
    this.reserve(9);
    scratch.writeUInt32BE(tag, this.used);
    scratch[this.used + 4] = kind;
    scratch.writeUInt32BE(length, this.used + 5);
    this.used += 9;
  }

  byte(value: number): void {
    this.reserve(1);
    scratch[this.used++] = value;
  }

  bytes(value: Uint8Array, start: number, end: number): void {
    this.reserve(end - start);
    if (end - start < 24) {
      for (let at = start; at < end; at++) scratch[this.used++] = value[at] as number;
      return;
    }
    scratch.set(value.subarray(start, end), this.used);
    this.used += end - start;
  }

  /** The length of the last header, once it is known. `since`: what `position()` said just after it. */
  setLength(since: number): void {
    scratch.writeUInt32BE(this.used - since, since - 4);
  }

  position(): number {
    return this.used;
  }

  fromSource(element: Element): void {
    this.flush();
    this.parts.push(element);
  }

  finish(): CanonicalPart[] {
    this.flush();
    if (scratch.length > 4 * PART_BYTES) scratch = Buffer.allocUnsafe(PART_BYTES);
    return this.parts;
  }

  private flush(): void {
    if (this.used > 0) this.parts.push(Buffer.from(scratch.subarray(0, this.used)));
    this.used = 0;
  }

  private reserve(bytes: number): void {
    if (this.used + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafe(Math.max(scratch.length * 2, this.used + bytes));
    larger.set(scratch.subarray(0, this.used));
    scratch = larger;
  }
}

function addDataSet(writer: PartsWriter, dataSet: DataSet, wants: (tag: number) => boolean): void {
  for (const element of inTagOrder(dataSet)) if (wants(element.tag)) addElement(writer, dataSet, element);
}

function inTagOrder(dataSet: DataSet): Iterable<Element> {
  let last = -1;
  for (const tag of dataSet.elements.keys()) {
    if (tag < last) return [...dataSet.elements.values()].sort((a, b) => a.tag - b.tag);
    last = tag;
  }
  return dataSet.elements.values();
}

function addElement(writer: PartsWriter, dataSet: DataSet, element: Element): void {
  if (element.items) {
    addSequence(writer, element, element.items);
    return;
  }
  writer.header(element.tag, VALUE, element.length);
  if (element instanceof HeldElement) addHeld(writer, dataSet, element);
  else if (element.length > 0) writer.fromSource(element);
}

function addHeld(writer: PartsWriter, dataSet: DataSet, element: HeldElement): void {
  const { bytes, at, length, tag } = element;
  const { kind, width } = representation(element.vr);
  if (kind === 'text' && !isPrivate(tag) && lookUp(tag)) addText(writer, dataSet, element);
  else if (element.littleEndian || width === 1) writer.bytes(bytes, at, at + length);
  else {
    const ordered = inLittleEndian(element, element.value);
    writer.bytes(ordered, 0, ordered.length);
  }
}

function addSequence(writer: PartsWriter, element: Element, items: readonly DataSet[]): void {
  writer.header(element.tag, SEQUENCE, items.length);
  for (const item of items) {
    writer.byte(ITEM);
    addDataSet(writer, item, isContentOfItem);
    writer.byte(ITEM_END);
  }
}

/** Leading spaces are insignificant but in the long texts (PS3.5 6.2); trailing spaces and NULs always. */
function addText(writer: PartsWriter, dataSet: DataSet, element: HeldElement): void {
  const { splits, usesCharacterSet } = representation(element.vr);
  const since = writer.position();
  const { at, length } = element;
  const isAscii = isPlainAscii(element.bytes, at, at + length);
  if (isAscii && (!usesCharacterSet || characterSetOf(dataSet).isAsciiBased))
    addValues(writer, element.bytes, at, at + length, splits);
  else {
    const utf8 = Buffer.from(rawText(dataSet, element) ?? '', 'utf8');
    addValues(writer, utf8, 0, utf8.length, splits);
  }
  writer.setLength(since);
}

function addValues(writer: PartsWriter, bytes: Uint8Array, from: number, to: number, splits: boolean): void {
  let start = from;
  for (let at = from; at <= to; at++) {
    if (at < to && !(splits && bytes[at] === 0x5c)) continue;
    if (start > from) writer.byte(0x5c);
    addTrimmed(writer, bytes, start, at, splits);
    start = at + 1;
  }
}

function addTrimmed(
  writer: PartsWriter,
  bytes: Uint8Array,
  from: number,
  to: number,
  trimsStart: boolean,
): void {
  let start = from;
  let end = to;
  while (end > start && (bytes[end - 1] === 0x20 || bytes[end - 1] === 0)) end--;
  while (trimsStart && start < end && bytes[start] === 0x20) start++;
  writer.bytes(bytes, start, end);
}
