/**
 * Reads a P10 object (PS3.10 chapter 7) over ranged reads: file meta information and data set, all but the pixel
 * values. What writers get wrong and readers can repair is read with a warning; the rest is a DicomError.
 */
import type { ByteSource } from './byte-source.ts';
import { ByteWindow } from './byte-window.ts';
import type { DataSet, Element } from './data-set.ts';
import { DicomError, type DicomWarning } from './dicom-error.ts';
import { lookUp } from './dictionary.ts';
import { type Encoding, looksExplicit, readHeader, readTag } from './element-header.ts';
import { inflatedSource } from './inflated-source.ts';
import { latin1Text } from './latin1.ts';
import {
  type Fragment,
  type ParsedDataSet,
  type ParseLimits,
  type PixelElement,
  parseDataSet,
} from './parse-data-set.ts';
import {
  dataSetEncoding,
  EXPLICIT_BIG_ENDIAN,
  EXPLICIT_LITTLE_ENDIAN,
  IMPLICIT_LITTLE_ENDIAN,
} from './transfer-syntaxes.ts';

export type { DataSet, Element } from './data-set.ts';
export { DicomError, type DicomWarning } from './dicom-error.ts';
export type { Fragment } from './parse-data-set.ts';
export { integer, integers, numbers, text, texts } from './values.ts';

export interface P10Limits extends ParseLimits {
  /** A deflated data set may inflate to this many bytes. */
  readonly maxInflatedBytes: number;
  /**
   * Encapsulated pixel data: `walk` steps over all fragments by their headers and reads what follows; a number does so
   * only when at most that many bytes are left; else the pixel data is taken to reach to the end of the file.
   */
  readonly fragments: 'walk' | number;
  /** Size of the first ranged read, bytes. */
  readonly firstReadBytes: number;
}

export const P10_LIMITS: P10Limits = {
  maxDepth: 100,
  maxElements: 2_000_000,
  maxMetadataBytes: 50 * 1024 * 1024,
  maxHeldBytes: 64 * 1024,
  maxInflatedBytes: 1024 * 1024 * 1024,
  fragments: 'walk',
  firstReadBytes: 64 * 1024,
};

export interface FileMeta {
  readonly transferSyntaxUID: string;
  readonly mediaStorageSOPClassUID?: string;
  readonly mediaStorageSOPInstanceUID?: string;
  /** All elements of group 0002; empty where the file has none. */
  readonly dataSet: DataSet;
}

/** The main pixel data: where it lies in `P10.source`. */
export interface PixelData {
  readonly keyword: 'PixelData' | 'FloatPixelData' | 'DoubleFloatPixelData';
  readonly vr: string;
  /** Of the value field; encapsulated: of the basic offset table's item. */
  readonly offset: number;
  /** Of the value field, without the sequence delimiter. */
  readonly lengthBytes: number;
  /** Written with an undefined length, as items. */
  readonly encapsulated: boolean;
  /** Byte order of native OW words and of item headers. */
  readonly littleEndian: boolean;
  /** First byte after the element. */
  readonly endBytes: number;
  /** Encapsulated and walked: the basic offset table's item (maybe empty), then each fragment. */
  readonly fragments?: readonly Fragment[];
}

/** One parsed instance, all but the pixel values. */
export interface P10 {
  readonly meta: FileMeta;
  readonly dataset: DataSet;
  readonly pixelData?: PixelData;
  /** What offsets are in: the file, or the inflated data set when deflated. */
  readonly source: ByteSource;
  /** Bytes of the data set besides pixel data and private binary values above 1 MB. */
  readonly metadataBytes: number;
  /** `DICM` stands where PS3.10 7.1 puts it. */
  readonly hasPreamble: boolean;
  /** False: no group 0002 at all, the transfer syntax is our guess. */
  readonly hasFileMeta: boolean;
  readonly warnings: readonly DicomWarning[];
}

const PREAMBLE_BYTES = 128;
const TRANSFER_SYNTAX_UID = 0x00020010;

/**
 * Reads the instance in `source`. Throws DicomError: NotP10, Empty, TruncatedHeader, NoTransferSyntax,
 * MalformedDataset, MetadataTooLarge, FileTooLarge (inflated), PixelDataTruncated. Pure but for the reads.
 */
