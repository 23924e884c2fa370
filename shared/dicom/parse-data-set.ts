/**
 * Parses a data set (PS3.5 chapter 7) over a window of its source, without recursion: depth, number of elements and
 * bytes are bounded, each length is checked against what holds it, and pixel values are stepped over, never read.
 */
import type { ByteWindow } from './byte-window.ts';
import { type DataSet, type Element, HeldElement } from './data-set.ts';
import { DicomError, type DicomErrorCode, type DicomWarning } from './dicom-error.ts';
import { isPrivate, lookUp, nameOf } from './dictionary.ts';
import {
  type ElementHeader,
  type Encoding,
  impliedVr,
  looksExplicit,
  readHeader,
  readTag,
  UNDEFINED_LENGTH,
} from './element-header.ts';
import { representation } from './value-representations.ts';

export interface ParseLimits {
  /** Sequences inside of sequences. */
  readonly maxDepth: number;
  /** Elements, items and fragments of the whole object. */
  readonly maxElements: number;
  /** Bytes of all elements but pixel data and private binary values over 1 MB (which HealthImaging stores aside). */
  readonly maxMetadataBytes: number;
  /** Binary values longer than this are not held in memory. */
  readonly maxHeldBytes: number;
}

export interface Fragment {
  readonly offset: number;
  readonly length: number;
}

export interface PixelElement {
  readonly tag: number;
  readonly vr: string;
  readonly offset: number;
  readonly lengthBytes: number;
  readonly encapsulated: boolean;
  readonly littleEndian: boolean;
  /** First byte after the element; the end of the source where the fragments were not walked. */
  readonly endBytes: number;
  /** All items of the encapsulated value, the basic offset table first; absent when native or not walked. */
  readonly fragments?: readonly Fragment[];
}

export interface ParsedDataSet {
  readonly dataSet: DataSet;
  readonly pixelData?: PixelElement;
  readonly metadataBytes: number;
  /** Where reading stopped: the first byte not belonging to the data set. */
  readonly end: number;
  readonly warnings: readonly DicomWarning[];
}

export interface ParseOptions {
  readonly limits: ParseLimits;
  /** Fragments of the main pixel data: walk them all, or only when at most this many bytes are left. */
  readonly walkFragmentsUpTo: number;
  /** Stops in front of the first element of the main data set that is not of this group. */
  readonly onlyGroup?: number;
}

const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const PIXEL_DATA = 0x7fe00010;
const PIXEL_REPRESENTATION = 0x00280103;
const IMPLICIT: Encoding = { explicit: false, littleEndian: true };
/** HealthImaging keeps private binary values above 1 MB outside of the metadata document. */
const SET_ASIDE_BYTES = 1024 * 1024;
/** Fragments longer than this are stepped over by small reads of their own. */
const FAR_STEP_BYTES = 64 * 1024;

interface MutableDataSet extends DataSet {
  readonly elements: Map<number, Element>;
}
/** An element whose value is being read, item by item. */
interface OpenElement {
  readonly tag: number;
  readonly vr: string;
  /** Of its header, and of its value. */
  readonly at: number;
  readonly offset: number;
}

interface Frame {
  readonly kind: 'dataSet' | 'items' | 'fragments';
  readonly dataSet: MutableDataSet;
  encoding: Encoding;
  /** Where it ends; the end of what holds it when `delimited`. */
  readonly end: number;
  readonly delimited: boolean;
  isFirst: boolean;
  /** Of 'items' and 'fragments': the element that they are the value of. */
  readonly element?: OpenElement | undefined;
  readonly items: DataSet[];
  readonly fragments: Fragment[];
  /** An UN element taken for a sequence: when it is none after all, counters go back to these. */
  readonly guess?: { readonly elements: number; readonly metadataBytes: number } | undefined;
}

function isPixelTag(tag: number): boolean {
  return tag === PIXEL_DATA || tag === 0x7fe00008 || tag === 0x7fe00009;
}

