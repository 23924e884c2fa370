/** Faults of structure as errors: where in the file, how many bytes were wanted, how many are there. */
import { DicomError, type DicomErrorCode } from './dicom-error.ts';
import { nameOf } from './dictionary.ts';
import { isPixelTag } from './parse-frames.ts';

/** Where the parser stood. */
export interface FaultPlace {
  readonly position: number;
  /** Where what holds the element ends. */
  readonly end: number;
  readonly sizeBytes: number;
  /** Open frames: 1 in the main data set, 2 in its pixel data or a sequence's items. */
  readonly depth: number;
}

/** The file is cut, or (where it goes on) a length inside of it lies. Pixel data of the main data set has its own code. */
function codeAt(tag: number | undefined, place: FaultPlace): DicomErrorCode {
  if (place.depth <= 2 && isPixelTag(tag ?? 0)) return 'PixelDataTruncated';
  return place.end >= place.sizeBytes ? 'TruncatedHeader' : 'MalformedDataset';
}

/** More bytes are announced than are there: in the file, or in what holds the element. */
export function truncated(tag: number | undefined, wanted: number, place: FaultPlace): DicomError {
  const { position, end, sizeBytes } = place;
  const got = end - position;
  const where = tag === undefined ? `byte ${position}` : `${nameOf(tag)} at byte ${position}`;
  const holder = end >= sizeBytes ? 'the file ends' : 'the sequence or item ends';
  const facts = { offset: position, wanted, got };
  return new DicomError(
    codeAt(tag, place),
    where,
    `expected ${wanted} bytes, got ${got} before ${holder}`,
    facts,
  );
}

/** An undefined length whose delimiter never comes. */
export function unclosed(tag: number | undefined, place: FaultPlace): DicomError {
  const where = tag === undefined ? `byte ${place.position}` : nameOf(tag);
  const facts = { offset: place.position };
  return new DicomError(codeAt(tag, place), where, 'expected a delimiter, got the end of the data', facts);
}

export function malformed(
  tag: number,
  problem: string,
  facts: Readonly<Record<string, string | number>>,
): DicomError {
  return new DicomError('MalformedDataset', nameOf(tag), problem, { ...facts });
}
