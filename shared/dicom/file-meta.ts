/** The beginning of a P10 object (PS3.10 7.1): preamble, marker and group 0002, also where writers left some of it out. */
import type { ByteSource } from './byte-source.ts';
import type { ByteWindow } from './byte-window.ts';
import type { DataSet, Element } from './data-set.ts';
import { DicomError, type DicomWarning } from './dicom-error.ts';
import { lookUp } from './dictionary.ts';
import { type Encoding, looksExplicit, readHeader, readTag } from './element-header.ts';
import { foreignFormat } from './foreign-formats.ts';
import { latin1Text } from './latin1.ts';
import type { ParsedDataSet } from './parse-frames.ts';

export interface FileMeta {
  readonly transferSyntaxUID: string;
  readonly mediaStorageSOPClassUID?: string;
  readonly mediaStorageSOPInstanceUID?: string;
  /** All elements of group 0002; empty where the file has none. */
  readonly dataSet: DataSet;
}

/** Bytes in front of the marker. */
export const PREAMBLE_BYTES = 128;
const TRANSFER_SYNTAX_UID = 0x00020010;

/** Where the elements begin, and what was missing in front of them. */
export interface Start {
  readonly at: number;
  readonly hasPreamble: boolean;
  readonly warnings: readonly DicomWarning[];
  /** Set when a data set begins here without file meta information. */
  readonly encoding?: Encoding;
}

/** Finds the file meta information: after the preamble, or at the very start where the preamble is missing. */
export function findStart(window: ByteWindow): Start {
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

export function notP10(window: ByteWindow, cause?: DicomError): DicomError {
  if (cause)
    return new DicomError(
      'NotP10',
      `byte ${PREAMBLE_BYTES}`,
      `expected the DICM marker, got what may be a bare data set, broken (${cause.message})`,
      {},
      { cause },
    );
  const { sizeBytes } = window.source;
  const got = `${foreignFormat(window.slice(0, 64))} (${sizeBytes} bytes)`;
  return new DicomError('NotP10', `byte ${PREAMBLE_BYTES}`, `expected the DICM marker, got ${got}`, {
    sizeBytes,
  });
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

export function fileMeta(dataSet: DataSet, at: number): FileMeta {
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
export function checkGroupLength(group2: ParsedDataSet, source: ByteSource): void {
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
export function groupLengthWarning(group2: ParsedDataSet, start: number): DicomWarning[] {
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
