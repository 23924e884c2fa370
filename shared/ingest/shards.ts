/**
 * Fan-out by shards (design section 3): a step before writes them, a child reads one and writes one object of the same
 * name. A child that crashes wrote nothing: its shard is split in two for the next round; a unit alone that crashes
 * its handler becomes `failed: HandlerCrashed`.
 */
import type { ObjectStore } from '../ports/object-store.ts';
import { allLines, exists, ndjsonOf, readJson, readLines, writeOnce } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** Where a stage's shards come from and go to; `unit` names what must stay together in one shard. */
export const STAGES = {
  inspect: { input: 'inventory', output: 'inspected' },
  stage: { input: 'stage', output: 'staging' },
  verify: { input: 'verify', output: 'verified' },
  clear: { input: 'outcomes', output: 'cleared' },
} as const;

export type Stage = keyof typeof STAGES;

export interface ShardDeps {
  readonly objects: ObjectStore;
  readonly workBucket: string;
}

/** What names one shard of one stage of one execution. */
export interface ShardRef {
  readonly executionId: string;
  readonly shard: string;
}

export const shardName = (index: number): string => String(index).padStart(5, '0');

/** Writes the items of the stage's Distributed Map. The first list written stands. */
export async function writeShardList(
  deps: ShardDeps,
  executionId: string,
  stage: Stage,
  shards: readonly string[],
  round = 0,
): Promise<void> {
  const items = JSON.stringify(shards.map((shard) => ({ shard })));
  await writeOnce(deps.objects, deps.workBucket, workKeys.shardList(executionId, stage, round), items);
}

export async function readShardList(
  deps: ShardDeps,
  executionId: string,
  stage: Stage,
  round = 0,
): Promise<string[]> {
  const key = workKeys.shardList(executionId, stage, round);
  const list = await readJson<{ shard: string }[]>(deps.objects, deps.workBucket, key);
  return (list?.value ?? []).map((item) => item.shard);
}

/** Cuts a stream of lines into shards of at most `size` lines; lines of one `unit` stay together. Returns the names. */
export async function writeShards<T>(
  deps: ShardDeps,
  options: {
    executionId: string;
    folder: string;
    prefix: string;
    size: number;
    unit?: (line: T) => string;
    weight?: (line: T) => number;
    maxWeight?: number;
  },
  lines: AsyncIterable<T> | Iterable<T>,
): Promise<string[]> {
  const names: string[] = [];
  let shard: T[] = [];
  let weight = 0;
  const flush = async () => {
    if (shard.length === 0) return;
    const name = `${options.prefix}${shardName(names.length)}`;
    const key = workKeys.shard(options.executionId, options.folder, name);
    await deps.objects.write({ bucket: deps.workBucket, key }, ndjsonOf(shard));
    names.push(name);
    shard = [];
    weight = 0;
  };
  for await (const line of lines) {
    const last = shard.at(-1);
    const lineWeight = options.weight?.(line) ?? 0;
    const isFull =
      shard.length >= options.size ||
      (options.maxWeight !== undefined && weight + lineWeight > options.maxWeight);
    const mayCut = last !== undefined && (!options.unit || options.unit(last) !== options.unit(line));
    if (isFull && mayCut) await flush();
    shard.push(line);
    weight += lineWeight;
  }
  await flush();
  return names;
}

/** Runs one child: reads the shard, writes one line for each result. What is written already stands. Safe to repeat. */
export async function runShard<T>(
  deps: ShardDeps,
  stage: Stage,
  ref: ShardRef,
  work: (lines: readonly T[]) => Promise<readonly unknown[]>,
): Promise<void> {
  const output = workKeys.shard(ref.executionId, STAGES[stage].output, ref.shard);
  if (await exists(deps.objects, deps.workBucket, output)) return;
  const input = workKeys.shard(ref.executionId, STAGES[stage].input, ref.shard);
  const results = await work(await allLines<T>(deps.objects, deps.workBucket, input));
  await writeOnce(deps.objects, deps.workBucket, output, ndjsonOf(results));
}

interface UnitLine {
  readonly n: number;
}

/** After a round in which children crashed: the next round's list, of halves; single units fail. Safe to repeat. */
export async function splitCrashedShards(
  deps: ShardDeps,
  executionId: string,
  stage: Stage,
  round: number,
  crashedLine: (line: UnitLine) => unknown,
): Promise<string[]> {
  const halves: string[] = [];
  for (const shard of await readShardList(deps, executionId, stage, round)) {
    const output = workKeys.shard(executionId, STAGES[stage].output, shard);
    if (await exists(deps.objects, deps.workBucket, output)) continue;
    const input = workKeys.shard(executionId, STAGES[stage].input, shard);
    const lines = await allLines<UnitLine>(deps.objects, deps.workBucket, input);
    if (lines.length <= 1) {
      await writeOnce(deps.objects, deps.workBucket, output, ndjsonOf(lines.map(crashedLine)));
      continue;
    }
    const middle = Math.ceil(lines.length / 2);
    for (const [half, part] of [lines.slice(0, middle), lines.slice(middle)].entries()) {
      const name = `${shard}.${half}`;
      const key = workKeys.shard(executionId, STAGES[stage].input, name);
      await deps.objects.write({ bucket: deps.workBucket, key }, ndjsonOf(part));
      halves.push(name);
    }
  }
  await writeShardList(deps, executionId, stage, halves, round + 1);
  return halves;
}

/** Every input line of a stage as it was planned (round 0). */
export async function* plannedLines<T>(
  deps: ShardDeps,
  executionId: string,
  stage: Stage,
): AsyncGenerator<T> {
  for (const shard of await readShardList(deps, executionId, stage))
    yield* readLines<T>(
      deps.objects,
      deps.workBucket,
      workKeys.shard(executionId, STAGES[stage].input, shard),
    );
}

/**
 * Every result line of a stage, shards in the order of their names (halves where their whole was). A child that was given
 * up may write its shard after all, while its halves are done too: the whole comes first, and counts alone.
 */
export async function* resultLines<T>(
  deps: ShardDeps,
  executionId: string,
  stage: Stage,
  prefix = '',
): AsyncGenerator<T> {
  const folder = workKeys.shard(executionId, STAGES[stage].output, prefix);
  let whole: string | undefined;
  for await (const { key } of deps.objects.list(deps.workBucket, folder)) {
    if (whole !== undefined && key.startsWith(`${whole}.`)) continue;
    whole = key;
    yield* readLines<T>(deps.objects, deps.workBucket, key);
  }
}
