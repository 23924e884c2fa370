/** Parts of a source as one: the fragments of a frame without the item headers between them, read by ranges. */
import type { ByteSource } from '../dicom/byte-source.ts';
import { type Fragment, truncated } from './fragments.ts';

export function joinedSource(source: ByteSource, parts: readonly Fragment[]): ByteSource {
  /** Where each part begins in the whole. */
  const begins: number[] = [];
  let sizeBytes = 0;
  for (const { start, end } of parts) {
    begins.push(sizeBytes);
    sizeBytes += end - start;
  }
  return {
    sizeBytes,
    async read(start, end) {
      const out = new Uint8Array(Math.max(0, Math.min(end, sizeBytes) - start));
      let at = 0;
      for (let index = partAt(begins, start); at < out.length; index++) {
        const part = parts[index]!;
        const from = part.start + start + at - begins[index]!;
        const to = Math.min(part.end, from + out.length - at);
        const bytes = await source.read(from, to);
        if (bytes.length < to - from) throw truncated('the source ends early', to - from, bytes.length);
        out.set(bytes, at);
        at += to - from;
      }
      return out;
    },
  };
}

/** The last part that begins at or before `offset`: also past any empty ones. */
function partAt(begins: readonly number[], offset: number): number {
  let [low, high] = [0, begins.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (begins[middle]! <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}
