/**
 * SearchImageSets over the ordered keys: the most selective filter gives the candidates when it has few, else the
 * sort order is walked. Pages of one search read one snapshot, so they neither repeat nor skip a set that changes
 * in between; after a restart, or long after, a token goes on in the present state.
 */
import { randomBytes } from 'node:crypto';
import type { Database, Snapshot } from './database.ts';
import { keyOf, partsOf } from './keys.ts';
import type { ImageSetRecord } from './records.ts';
import {
  type EqualField,
  equalKey,
  equalRange,
  equalValue,
  type SortField,
  sortKey,
  sortRange,
  sortValue,
} from './search-index.ts';

/** `lower` and `upper` are inclusive index values. */
export type Condition =
  | { readonly kind: 'equal'; readonly field: EqualField; readonly value: string }
  | { readonly kind: 'between'; readonly field: EqualField; readonly lower: string; readonly upper: string }
  | {
      readonly kind: 'range';
      readonly field: SortField;
      readonly lower: number | string;
      readonly upper: number | string;
    };

export interface SearchQuery {
  readonly datastoreId: string;
  readonly conditions: readonly Condition[];
  readonly sortField: SortField;
  readonly descending: boolean;
  readonly limit: number;
}

/** Where the next page starts: after this sort value and id, in this snapshot where it still is. */
export interface SearchPosition {
  readonly session: string;
  readonly value: number | string;
  readonly imageSetId: string;
}

export interface SearchPage {
  readonly sets: readonly ImageSetRecord[];
  readonly next?: SearchPosition;
}

/** A filter with at most this many matches is read whole and sorted; measured faster than walking the order. */
const FEW = 2_000;
const CHUNK = 256;
const MAX_SESSIONS = 32;

interface KeyRange {
  readonly gte: string;
  readonly lt: string;
}

export interface Search {
  run(query: SearchQuery, after?: SearchPosition): Promise<SearchPage>;
  close(): Promise<void>;
}

export function openSearch(database: Database): Search {
  const sessions = new Map<string, Snapshot>();

  async function keep(session: string, snapshot: Snapshot): Promise<void> {
    sessions.delete(session);
    sessions.set(session, snapshot);
    for (const [oldest, old] of sessions) {
      if (sessions.size <= MAX_SESSIONS) break;
      sessions.delete(oldest);
      await old.close();
    }
  }

  return {
    async run(query, after) {
      const session = after && sessions.has(after.session) ? after.session : randomBytes(8).toString('hex');
      const known = sessions.get(session);
      const snapshot = known ?? database.snapshot();
      sessions.delete(session);
      const sets = await find(database, snapshot, { ...query, limit: query.limit + 1 }, after);
      const page = sets.slice(0, query.limit);
      const last = page.at(-1);
      if (sets.length > page.length && last) {
        await keep(session, snapshot);
        const value = sortValue(last, query.sortField);
        return { sets: page, next: { session, value, imageSetId: last.imageSetId } };
      }
      await snapshot.close();
      return { sets: page };
    },
    async close() {
      for (const snapshot of sessions.values()) await snapshot.close();
      sessions.clear();
    },
  };
}

async function find(
  database: Database,
  snapshot: Snapshot,
  query: SearchQuery,
  after: SearchPosition | undefined,
): Promise<ImageSetRecord[]> {
  for (const condition of query.conditions) {
    const ids = await fewIds(database, snapshot, query.datastoreId, condition);
    if (ids) return sortInMemory(await load(database, snapshot, query, ids), query, after);
  }
  return walk(database, snapshot, query, after);
}

/** The ids that a condition leaves, when they are few. */
async function fewIds(
  database: Database,
  snapshot: Snapshot,
  datastoreId: string,
  condition: Condition,
): Promise<string[] | undefined> {
  const ids: string[] = [];
  const range = rangeOf(datastoreId, condition);
  for await (const key of database.keys({ ...range, limit: FEW + 1 }, snapshot)) {
    ids.push(partsOf(key).at(-1) ?? '');
  }
  return ids.length <= FEW ? ids : undefined;
}

/** The index keys that satisfy a condition. */
function rangeOf(datastoreId: string, condition: Condition): KeyRange {
  if (condition.kind === 'equal') return equalRange(datastoreId, condition.field, condition.value);
  const index = condition.kind === 'range' ? 'sort' : 'equal';
  return {
    gte: keyOf(index, datastoreId, condition.field, condition.lower),
    lt: `${keyOf(index, datastoreId, condition.field, condition.upper)}\u0001`,
  };
}

async function load(database: Database, snapshot: Snapshot, query: SearchQuery, ids: readonly string[]) {
  const records = await database.getMany<ImageSetRecord>(
    ids.map((id) => keyOf('set', query.datastoreId, id)),
    snapshot,
  );
  return records.filter((set) => set !== undefined).filter((set) => satisfies(set, query.conditions));
}

function sortInMemory(
  sets: ImageSetRecord[],
  query: SearchQuery,
  after: SearchPosition | undefined,
): ImageSetRecord[] {
  const keyed = sets.map((set) => ({
    set,
    key: orderKey(query, sortValue(set, query.sortField), set.imageSetId),
  }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  if (query.descending) keyed.reverse();
  const from = after && orderKey(query, after.value, after.imageSetId);
  return keyed
    .filter(({ key }) => !from || (query.descending ? key < from : key > from))
    .slice(0, query.limit)
    .map(({ set }) => set);
}

const orderKey = (query: SearchQuery, value: number | string, imageSetId: string) =>
  sortKey(query.datastoreId, query.sortField, value, imageSetId);

/** Walks the keys in the order asked for, reading records in chunks until the page is full. */
async function walk(
  database: Database,
  snapshot: Snapshot,
  query: SearchQuery,
  after: SearchPosition | undefined,
): Promise<ImageSetRecord[]> {
  const found: ImageSetRecord[] = [];
  let ids: string[] = [];
  const take = async () => {
    found.push(...(await load(database, snapshot, query, ids)));
    ids = [];
  };
  for await (const key of database.keys(walkRange(query, after), snapshot)) {
    ids.push(partsOf(key).at(-1) ?? '');
    if (ids.length < Math.min(CHUNK, query.limit)) continue;
    await take();
    if (found.length >= query.limit) break;
  }
  await take();
  return found.slice(0, query.limit);
}

function walkRange(query: SearchQuery, after: SearchPosition | undefined) {
  const { datastoreId, conditions, sortField, descending } = query;
  const equal = conditions.find((condition) => condition.kind === 'equal');
  const byValue = sortField === 'updatedAt' ? equal : undefined;
  const within = conditions.find((condition) => condition.kind === 'range' && condition.field === sortField);
  const range =
    byValue || within ? rangeOf(datastoreId, (byValue ?? within)!) : sortRange(datastoreId, sortField);
  if (!after) return { ...range, reverse: descending };
  const from = byValue
    ? equalKey(datastoreId, byValue.field, byValue.value, after.value as number, after.imageSetId)
    : sortKey(datastoreId, sortField, after.value, after.imageSetId);
  return descending
    ? { gte: range.gte, lt: from, reverse: true }
    : { gt: from, lt: range.lt, reverse: false };
}

function satisfies(set: ImageSetRecord, conditions: readonly Condition[]): boolean {
  return conditions.every((condition) => {
    if (condition.kind === 'range') {
      const value = sortValue(set, condition.field);
      return value !== '' && value >= condition.lower && value <= condition.upper;
    }
    const value = equalValue(set, condition.field);
    if (value === undefined) return false;
    return condition.kind === 'equal'
      ? value === condition.value
      : value >= condition.lower && value <= condition.upper;
  });
}