class Parser {
  private readonly window: ByteWindow;
  private readonly options: ParseOptions;
  private readonly size: number;
  private readonly stack: Frame[] = [];
  private readonly warned = new Map<string, DicomWarning>();
  /** Offsets of UN elements that are no sequences. */
  private readonly notSequences = new Set<number>();
  private position: number;
  private elements = 0;
  private metadataBytes = 0;
  private pixelData: PixelElement | undefined;
  private finished = false;

  constructor(window: ByteWindow, start: number, options: ParseOptions) {
    this.window = window;
    this.options = options;
    this.position = start;
    this.size = window.source.sizeBytes;
  }

  async run(encoding: Encoding): Promise<ParsedDataSet> {
    const dataSet: MutableDataSet = { elements: new Map() };
    this.push('dataSet', dataSet, encoding, this.size, false);
    while (!this.finished) {
      const frame = this.stack.at(-1);
      if (!frame) break;
      let wanted = 0;
      try {
        wanted = this.step(frame);
      } catch (error) {
        this.takeGuessBack(error);
      }
      if (wanted > 0)
        await this.window.load(this.position, wanted, frame.kind === 'fragments' && this.isFar(frame));
    }
    return {
      dataSet,
      ...(this.pixelData ? { pixelData: this.pixelData } : {}),
      metadataBytes: this.metadataBytes,
      end: this.position,
      warnings: [...this.warned.values()],
    };
  }

  /** Takes one step inside of `frame`. Answers how many bytes it wants to see at `position` first; 0 when it went on. */
  private step(frame: Frame): number {
    if (this.position >= frame.end) {
      if (frame.delimited) throw this.unclosed(frame);
      return this.close(frame);
    }
    const left = frame.end - this.position;
    if (left < 8) return this.tooShort(frame, left);
    if (!this.window.has(this.position, Math.min(12, left))) return Math.min(12, left);
    if (frame.kind === 'dataSet') return this.stepElement(frame);
    return this.stepItem(frame);
  }

  private stepElement(frame: Frame): number {
    const at = this.position - this.window.start;
    if (frame.isFirst) this.settleEncoding(frame, at);
    const header = readHeader(this.window.view, at, frame.encoding);
    if (!header) throw this.truncated(readTag(this.window.view, at, frame.encoding.littleEndian), 12, frame);
    const { tag } = header;
    if (tag >>> 16 === 0xfffe) return this.delimiter(frame, header);
    if (this.isMain(frame)) {
      if (this.options.onlyGroup !== undefined && tag >>> 16 !== this.options.onlyGroup) return this.finish();
      if (tag >>> 16 === 0 && !frame.isFirst) return this.trailingBytes(frame);
    }
    frame.isFirst = false;
    return this.element(frame, header);
  }

  private element(frame: Frame, header: ElementHeader): number {
    const { tag, headerBytes, length } = header;
    const start = this.position;
    const offset = start + headerBytes;
    const isImplied = header.vr === undefined || header.vr === 'UN';
    const vr = isImplied ? impliedVr(tag, () => isSigned(frame.dataSet)) : (header.vr as string);
    if (header.oddity)
      this.warn(
        'OddVr',
        `${nameOf(tag)} at byte ${start}: ${header.oddity === 'noVr' ? 'no VR in explicit VR' : 'unknown VR, read as UN'}`,
      );
    if (length === UNDEFINED_LENGTH) return this.undefinedLength(frame, header, vr, offset);
    if (offset + length > frame.end) throw this.truncated(tag, headerBytes + length, frame);
    if (this.isMain(frame) && isPixelTag(tag)) return this.nativePixels(frame, header, vr, offset);
    const encoding = header.vr === 'UN' ? IMPLICIT : frame.encoding;
    if (vr === 'SQ' && header.vr !== 'SQ' && length >= 8 && !this.window.has(offset, 4))
      return headerBytes + 8;
    if (vr === 'SQ' && !this.notSequences.has(start) && this.mayBeSequence(header, offset, frame.encoding)) {
      const guess = header.vr !== 'SQ' && frame.encoding.explicit;
      this.count(headerBytes);
      this.position = offset;
      this.pushSequence(frame, { tag, vr: 'SQ', at: start, offset }, encoding, offset + length, false, guess);
      return 0;
    }
    return this.leaf(frame, tag, vr === 'SQ' ? 'UN' : vr, headerBytes, length, encoding.littleEndian);
  }

