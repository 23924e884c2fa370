/** The items of an encapsulated PixelData element (PS3.5 A.4), found by their headers, a window of bytes at a time. */
import type { ByteSource } from '../dicom/byte-source.ts';
import { DicomError } from '../dicom/dicom-error.ts';

const ITEM = 0xfffee000;
const SEQUENCE_DELIMITER = 0xfffee0dd;
const HEADER_BYTES = 8;
const WINDOW_BYTES = 64 * 1024;

/** A fragment's value: `start` inclusive, `end` exclusive, in bytes of the source. */
export interface Fragment {
  readonly start: number;
  readonly end: number;
}

/** Reads few bytes at a time, in rising order, out of windows of the source. */
export function windowReader(
  source: ByteSource,
  limit: number,
): (at: number, length: number) => Promise<DataView> {
  let start = 0;
  let bytes = new Uint8Array();
  return async (at, length) => {
    if (at < start || at + length > start + bytes.length) {
      bytes = new Uint8Array(
        await source.read(at, Math.min(Math.max(at + WINDOW_BYTES, at + length), limit)),
      );
      start = at;
      if (bytes.length < length) throw truncated('the source ends early', at + length, at + bytes.length);
    }
    return new DataView(bytes.buffer, bytes.byteOffset + at - start, length);
  };
}

/**
 * The values of all items between `start` and `end`: the basic offset table, then the fragments. A header or value
 * that leaves the element throws PixelDataTruncated.
 */
export async function walkItems(source: ByteSource, start: number, end: number): Promise<Fragment[]> {
  const limit = Math.min(end, source.sizeBytes);
  const read = windowReader(source, limit);
  const items: Fragment[] = [];
  for (let at = start; at < limit; ) {
    if (at + HEADER_BYTES > limit) throw truncated('an item header is cut short', at, limit);
    const header = await read(at, HEADER_BYTES);
    const tag = header.getUint16(0, true) * 0x10000 + header.getUint16(2, true);
    if (tag === SEQUENCE_DELIMITER) return items;
    if (tag !== ITEM) throw truncated('no item where a fragment should start', at, limit);
    const item = { start: at + HEADER_BYTES, end: at + HEADER_BYTES + header.getUint32(4, true) };
    if (item.end > limit) throw truncated('a fragment is cut short', item.end, limit);
    items.push(item);
    at = item.end;
  }
  return items;
}

export function truncated(problem: string, wanted: number, got: number): DicomError {
  return new DicomError('PixelDataTruncated', 'PixelData', `${problem} (wanted ${wanted}, got ${got})`, {
    wanted,
    got,
  });
}
