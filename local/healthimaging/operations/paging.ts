/** One page of an ordered key range: keyset paging, so that what is added or removed moves nothing else. */
import type { Store } from '../store/store.ts';

/** The model gives 1 to 50; the service does not say what it takes when nothing is asked. */
export const DEFAULT_PAGE = 50;

export interface PageRequest<T> {
  /** The listing and its filters: a token of another one is refused. */
  readonly scope: string;
  readonly range: { readonly gte: string; readonly lt: string };
  readonly limit: number;
  readonly reverse?: boolean;
  readonly nextToken: string | undefined;
  /** Turns an index entry's value into the item; without it the value is the item. */
  readonly load?: (value: unknown) => Promise<T | undefined>;
  readonly keep: (item: T) => boolean;
  readonly keyOf: (item: T) => string;
}

/** Throws ValidationException for a foreign token. */
export async function page<T>(
  store: Store,
  request: PageRequest<T>,
): Promise<{ items: T[]; nextToken?: string }> {
  const items: T[] = [];
  for await (const [, value] of store.database.entries<T>(rangeFrom(store, request))) {
    const item = request.load ? await request.load(value) : value;
    if (item === undefined || !request.keep(item)) continue;
    if (items.length === request.limit) {
      return { items, nextToken: store.tokens.seal(request.scope, request.keyOf(items.at(-1) as T)) };
    }
    items.push(item);
  }
  return { items };
}

function rangeFrom<T>(store: Store, { scope, range, reverse = false, nextToken }: PageRequest<T>) {
  if (nextToken === undefined) return { ...range, reverse };
  const after = store.tokens.open<string>(scope, nextToken);
  return reverse ? { gte: range.gte, lt: after, reverse } : { gt: after, lt: range.lt, reverse };
}