  /** A sequence by the dictionary alone (UN, implicit VR) is one only when it begins with an item. */
  private mayBeSequence(header: ElementHeader, offset: number, encoding: Encoding): boolean {
    if (header.vr === 'SQ' || header.length === 0) return true;
    if (header.length < 8) return false;
    const littleEndian = header.vr === 'UN' || encoding.littleEndian;
    return readTag(this.window.view, offset - this.window.start, littleEndian) === ITEM;
  }

  /** An element with a plain value of known length. */
  private leaf(
    frame: Frame,
    tag: number,
    vr: string,
    headerBytes: number,
    length: number,
    littleEndian: boolean,
  ): number {
    const isBinary = representation(vr).kind === 'binary';
    const isHeld = !isBinary || length <= this.options.limits.maxHeldBytes;
    if (!(isBinary && isPrivate(tag) && length > SET_ASIDE_BYTES)) this.checkRoom(headerBytes + length, tag);
    if (isHeld && !this.window.has(this.position, headerBytes + length)) return headerBytes + length;
    const offset = this.position + headerBytes;
    this.count(isBinary && isPrivate(tag) && length > SET_ASIDE_BYTES ? headerBytes : headerBytes + length);
    if (isHeld) {
      const { bytes, start } = this.window;
      this.put(frame, new HeldElement(tag, vr, offset, length, littleEndian, bytes, offset - start));
    } else this.put(frame, { tag, vr, offset, length, littleEndian });
    this.position = offset + length;
    return 0;
  }

  private nativePixels(frame: Frame, header: ElementHeader, vr: string, offset: number): number {
    const { tag, length } = header;
    this.count(0);
    const { littleEndian } = frame.encoding;
    this.put(frame, { tag, vr, offset, length, littleEndian });
    this.position = offset + length;
    this.pixelData = {
      tag,
      vr,
      offset,
      lengthBytes: length,
      encapsulated: false,
      littleEndian,
      endBytes: this.position,
    };
    return 0;
  }

  private undefinedLength(frame: Frame, header: ElementHeader, vr: string, offset: number): number {
    const { tag } = header;
    const start = this.position;
    const isPixels = tag === PIXEL_DATA || vr === 'OB' || vr === 'OW';
    this.count(header.headerBytes);
    if (!isPixels) {
      if (vr !== 'SQ' && vr !== 'UN')
        throw this.malformed(tag, `undefined length in an element of VR ${vr}`, { offset: start });
      // PS3.5 6.2.2: UN of undefined length is a sequence in implicit VR little endian.
      const encoding = header.vr === 'UN' ? IMPLICIT : frame.encoding;
      this.position = offset;
      this.pushSequence(frame, { tag, vr: 'SQ', at: start, offset }, encoding, frame.end, true, false);
      return 0;
    }
    if (this.isMain(frame) && this.size - offset > this.options.walkFragmentsUpTo)
      return this.unwalkedPixels(frame, tag, vr, offset);
    this.position = offset;
    this.push('fragments', frame.dataSet, frame.encoding, frame.end, true, { tag, vr, at: start, offset });
    return 0;
  }

  /** Encapsulated pixel data that nobody asked to walk: it is taken to reach to the end of the file. */
  private unwalkedPixels(frame: Frame, tag: number, vr: string, offset: number): number {
    this.put(frame, { tag, vr, offset, length: this.size - offset, littleEndian: true, encapsulated: true });
    this.pixelData = {
      tag,
      vr,
      offset,
      lengthBytes: this.size - offset,
      encapsulated: true,
      littleEndian: frame.encoding.littleEndian,
      endBytes: this.size,
    };
    this.position = this.size;
    return this.finish();
  }

