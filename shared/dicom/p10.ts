/**
 * Reads a P10 object (PS3.10 chapter 7) over ranged reads: file meta information and data set, all but the pixel
 * values. What writers get wrong and readers can repair is read with a warning; the rest is a DicomError.
 */
import type { ByteSource } from './byte-source.ts';
import { ByteWindow } from './byte-window.ts';
import type { DataSet } from './data-set.ts';
import { DicomError, type DicomWarning } from './dicom-error.ts';
import { lookUp } from './dictionary.ts';
import type { Encoding } from './element-header.ts';
import {
  checkGroupLength,
  type FileMeta,
  fileMeta,
  findStart,
  groupLengthWarning,
  notP10,
  PREAMBLE_BYTES,
} from './file-meta.ts';
import { inflatedSource } from './inflated-source.ts';
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
export type { FileMeta } from './file-meta.ts';
export type { Fragment } from './parse-frames.ts';
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
  // What a process of 256 MB holds; as JSON more would not fit into the 50 MB of a metadata document.
  maxElements: 800_000,
  maxMetadataBytes: 50 * 1024 * 1024,
  maxHeldBytes: 64 * 1024,
  maxInflatedBytes: 1024 * 1024 * 1024,
  fragments: 'walk',
  firstReadBytes: 64 * 1024,
};

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
