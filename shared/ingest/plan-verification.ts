/**
 * PlanVerification: what was imported, sorted by series and image set, cut into shards by frames and bytes; an instance
 * of many frames is cut too, so that one of 10,000 frames spreads as 10,000 of one do.
 */
import { openSorter, type Sorter } from './external-sort.ts';
import { allLines, exists, readJson, readLines } from './ndjson.ts';
import type { ExecutionRef, InventoryLine, ObjectDeps } from './pipeline-deps.ts';
import type { DecidedLine, ImportedLine, Plan, PlannedBatch, StageLine, StagingLine } from './plan-lines.ts';
import { plannedLines, resultLines, writeShardList, writeShards } from './shards.ts';
import type { VerifyLine } from './verify-lines.ts';
import { workKeys } from './work-keys.ts';

/** Bytes of source pixels in one shard, and lines; both well inside the five minutes of a child. */
export const SHARD_LIMITS = { bytes: 128 * 1024 * 1024, lines: 250, frames: 250 } as const;

/** Safe to repeat: the shards are written before the list that names them, and the first list stands. */
export async function planVerification(deps: ObjectDeps, request: ExecutionRef): Promise<void> {
  const { executionId } = request;
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  if (await exists(deps.objects, shardDeps.workBucket, workKeys.shardList(executionId, 'verify', 0))) return;
  const sorter = await openSorter<VerifyLine>();
  try {
    await addImported(deps, executionId, sorter);
    await addReverified(deps, executionId, sorter);
    const shards = await writeShards<VerifyLine>(
      shardDeps,
      {
        executionId,
        folder: 'verify',
        prefix: `${deps.clock.now().toString(36)}-`,
        size: SHARD_LIMITS.lines,
        weight: (line) =>
          Math.max(
            sourceBytes(line) / SHARD_LIMITS.bytes,
            (line.frameTo - line.frameFrom) / SHARD_LIMITS.frames,
          ),
        maxWeight: 1,
      },
      cutInstances(sorter.sorted()),
    );
    await writeShardList(shardDeps, executionId, 'verify', shards);
  } finally {
    await sorter.close();
  }
}

const sourceBytes = (line: VerifyLine) =>
  (line.sizeBytes * (line.frameTo - line.frameFrom)) / Math.max(1, line.frames);

/** An instance of more than a shard becomes several lines, by ranges of frames. */
export async function* cutInstances(lines: AsyncIterable<VerifyLine>): AsyncGenerator<VerifyLine> {
  for await (const line of lines) {
    const frameBytes = line.sizeBytes / Math.max(1, line.frames);
    const frames = Math.max(
      1,
      Math.min(SHARD_LIMITS.frames, Math.floor(SHARD_LIMITS.bytes / Math.max(1, frameBytes))),
    );
    if (line.frames <= frames) yield line;
    else
      for (let frameFrom = 0; frameFrom < line.frames; frameFrom += frames)
        yield { ...line, frameFrom, frameTo: Math.min(line.frames, frameFrom + frames) };
  }
}

const sortKey = (line: VerifyLine) =>
  [line.series, line.imageSetId, line.sop, String(line.n).padStart(9, '0')].join('\u0001');

/** What the batches of the plan brought in, as far as it is of this upload. */
async function addImported(deps: ObjectDeps, executionId: string, sorter: Sorter<VerifyLine>): Promise<void> {
  const plan = await readJson<Plan>(deps.objects, deps.settings.workBucket, workKeys.plan(executionId));
  const adopted = await adoptedNumbers(deps, executionId, plan?.value);
  for (const batch of plan?.value.batches ?? []) {
    const isOwn = batch.planExecutionId === executionId;
    const numbers = adopted.get(batchKey(batch));
    for (const { line, imported, sha256 } of await importsOf(deps, batch)) {
      // An adopted batch may hold nothing of this upload: its numbers are of another inventory.
      const n = isOwn ? line.n : numbers?.get(line.n);
      if (n === undefined || imported.outcome !== 'imported' || !imported.imageSetId) continue;
      const source = {
        bucket: deps.settings.workBucket,
        key: workKeys.stagedObject(batch.planExecutionId, batch.batchId, line.key),
      };
      const verify = toVerifyLine({ ...line, n }, imported.imageSetId, sha256, source, !!imported.warnings);
      await sorter.add(sortKey(verify), verify);
    }
  }
}

