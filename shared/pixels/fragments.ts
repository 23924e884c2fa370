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

/** The values of all items between `start` and `end`: the basic offset table, then the fragments. A header or value that leaves the element throws PixelDataTruncated. */
export async function walkItems(source: ByteSource, start: number, end: number): Promise<Fragment[]> {
  const limit = Math.min(end, source.sizeBytes);
  const items: Fragment[] = [];
  let window = { start: 0, bytes: new Uint8Array() };
  for (let at = start; at < limit; ) {
    if (at + HEADER_BYTES > limit) throw truncated('an item header is cut short', at, limit);
    if (at < window.start || at + HEADER_BYTES > window.start + window.bytes.length)
      window = await readWindow(source, at, limit);
    const view = new DataView(window.bytes.buffer, window.bytes.byteOffset + at - window.start, HEADER_BYTES);
    const tag = view.getUint16(0, true) * 0x10000 + view.getUint16(2, true);
    const length = view.getUint32(4, true);
    if (tag === SEQUENCE_DELIMITER) return items;
    if (tag !== ITEM) throw truncated('no item where a fragment should start', at, limit);
    const item = { start: at + HEADER_BYTES, end: at + HEADER_BYTES + length };
    if (item.end > limit) throw truncated('a fragment is cut short', item.end, limit);
    items.push(item);
    at = item.end;
  }
  return items;
}

async function readWindow(
  source: ByteSource,
  at: number,
  limit: number,
): Promise<{ start: number; bytes: Uint8Array<ArrayBuffer> }> {
  const bytes = new Uint8Array(await source.read(at, Math.min(at + WINDOW_BYTES, limit)));
  if (bytes.length < HEADER_BYTES)
    throw truncated('the source ends early', at + HEADER_BYTES, at + bytes.length);
  return { start: at, bytes };
}

export function truncated(problem: string, wanted: number, got: number): DicomError {
  return new DicomError('PixelDataTruncated', 'PixelData', `${problem} (wanted ${wanted}, got ${got})`, {
    wanted,
    got,
  });
}