  /** Items of a sequence, or of encapsulated pixel data. */
  private stepItem(frame: Frame): number {
    const at = this.position - this.window.start;
    const tag = readTag(this.window.view, at, frame.encoding.littleEndian);
    const length = this.window.view.getUint32(at + 4, frame.encoding.littleEndian);
    const name = nameOf(frame.element?.tag ?? 0);
    if (tag === SEQUENCE_END) {
      this.position += 8;
      return frame.delimited ? this.close(frame) : 0;
    }
    if (tag === ITEM_END && frame.kind === 'items' && length === 0) {
      this.warn('StrayDelimiter', `${name} at byte ${this.position}: item delimiter without an item`);
      this.position += 8;
      return 0;
    }
    if (tag !== ITEM)
      throw this.malformed(
        frame.element?.tag ?? 0,
        `expected an item at byte ${this.position}, got ${nameOf(tag)}`,
        {
          offset: this.position,
        },
      );
    if (frame.kind === 'fragments') return this.fragment(frame, length);
    const isDelimited = length === UNDEFINED_LENGTH;
    const offset = this.position + 8;
    if (!isDelimited && offset + length > frame.end)
      throw this.truncated(frame.element?.tag ?? 0, 8 + length, frame);
    this.count(8);
    this.position = offset;
    const dataSet: MutableDataSet = { elements: new Map(), parent: frame.dataSet };
    frame.items.push(dataSet);
    this.push('dataSet', dataSet, frame.encoding, isDelimited ? frame.end : offset + length, isDelimited);
    return 0;
  }

  private fragment(frame: Frame, length: number): number {
    const offset = this.position + 8;
    if (length === UNDEFINED_LENGTH || offset + length > frame.end)
      throw this.truncated(frame.element?.tag ?? 0, 8 + length, frame);
    this.count(this.stack.length === 2 ? 0 : 8 + length);
    frame.fragments.push({ offset, length });
    this.position = offset + length;
    return 0;
  }

  /** An item or sequence delimiter where an element was expected. */
  private delimiter(frame: Frame, header: ElementHeader): number {
    if (header.tag === ITEM_END && frame.delimited) {
      this.position += 8;
      return this.close(frame);
    }
    if (header.tag === SEQUENCE_END && frame.delimited) return this.close(frame); // the item's own delimiter is missing
    if (header.tag === ITEM || header.length !== 0)
      throw this.malformed(header.tag, `an item outside of a sequence at byte ${this.position}`, {
        offset: this.position,
      });
    this.warn('StrayDelimiter', `delimiter without a sequence at byte ${this.position}`);
    this.position += 8;
    return 0;
  }

  /** Ends a frame, past its delimiter or its length, and gives its content to the element that it is the value of. */
  private close(frame: Frame): number {
    this.stack.pop();
    const { element } = frame;
    if (frame.kind === 'items' && element) {
      const { tag, offset } = element;
      const { littleEndian } = frame.encoding;
      const length = this.position - offset - (frame.delimited ? 8 : 0);
      this.put(frame, { tag, vr: 'SQ', offset, length, littleEndian, items: frame.items });
    }
    if (frame.kind === 'fragments' && element) this.closeFragments(frame, element);
    return 0;
  }

  private closeFragments(frame: Frame, element: OpenElement): void {
    const { tag, vr, offset } = element;
    const { littleEndian } = frame.encoding;
    const length = this.position - offset - 8;
    this.put(frame, { tag, vr, offset, length, littleEndian, encapsulated: true });
    if (this.stack.length !== 1 || !isPixelTag(tag)) return;
    this.pixelData = {
      tag,
      vr,
      offset,
      lengthBytes: length,
      encapsulated: true,
      littleEndian,
      endBytes: this.position,
      fragments: frame.fragments,
    };
  }