export async function readP10(source: ByteSource, limits: Partial<P10Limits> = {}): Promise<P10> {
  const all = { ...P10_LIMITS, ...limits };
  if (source.sizeBytes === 0) throw new DicomError('Empty', 'byte 0', 'expected a P10 object, got 0 bytes');
  const window = new ByteWindow(source, all.firstReadBytes);
  await window.load(0, Math.min(PREAMBLE_BYTES + 16, source.sizeBytes));
  const start = findStart(window);
  if (start.encoding) return readBareDataSet(window, start.at, start.encoding, all);
  const group2 = await parseDataSet(
    window,
    start.at,
    { explicit: true, littleEndian: true },
    {
      limits: all,
      walkFragmentsUpTo: Number.POSITIVE_INFINITY,
      onlyGroup: 2,
    },
  );
  checkGroupLength(group2, source);
  const meta = fileMeta(group2.dataSet, start.at);
  const warnings = [...group2.warnings, ...start.warnings, ...groupLengthWarning(group2, start.at)];
  const encoding = dataSetEncoding(meta.transferSyntaxUID);
  const inner = encoding.deflated ? await inflatedSource(source, group2.end, all.maxInflatedBytes) : source;
  const innerWindow = encoding.deflated ? new ByteWindow(inner, all.firstReadBytes) : window;
  const parsed = await parseMain(innerWindow, encoding.deflated ? 0 : group2.end, encoding, all);
  return assemble(meta, parsed, inner, { hasPreamble: start.hasPreamble, hasFileMeta: true }, warnings);
}

async function readBareDataSet(
  window: ByteWindow,
  at: number,
  encoding: Encoding,
  limits: P10Limits,
): Promise<P10> {
  const parsed = await parseMain(window, at, encoding, limits).catch((cause) => {
    // A guess that does not hold to the end was none: the bytes are something else.
    throw cause instanceof DicomError ? notP10(window, cause) : cause;
  });
  const uid = encoding.explicit
    ? encoding.littleEndian
      ? EXPLICIT_LITTLE_ENDIAN
      : EXPLICIT_BIG_ENDIAN
    : IMPLICIT_LITTLE_ENDIAN;
  const meta = { transferSyntaxUID: uid, dataSet: { elements: new Map() } };
  const warning = {
    code: 'NoFileMeta',
    message: 'no DICM marker and no file meta information: syntax guessed',
  };
  return assemble(meta, parsed, window.source, { hasPreamble: false, hasFileMeta: false }, [warning]);
}

function parseMain(
  window: ByteWindow,
  at: number,
  encoding: Encoding,
  limits: P10Limits,
): Promise<ParsedDataSet> {
  const { fragments } = limits;
  const walkFragmentsUpTo = fragments === 'walk' ? Number.POSITIVE_INFINITY : fragments;
  return parseDataSet(window, at, encoding, { limits, walkFragmentsUpTo });
}

function assemble(
  meta: FileMeta,
  parsed: ParsedDataSet,
  source: ByteSource,
  found: { hasPreamble: boolean; hasFileMeta: boolean },
  warnings: readonly DicomWarning[],
): P10 {
  return {
    meta,
    dataset: parsed.dataSet,
    ...(parsed.pixelData ? { pixelData: pixelData(parsed.pixelData) } : {}),
    source,
    metadataBytes: parsed.metadataBytes,
    ...found,
    warnings: [...warnings, ...parsed.warnings],
  };
}

function pixelData(element: PixelElement): PixelData {
  const { tag, ...rest } = element;
  return { keyword: lookUp(tag)?.keyword as PixelData['keyword'], ...rest };
}

interface Start {
  readonly at: number;
  readonly hasPreamble: boolean;
  readonly warnings: readonly DicomWarning[];
  /** Set when a data set begins here without file meta information. */
  readonly encoding?: Encoding;
}

/** Finds the file meta information: after the preamble, or at the very start where the preamble is missing. */
function findStart(window: ByteWindow): Start {
  const bare =
    isMarker(window, PREAMBLE_BYTES) && !isGroup2(window, PREAMBLE_BYTES + 4) && guessEncoding(window);
  if (bare) return { at: 0, hasPreamble: false, warnings: [], encoding: bare };
  if (isMarker(window, PREAMBLE_BYTES)) return { at: PREAMBLE_BYTES + 4, hasPreamble: true, warnings: [] };
  const warnings = [{ code: 'NoPreamble', message: `no DICM marker at byte ${PREAMBLE_BYTES}` }];
  if (isMarker(window, 0)) return { at: 4, hasPreamble: false, warnings };
  if (window.end >= 8 && isGroup2(window, 0) && looksExplicit(window.view, 0))
    return { at: 0, hasPreamble: false, warnings };
  const encoding = guessEncoding(window);
  if (encoding) return { at: 0, hasPreamble: false, warnings, encoding };
  throw notP10(window);
}