const batchKey = (batch: { readonly planExecutionId: string; readonly batchId: string }) =>
  `${batch.planExecutionId}/${batch.batchId}`;

/** For each adopted batch: its line numbers to those of this inventory. */
export async function adoptedNumbers(
  deps: ObjectDeps,
  executionId: string,
  plan: Plan | undefined,
): Promise<Map<string, Map<number, number>>> {
  const numbers = new Map<string, Map<number, number>>();
  if (!plan?.batches.some((batch) => batch.planExecutionId !== executionId)) return numbers;
  for (const part of plan.decided) {
    const key = workKeys.shard(executionId, 'planned', part);
    for await (const line of readLines<DecidedLine>(deps.objects, deps.settings.workBucket, key)) {
      if (line.decision !== 'adopted') continue;
      const ofBatch = numbers.get(batchKey(line)) ?? new Map<number, number>();
      ofBatch.set(line.from, line.n);
      numbers.set(batchKey(line), ofBatch);
    }
  }
  return numbers;
}

/** The planned lines of one batch beside what became of them; a batch has at most 5,000. */
export async function importsOf(
  deps: ObjectDeps,
  batch: PlannedBatch,
): Promise<{ line: StageLine; imported: ImportedLine; sha256: string }[]> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const { planExecutionId, batchId } = batch;
  const shardDeps = { objects, workBucket };
  const lines = await allLines<StageLine>(objects, workBucket, workKeys.batch(planExecutionId, batchId));
  const imported = new Map<number, ImportedLine>();
  const importedKey = workKeys.shard(planExecutionId, 'imported', batchId);
  for (const line of await allLines<ImportedLine>(objects, workBucket, importedKey))
    imported.set(line.n, line);
  const digests = new Map<number, string>();
  for await (const line of resultLines<StagingLine>(shardDeps, planExecutionId, 'stage', `${batchId}-`))
    if (line.sha256) digests.set(line.n, line.sha256);
  return lines.flatMap((line) => {
    const result = imported.get(line.n);
    return result ? [{ line, imported: result, sha256: digests.get(line.n) ?? '' }] : [];
  });
}

/** Re-sends of what was imported and never proven: proven now, against the inbox object itself. */
async function addReverified(
  deps: ObjectDeps,
  executionId: string,
  sorter: Sorter<VerifyLine>,
): Promise<void> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  const again = new Map<number, StagingLine>();
  for await (const line of resultLines<StagingLine>(shardDeps, executionId, 'stage'))
    if (line.outcome === 'reverify') again.set(line.n, line);
  if (again.size === 0) return;
  for await (const line of plannedLines<StageLine>(shardDeps, executionId, 'stage')) {
    const result = again.get(line.n);
    if (!result?.imageSetId || !result.sha256) continue;
    const source = { bucket: deps.settings.inboxBucket, key: line.key, etag: line.etag };
    const verify = toVerifyLine(line, result.imageSetId, result.sha256, source, true);
    await sorter.add(sortKey(verify), verify);
  }
}

function toVerifyLine(
  line: StageLine & InventoryLine,
  imageSetId: string,
  sha256: string,
  source: VerifyLine['source'],
  hasWarnings: boolean,
): VerifyLine {
  return {
    n: line.n,
    sop: line.sop,
    series: line.series,
    study: line.study,
    ...(line.modality === undefined ? {} : { modality: line.modality }),
    imageSetId,
    transferSyntaxUID: line.transferSyntaxUID,
    hasPixelData: line.hasPixelData,
    frames: line.frames,
    frameFrom: 0,
    frameTo: line.frames,
    hasWarnings,
    sizeBytes: line.sizeBytes,
    sha256,
    source,
  };
}