  /** Fewer bytes are left than a header takes. */
  private tooShort(frame: Frame, left: number): number {
    if (!this.window.has(this.position, left)) return left;
    if (
      this.isMain(frame) &&
      this.pixelData &&
      this.window.slice(this.position, left).every((byte) => byte === 0)
    )
      return this.trailingBytes(frame);
    throw this.truncated(frame.element?.tag, 8, frame);
  }

  /** Zero bytes after the data set: written by some media tools to fill a block. */
  private trailingBytes(frame: Frame): number {
    const rest = this.window.slice(this.position, this.size - this.position);
    if (!rest.every((byte) => byte === 0))
      throw this.malformed(0, `an element of group 0000 at byte ${this.position}`, { offset: this.position });
    this.warn('TrailingBytes', `${frame.end - this.position} zero bytes after the data set`);
    return this.finish();
  }

  /** The first element of a data set shows whether it is written as its transfer syntax says. */
  private settleEncoding(frame: Frame, at: number): void {
    const { view } = this.window;
    if (this.isMain(frame)) this.settleByteOrder(frame, at);
    const { explicit, littleEndian } = frame.encoding;
    if (readTag(view, at, littleEndian) >>> 16 === 0xfffe) return;
    if (explicit && !looksExplicit(view, at)) {
      frame.encoding = { explicit: false, littleEndian };
      this.warn('WrongEncoding', `implicit VR where explicit VR was expected, at byte ${this.position}`);
    }
    if (!explicit && this.isMain(frame) && looksExplicit(view, at)) {
      const length = view.getUint32(at + 4, littleEndian);
      if (this.position + 8 + length <= frame.end) return;
      frame.encoding = { explicit: true, littleEndian };
      this.warn('WrongEncoding', `explicit VR where implicit VR was expected, at byte ${this.position}`);
    }
  }

  private settleByteOrder(frame: Frame, at: number): void {
    const { littleEndian } = frame.encoding;
    const asTold = readTag(this.window.view, at, littleEndian);
    const swapped = readTag(this.window.view, at, !littleEndian);
    if (isPlausible(asTold) || !isPlausible(swapped)) return;
    frame.encoding = { ...frame.encoding, littleEndian: !littleEndian };
    this.warn('WrongByteOrder', `${littleEndian ? 'big' : 'little'} endian where the other was expected`);
  }

  private push(
    kind: Frame['kind'],
    dataSet: MutableDataSet,
    encoding: Encoding,
    end: number,
    delimited: boolean,
    element?: Frame['element'],
    guess?: Frame['guess'],
  ): void {
    this.stack.push({
      kind,
      dataSet,
      encoding,
      end,
      delimited,
      isFirst: true,
      items: [],
      fragments: [],
      element,
      guess,
    });
  }

  private pushSequence(
    frame: Frame,
    element: OpenElement,
    encoding: Encoding,
    end: number,
    delimited: boolean,
    isGuess: boolean,
  ): void {
    if (this.stack.length > 2 * this.options.limits.maxDepth)
      throw this.malformed(
        element.tag,
        `sequences nested deeper than ${this.options.limits.maxDepth} levels`,
        {
          offset: element.at,
        },
      );
    const guess = isGuess ? { elements: this.elements, metadataBytes: this.metadataBytes } : undefined;
    this.push('items', frame.dataSet, encoding, end, delimited, element, guess);
  }

  /** An UN element that we took for a sequence was none: read it again as bytes. Rethrows when there was no guess. */
  private takeGuessBack(error: unknown): void {
    const index = this.stack.findLastIndex((frame) => frame.guess !== undefined);
    const guessed = this.stack[index];
    const isStructural =
      error instanceof DicomError && (error.code === 'MalformedDataset' || error.code === 'TruncatedHeader');
    if (!isStructural || !guessed?.guess || !guessed.element) throw error;
    this.stack.length = index;
    this.notSequences.add(guessed.element.at);
    this.position = guessed.element.at;
    this.elements = guessed.guess.elements;
    this.metadataBytes = guessed.guess.metadataBytes;
  }

