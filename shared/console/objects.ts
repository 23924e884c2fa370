/** The objects of an execution, any page of them: by row within an outcome and code, or by what is searched for. */

import { workKeys } from '../ingest/work-keys.ts';
import { NoSuchObject } from '../ports/object-store.ts';
import type { ObjectLine, ObjectsPage, ObjectsQuery } from './api.ts';
import type { Backend } from './backend.ts';
import { HttpProblem } from './http.ts';
import { type BlockCount, blocksOf, buildIndex, type ObjectsIndex, readBlock } from './objects-index.ts';

const PAGE = 100;
const MAX_PAGE = 500;
const BLOCKS_AT_ONCE = 8;
/** An answer to a search looks at no more than this; the page goes on from there. */
const LOOK_BYTES = 32 * 1024 * 1024;
/** Indexes kept in memory: about 200 kB for a million lines. */
const KEPT_INDEXES = 32;

const locationOf = ({ workBucket }: Backend, executionId: string) => ({
  bucket: workBucket,
  key: workKeys.objects(executionId),
});

const known = new WeakMap<Backend, Map<string, Promise<ObjectsIndex>>>();

/** Throws HttpProblem 404 where the execution has no report. */
export function indexOf(backend: Backend, executionId: string): Promise<ObjectsIndex> {
  const indexes = known.get(backend) ?? new Map<string, Promise<ObjectsIndex>>();
  known.set(backend, indexes);
  const found = indexes.get(executionId) ?? build(backend, executionId);
  indexes.delete(executionId); // the last used one is the last to go
  indexes.set(executionId, found);
  found.catch(() => indexes.delete(executionId));
  if (indexes.size > KEPT_INDEXES) indexes.delete(indexes.keys().next().value as string);
  return found;
}

async function build(backend: Backend, executionId: string): Promise<ObjectsIndex> {
  try {
    return await buildIndex(await backend.deps.objects.stream(locationOf(backend, executionId)));
  } catch (cause) {
    if (!(cause instanceof NoSuchObject)) throw cause;
    throw new HttpProblem(404, `execution ${executionId} has no list of objects`, { cause });
  }
}

export async function readObjects(
  backend: Backend,
  executionId: string,
  query: ObjectsQuery,
): Promise<ObjectsPage> {
  const index = await indexOf(backend, executionId);
  const blocks = blocksOf(index, query);
  const total = blocks.reduce((sum, [, lines]) => sum + lines, 0);
  if (query.text !== undefined)
    return { total, ...(await search(backend, executionId, index, blocks, query)) };
  const from = query.from ?? 0;
  const limit = Math.min(query.limit ?? PAGE, MAX_PAGE);
  const objects = await readRows(backend, executionId, { index, blocks, query }, from, limit);
  const next = from + objects.length;
  return { total, objects, ...(objects.length > 0 && next < total ? { next } : {}) };
}

async function readRows(
  backend: Backend,
  executionId: string,
  wanted: {
    readonly index: ObjectsIndex;
    readonly blocks: readonly BlockCount[];
    readonly query: ObjectsQuery;
  },
  from: number,
  limit: number,
): Promise<ObjectLine[]> {
  const { index, blocks, query } = wanted;
  let row = 0;
  let skipped: number | undefined;
  const needed: number[] = [];
  for (const [block, lines] of blocks) {
    if (row + lines > from && row < from + limit) {
      skipped ??= from - row;
      needed.push(block);
    }
    row += lines;
  }
  const found: ObjectLine[] = [];
  const location = locationOf(backend, executionId);
  for (let n = 0; n < needed.length; n += BLOCKS_AT_ONCE) {
    const some = needed.slice(n, n + BLOCKS_AT_ONCE);
    const read = some.map((block) => readBlock(backend.deps.objects, location, index, block, query));
    found.push(...(await Promise.all(read)).flat());
  }
  return found.slice(skipped ?? 0, (skipped ?? 0) + limit);
}

/** From a block on; whole blocks only, so that `next` is a block's number. */
async function search(
  backend: Backend,
  executionId: string,
  index: ObjectsIndex,
  blocks: readonly BlockCount[],
  query: ObjectsQuery,
): Promise<{ objects: ObjectLine[]; next?: number }> {
  const location = locationOf(backend, executionId);
  const objects: ObjectLine[] = [];
  const from = query.from ?? 0;
  const wanted = blocks.map(([block]) => block).filter((block) => block >= from);
  const filter = { ...query };
  for (let n = 0; n < wanted.length; n += BLOCKS_AT_ONCE) {
    const some = wanted.slice(n, n + BLOCKS_AT_ONCE);
    const read = some.map((block) => readBlock(backend.deps.objects, location, index, block, filter));
    objects.push(...(await Promise.all(read)).flat());
    const last = some.at(-1) as number;
    const looked = (index.starts[last + 1] ?? index.totalBytes) - (index.starts[wanted[0] as number] ?? 0);
    const isMore = n + some.length < wanted.length;
    if (isMore && (objects.length >= PAGE || looked >= LOOK_BYTES)) return { objects, next: last + 1 };
  }
  return { objects };
}
