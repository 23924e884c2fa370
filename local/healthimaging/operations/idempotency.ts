/**
 * `clientToken`: the same token with the same request gives the first answer again; with another request it is a
 * conflict. Durable with the resource it made, without end (the service does not document its window).
 */
import { createHash } from 'node:crypto';
import { conflict } from '../errors.ts';
import { type Operation, put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

interface TokenRecord {
  readonly digest: string;
  readonly id: string;
}

/** The id that this token made before, if it did. Throws ConflictException for another request. */
export async function replayed(
  store: Store,
  scope: string,
  clientToken: string,
  request: object,
): Promise<string | undefined> {
  const known = await store.database.get<TokenRecord>(keyOf('token', scope, clientToken));
  if (known && known.digest !== digestOf(request)) {
    throw conflict('clientToken was used before with other parameters');
  }
  return known?.id;
}

export function rememberToken(scope: string, clientToken: string, request: object, id: string): Operation {
  return put(keyOf('token', scope, clientToken), { digest: digestOf(request), id } satisfies TokenRecord);
}

function digestOf(request: object): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(request)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, item]) => [key, sorted(item)]);
}
