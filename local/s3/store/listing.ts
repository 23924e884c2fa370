/** Listings in UTF-8 byte order, with prefix and delimiter; a page seeks over what a common prefix rolls up. */
import type { ClassicLevel } from 'classic-level';
import { endOf } from './records.ts';

export interface ListRequest {
  /** The rows' own prefix, ends in NUL. */
  readonly rowPrefix: string;
  readonly prefix: string;
  readonly delimiter: string;
  /** Entries come after this key. */
  readonly after?: { readonly key: string; readonly wholePrefix: boolean };
  readonly limit: number;
}

export type Listed = { readonly key: string; readonly value: unknown } | { readonly commonPrefix: string };

/** Rows read at once. */
const READ_ROWS = 256;

/** Up to `limit` entries, and whether more would follow. */
export async function listRows(
  db: ClassicLevel<string, unknown>,
  request: ListRequest,
): Promise<{ entries: Listed[]; isTruncated: boolean }> {
  const { rowPrefix, prefix, delimiter, limit } = request;
  const base = Buffer.from(rowPrefix, 'utf8');
  const wanted = Buffer.concat([base, Buffer.from(prefix, 'utf8')]);
  const start = startOf(request, base, wanted);
  const end = prefix === '' ? Buffer.from(endOf(rowPrefix), 'utf8') : Buffer.concat([wanted, PAST]);
  if (limit === 0 || Buffer.compare(start.key, end) >= 0) return { entries: [], isTruncated: false };
  const iterator = db.iterator<Buffer, unknown>({
    [start.inclusive ? 'gte' : 'gt']: start.key,
    lt: end,
    keyEncoding: 'buffer',
    valueEncoding: 'json',
    highWaterMarkBytes: 1 << 20,
  });
  const entries: Listed[] = [];
  let rolledUp: Buffer | undefined;
  try {
    for (;;) {
      const page = await iterator.nextv(Math.min(READ_ROWS, limit - entries.length + 1));
      if (page.length === 0) return { entries, isTruncated: false };
      for (const [row, value] of page) {
        if (rolledUp && row.subarray(0, rolledUp.length).equals(rolledUp)) continue;
        if (entries.length === limit) return { entries, isTruncated: true };
        const key = row.toString('utf8', base.length);
        const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
        if (cut < 0) entries.push({ key, value });
        else {
          const commonPrefix = key.slice(0, cut + delimiter.length);
          entries.push({ commonPrefix });
          rolledUp = Buffer.concat([base, Buffer.from(commonPrefix, 'utf8')]);
        }
      }
      const last = page[page.length - 1]![0];
      if (rolledUp && last.subarray(0, rolledUp.length).equals(rolledUp)) {
        iterator.seek(Buffer.concat([rolledUp, PAST]));
      }
    }
  } finally {
    await iterator.close();
  }
}

/** No UTF-8 text has this byte: it sorts behind everything that begins with what precedes it. */
const PAST = Buffer.from([0xff]);

function startOf(request: ListRequest, base: Buffer, wanted: Buffer): { key: Buffer; inclusive: boolean } {
  const { after } = request;
  if (!after) return { key: wanted, inclusive: true };
  const key = Buffer.concat([base, Buffer.from(after.key, 'utf8'), ...(after.wholePrefix ? [PAST] : [])]);
  return Buffer.compare(key, wanted) < 0 ? { key: wanted, inclusive: true } : { key, inclusive: false };
}