function notP10(window: ByteWindow, cause?: DicomError): DicomError {
  if (cause)
    return new DicomError(
      'NotP10',
      `byte ${PREAMBLE_BYTES}`,
      `expected the DICM marker, got what may be a bare data set, broken (${cause.message})`,
      {},
      { cause },
    );
  const size = window.source.sizeBytes;
  if (size < PREAMBLE_BYTES + 4)
    return new DicomError(
      'NotP10',
      `byte ${PREAMBLE_BYTES}`,
      `expected the DICM marker, got a file of ${size} bytes`,
      {
        sizeBytes: size,
      },
    );
  const got = Buffer.from(window.slice(PREAMBLE_BYTES, 4)).toString('hex');
  return new DicomError('NotP10', `byte ${PREAMBLE_BYTES}`, `expected the DICM marker, got bytes ${got}`);
}

function isMarker(window: ByteWindow, at: number): boolean {
  return latin1Text(window.slice(at, 4)) === 'DICM';
}

function isGroup2(window: ByteWindow, at: number): boolean {
  return window.end >= at + 2 && window.view.getUint16(at, true) === 2;
}

/** A data set without any header, as ACR-NEMA and some exports have it: it begins with a known element of group 0008. */
function guessEncoding(window: ByteWindow): Encoding | undefined {
  const { view } = window;
  if (view.byteLength < 16) return undefined;
  for (const littleEndian of [true, false]) {
    const tag = readTag(view, 0, littleEndian);
    if (tag >>> 16 !== 8 || !((tag & 0xffff) === 0 || lookUp(tag))) continue;
    const encoding = { explicit: looksExplicit(view, 0), littleEndian };
    const header = readHeader(view, 0, encoding);
    if (header && !header.oddity && header.headerBytes + header.length <= window.source.sizeBytes)
      return encoding;
  }
  return undefined;
}

function uidOf(dataSet: DataSet, tag: number): string | undefined {
  const value = dataSet.elements.get(tag)?.value;
  if (!value) return undefined;
  return latin1Text(value).replace(/[\0 ]+$/, '') || undefined;
}

function fileMeta(dataSet: DataSet, at: number): FileMeta {
  const transferSyntaxUID = uidOf(dataSet, TRANSFER_SYNTAX_UID)?.trim();
  if (!transferSyntaxUID)
    throw new DicomError(
      'NoTransferSyntax',
      'TransferSyntaxUID',
      `expected a UID in group 0002 at byte ${at}, got none`,
    );
  const sopClass = uidOf(dataSet, 0x00020002);
  const sopInstance = uidOf(dataSet, 0x00020003);
  return {
    transferSyntaxUID,
    ...(sopClass ? { mediaStorageSOPClassUID: sopClass } : {}),
    ...(sopInstance ? { mediaStorageSOPInstanceUID: sopInstance } : {}),
    dataSet,
  };
}

function endOfGroup2(element: Element, value: Uint8Array): number {
  return element.offset + 4 + new DataView(value.buffer, value.byteOffset, 4).getUint32(0, true);
}

/** A file that ends inside of group 0002 is cut, even where it ends between two elements. */
function checkGroupLength(group2: ParsedDataSet, source: ByteSource): void {
  const element = group2.dataSet.elements.get(0x00020000);
  if (!element?.value || element.value.length < 4 || group2.end < source.sizeBytes) return;
  const told = endOfGroup2(element, element.value);
  if (told <= source.sizeBytes) return;
  const facts = { wanted: told, got: source.sizeBytes };
  throw new DicomError(
    'TruncatedHeader',
    'FileMetaInformationGroupLength',
    `expected group 0002 to end at byte ${told}, the file ends at ${source.sizeBytes}`,
    facts,
  );
}

/** FileMetaInformationGroupLength is never needed to read, but says when a writer was careless. */
function groupLengthWarning(group2: ParsedDataSet, start: number): DicomWarning[] {
  const element = group2.dataSet.elements.get(0x00020000);
  if (!element?.value || element.value.length < 4)
    return [{ code: 'NoMetaLength', message: 'group 0002 has no group length' }];
  const told = endOfGroup2(element, element.value);
  if (told === group2.end) return [];
  return [
    {
      code: 'WrongMetaLength',
      message: `group 0002 at byte ${start} ends at ${group2.end}, its length says ${told}`,
    },
  ];
}
