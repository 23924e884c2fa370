/** Words of a value in little endian, whatever the file's byte order. */
import type { Element } from './data-set.ts';
import { representation } from './value-representations.ts';

/** The bytes themselves, or a copy with its words swapped where the element is big endian. */
export function inLittleEndian(element: Element, bytes: Uint8Array): Uint8Array {
  const { width } = representation(element.vr);
  if (element.littleEndian || width === 1) return bytes;
  const copy = Buffer.from(bytes.subarray(0, bytes.length - (bytes.length % width)));
  if (width === 2) copy.swap16();
  else if (width === 4) copy.swap32();
  else copy.swap64();
  return copy;
}
