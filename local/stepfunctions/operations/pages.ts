/** Pages over ranges of the journal: a token says where the next page begins, and of which question. */
import { createHash } from 'node:crypto';
import { ServiceError } from '../errors.ts';
import type { Journal } from '../journal/journal.ts';
import { optionalString, pageSize, type Request } from './parse.ts';

export interface Page<T> {
  readonly entries: [string, T][];
  readonly nextToken?: string;
}

/**
 * One page of the entries below `prefix` that `keep` keeps. The token belongs to this prefix and direction: another one
 * is InvalidToken.
 */
export async function readPage<T>(
  journal: Journal,
  request: Request,
  prefix: string,
  options: { reverse?: boolean; keep?: (value: T) => boolean } = {},
): Promise<Page<T>> {
  const { reverse = false, keep = () => true } = options;
  const size = pageSize(request);
  const question = digest(`${prefix}|${reverse}`);
  const token = optionalString(request, 'nextToken', 3096);
  const after = token === undefined ? undefined : keyIn(token, question);
  const entries: [string, T][] = [];
  const from = { reverse, ...(after !== undefined && { after: prefix + after }) };
  for await (const [key, value] of journal.range<T>(prefix, from)) {
    if (!keep(value)) continue;
    if (entries.length === size) {
      const last = entries.at(-1)?.[0] ?? '';
      return { entries, nextToken: tokenOf(last.slice(prefix.length), question) };
    }
    entries.push([key, value]);
  }
  return { entries };
}

const digest = (text: string): string => createHash('sha256').update(text).digest('base64url').slice(0, 12);

const tokenOf = (after: string, question: string): string =>
  Buffer.from(JSON.stringify([question, after])).toString('base64url');

function keyIn(token: string, question: string): string {
  try {
    const [asked, after] = JSON.parse(Buffer.from(token, 'base64url').toString()) as [unknown, unknown];
    if (asked === question && typeof after === 'string') return after;
  } catch {
    // Falls through: not a token of ours.
  }
  throw new ServiceError('InvalidToken', 'Invalid Token: the nextToken is not one of this request');
}
