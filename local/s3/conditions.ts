/** Conditional requests: reads (RFC 9110 section 13), writes, copies and deletes (S3 user guide, "conditional requests"). */
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';
import type { ObjectRecord } from './store/records.ts';

type Current = ObjectRecord | undefined;

const failed = (condition: string) =>
  new S3Error('PreconditionFailed', undefined, { facts: { Condition: condition } });
export const noSuchKey = (key: string) => new S3Error('NoSuchKey', undefined, { facts: { Key: key } });

/** Whether an If-Match or If-None-Match header names `etag`: a list, `*`, quotes or none. */
export function namesEtag(header: string, etag: string): boolean {
  return header.split(',').some((item) => {
    const name = item
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return name === '*' || name === etag;
  });
}

/** Throws PreconditionFailed or NotModified. `prefix` is `x-amz-copy-source-` for the source of a copy. */
export function checkRead(headers: S3Request['headers'], record: ObjectRecord, prefix = ''): void {
  const ifMatch = headers[`${prefix}if-match`];
  const ifNoneMatch = headers[`${prefix}if-none-match`];
  const unmodified = parseTime(headers[`${prefix}if-unmodified-since`]);
  const modified = parseTime(headers[`${prefix}if-modified-since`]);
  const seconds = Math.floor(record.modified / 1000);
  if (ifMatch !== undefined) {
    if (!namesEtag(ifMatch, record.etag)) throw failed('If-Match');
  } else if (unmodified !== undefined && seconds > unmodified) throw failed('If-Unmodified-Since');
  if (ifNoneMatch !== undefined) {
    if (namesEtag(ifNoneMatch, record.etag)) throw unchanged(record, prefix, 'If-None-Match');
  } else if (modified !== undefined && seconds <= modified)
    throw unchanged(record, prefix, 'If-Modified-Since');
}

function unchanged(record: ObjectRecord, prefix: string, condition: string): S3Error {
  if (prefix !== '') return failed(condition);
  return new S3Error('NotModified', undefined, { headers: { etag: `"${record.etag}"` } });
}

/** Seconds since 1970; undefined when absent or no date (which is ignored, as HTTP asks). */
function parseTime(header: string | undefined): number | undefined {
  const milliseconds = header === undefined ? Number.NaN : Date.parse(header);
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1000);
}

/**
 * The check of a conditional write, to run first at the start (`before`) and again under the lock. S3's answers: 412
 * when the condition fails, 404 when If-Match finds nothing, 409 when it was deleted while the write was on its way.
 */
export function writeCondition(request: S3Request, before: Current): (current: Current) => void {
  const ifNoneMatch = request.headers['if-none-match'];
  const ifMatch = request.headers['if-match'];
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') {
    throw new S3Error('NotImplemented', 'If-None-Match accepts only * on a write.');
  }
  const check = (current: Current): void => {
    if (ifNoneMatch !== undefined && current) throw failed('If-None-Match');
    if (ifMatch === undefined) return;
    if (!current) throw before ? new S3Error('ConditionalRequestConflict') : noSuchKey(request.key);
    if (!namesEtag(ifMatch, current.etag)) throw failed('If-Match');
  };
  check(before);
  return check;
}

/** DeleteObject with If-Match: 404 when there is nothing, 412 when it is another. */
export function deleteCondition(ifMatch: string | undefined, key: string): (current: Current) => void {
  return (current) => {
    if (ifMatch === undefined) return;
    if (!current) throw noSuchKey(key);
    if (!namesEtag(ifMatch, current.etag)) throw failed('If-Match');
  };
}
