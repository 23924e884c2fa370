/**
 * Parses a data set (PS3.5 chapter 7) over a window of its source, without recursion: depth, number of elements and
 * bytes are bounded, each length is checked against what holds it, and pixel values are stepped over, never read.
 */
import type { ByteWindow } from './byte-window.ts';
import { type DataSet, type Element, HeldElement } from './data-set.ts';
import { DicomError, type DicomWarning } from './dicom-error.ts';
import { isPrivate, nameOf } from './dictionary.ts';
import {
  type ElementHeader,
  type Encoding,
  impliedVr,
  looksExplicit,
  readHeader,
  readTag,
  UNDEFINED_LENGTH,
} from './element-header.ts';
import { type FaultPlace, malformed, truncated, unclosed } from './parse-faults.ts';
import {
  type Frame,
  isPixelTag,
  type MutableDataSet,
  type OpenElement,
  type ParsedDataSet,
  type ParseOptions,
  type PixelElement,
} from './parse-frames.ts';
import { settledEncoding } from './settle-encoding.ts';
import { representation } from './value-representations.ts';

export type { Fragment, ParsedDataSet, ParseLimits, ParseOptions, PixelElement } from './parse-frames.ts';

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

/** What an item without elements holds: a Map each would be four times the item. */
const NO_ELEMENTS: ReadonlyMap<number, Element> = new Map();

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
      if (frame.delimited) throw unclosed(frame.element?.tag, this.place(frame));
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
    if (frame.isFirst) this.settle(frame, at);
    const header = readHeader(this.window.view, at, frame.encoding);
    if (!header)
      throw truncated(readTag(this.window.view, at, frame.encoding.littleEndian), 12, this.place(frame));
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
    if (offset + length > frame.end) throw truncated(tag, headerBytes + length, this.place(frame));
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
        throw malformed(tag, `undefined length in an element of VR ${vr}`, { offset: start });
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
      throw malformed(
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
      throw truncated(frame.element?.tag ?? 0, 8 + length, this.place(frame));
    this.count(8);
    this.position = offset;
    const dataSet: MutableDataSet = { elements: NO_ELEMENTS, parent: frame.dataSet };
    frame.items.push(dataSet);
    this.push('dataSet', dataSet, frame.encoding, isDelimited ? frame.end : offset + length, isDelimited);
    return 0;
  }

  private fragment(frame: Frame, length: number): number {
    const offset = this.position + 8;
    if (length === UNDEFINED_LENGTH || offset + length > frame.end)
      throw truncated(frame.element?.tag ?? 0, 8 + length, this.place(frame));
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
      throw malformed(header.tag, `an item outside of a sequence at byte ${this.position}`, {
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
    throw truncated(frame.element?.tag, 8, this.place(frame));
  }

  /** Zero bytes after the data set: written by some media tools to fill a block. */
  private trailingBytes(frame: Frame): number {
    const rest = this.window.slice(this.position, this.size - this.position);
    if (!rest.every((byte) => byte === 0))
      throw malformed(0, `an element of group 0000 at byte ${this.position}`, { offset: this.position });
    this.warn('TrailingBytes', `${frame.end - this.position} zero bytes after the data set`);
    return this.finish();
  }

  /** The first element of a data set shows whether it is written as its transfer syntax says. */
  private settle(frame: Frame, at: number): void {
    const isItem = !this.isMain(frame);
    if (isItem && (!frame.encoding.explicit || looksExplicit(this.window.view, at))) return;
    const place = { isMain: !isItem, position: this.position, end: frame.end };
    const { encoding, warnings } = settledEncoding(this.window.view, at, frame.encoding, place);
    frame.encoding = encoding;
    for (const { code, message } of warnings) this.warn(code, message);
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
      throw malformed(element.tag, `sequences nested deeper than ${this.options.limits.maxDepth} levels`, {
        offset: element.at,
      });
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
    if (frame.dataSet.elements === NO_ELEMENTS) frame.dataSet.elements = new Map();
    (frame.dataSet.elements as Map<number, Element>).set(element.tag, element);
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

  private place(frame: Frame): FaultPlace {
    return { position: this.position, end: frame.end, sizeBytes: this.size, depth: this.stack.length };
  }
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
