/** Byte ranges: `bytes=a-b`, `bytes=a-`, `bytes=-n` (RFC 9110 section 14); several ranges or nonsense mean the whole object, as in S3. */
import { S3Error } from './s3-error.ts';
import type { ObjectRecord } from './store/records.ts';

/** `end` is exclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Undefined: the whole object. Throws InvalidRange (416). */
export function parseRange(header: string | undefined, size: number): ByteRange | undefined {
  const found = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '');
  if (!found || (found[1] === '' && found[2] === '')) return undefined;
  const [, first, last] = found as unknown as [string, string, string];
  if (first === '') {
    const start = Math.max(0, size - Number(last));
    if (start >= size) throw notSatisfiable(header ?? '', size);
    return { start, end: size };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) throw notSatisfiable(header ?? '', size);
  return { start, end: last === '' ? size : Math.min(size, Number(last) + 1) };
}

/** The range of a part of a multipart object; a plain object is one part. */
export function partRange(text: string, record: ObjectRecord): ByteRange | undefined {
  const number = Number(text);
  if (!/^\d{1,5}$/.test(text) || number < 1)
    throw new S3Error('InvalidArgument', 'partNumber is not a part number');
  if (number > record.segments.length) throw notSatisfiable(`part ${number}`, record.size);
  const start = record.segments.slice(0, number - 1).reduce((sum, segment) => sum + segment.size, 0);
  const end = start + record.segments[number - 1]!.size;
  return record.size === 0 ? undefined : { start, end };
}

const notSatisfiable = (asked: string, size: number) =>
  new S3Error('InvalidRange', undefined, {
    facts: { RangeRequested: asked, ActualObjectSize: String(size) },
    headers: { 'content-range': `bytes */${size}` },
  });