  private put(frame: Frame, element: Element): void {
    if (frame.dataSet.elements.has(element.tag))
      this.warn(
        'DuplicateElement',
        `${nameOf(element.tag)} occurs twice in one data set; the last one counts`,
      );
    frame.dataSet.elements.set(element.tag, element);
  }

  private count(metadataBytes: number): void {
    this.elements++;
    this.metadataBytes += metadataBytes;
    const { maxElements } = this.options.limits;
    if (this.elements > maxElements)
      throw new DicomError('MetadataTooLarge', `byte ${this.position}`, `more than ${maxElements} elements`, {
        limit: maxElements,
      });
  }

  private checkRoom(bytes: number, tag: number): void {
    const { maxMetadataBytes } = this.options.limits;
    if (this.metadataBytes + bytes > maxMetadataBytes)
      throw new DicomError(
        'MetadataTooLarge',
        nameOf(tag),
        `expected at most ${maxMetadataBytes} bytes besides the pixels, got ${this.metadataBytes + bytes} up to here`,
        { limit: maxMetadataBytes, got: this.metadataBytes + bytes },
      );
  }

  private isMain(frame: Frame): boolean {
    return this.stack[0] === frame;
  }

  private isFar(frame: Frame): boolean {
    return (frame.fragments.at(-1)?.length ?? 0) > FAR_STEP_BYTES;
  }

  private finish(): 0 {
    this.finished = true;
    return 0;
  }

  private warn(code: string, message: string): void {
    if (!this.warned.has(code)) this.warned.set(code, { code, message });
  }

  /** More bytes are announced than are there: in the file, or in what holds the element. */
  private truncated(tag: number | undefined, wanted: number, frame: Frame): DicomError {
    const got = frame.end - this.position;
    const where = tag === undefined ? `byte ${this.position}` : `${nameOf(tag)} at byte ${this.position}`;
    const endsFile = frame.end >= this.size;
    const isPixels = this.stack.length <= 2 && isPixelTag(tag ?? 0);
    let code: DicomErrorCode = endsFile ? 'TruncatedHeader' : 'MalformedDataset';
    if (isPixels) code = 'PixelDataTruncated';
    const holder = endsFile ? 'the file ends' : 'the sequence or item ends';
    return new DicomError(code, where, `expected ${wanted} bytes, got ${got} before ${holder}`, {
      offset: this.position,
      wanted,
      got,
    });
  }

  private unclosed(frame: Frame): DicomError {
    const tag = frame.element?.tag;
    const isPixels = this.stack.length === 2 && tag !== undefined && isPixelTag(tag);
    const where = tag === undefined ? `byte ${this.position}` : nameOf(tag);
    const code = isPixels
      ? 'PixelDataTruncated'
      : frame.end >= this.size
        ? 'TruncatedHeader'
        : 'MalformedDataset';
    return new DicomError(code, where, 'expected a delimiter, got the end of the data', {
      offset: this.position,
    });
  }

  private malformed(tag: number, problem: string, facts: Record<string, string | number>): DicomError {
    return new DicomError('MalformedDataset', nameOf(tag), problem, facts);
  }
}

/** A tag that a data set may well begin with: a standard one, or the length of a standard group below 0060. */
function isPlausible(tag: number): boolean {
  return lookUp(tag) !== undefined || ((tag & 0xffff) === 0 && tag >>> 16 < 0x60 && !isPrivate(tag));
}

function isSigned(dataSet: DataSet): boolean {
  for (let at: DataSet | undefined = dataSet; at; at = at.parent) {
    const value = at.elements.get(PIXEL_REPRESENTATION)?.value;
    if (value) return value.some((byte) => byte !== 0);
  }
  return false;
}

/** Parses the data set at `start`, to the end of the source or of the group asked for. Throws DicomError. */
export function parseDataSet(
  window: ByteWindow,
  start: number,
  encoding: Encoding,
  options: ParseOptions,
): Promise<ParsedDataSet> {
  return new Parser(window, start, options).run(encoding);
}
