/**
 * PlanImport: decides about every accepted object before anything is imported. The candidates are sorted on disk by
 * study, series and SOP Instance UID and read twice side by side: once to count each study, once to decide; so memory
 * holds a study's series, not the upload (1,000,000 objects in a 1 GB function).
 */
import { adoptBatches, leaseNames, predecessorsOf } from './adopt-batches.ts';
import { openSorter, type Sorter } from './external-sort.ts';
import type { InspectedLine } from './inspect-objects.ts';
import { acquireInOrder } from './leases.ts';
import { exists, readJson, toNdjson, writeOnce } from './ndjson.ts';
import type { ExecutionRef, PipelineDeps } from './pipeline-deps.ts';
import type { Candidate, DecidedLine, Plan, PlannedBatch, StageLine } from './plan-lines.ts';
import { type BatchFill, beginsBatch, planObject } from './plan-series.ts';
import { aggregateStudies, loadStudy, type StudyContext, unreportedExecutions } from './plan-studies.ts';
import { resultLines, writeShardList, writeShards } from './shards.ts';
import { workKeys } from './work-keys.ts';

export interface PlanRequest extends ExecutionRef {
  readonly executionArn: string;
}

/** Objects and bytes in one shard of copies; both well inside the four minutes of a child. */
const COPIES_PER_SHARD = 500;
const BYTES_PER_SHARD = 64 * 1024 ** 3;
/** Studies whose ledgers are read ahead. */
const STUDIES_AHEAD = 16;

/** Safe to repeat: plan.json is written last and once; what an earlier, unfinished run wrote is not named in it. */
export async function planImport(deps: PipelineDeps, request: PlanRequest): Promise<void> {
  const planKey = workKeys.plan(request.executionId);
  if (!(await exists(deps.objects, deps.settings.workBucket, planKey))) await writePlan(deps, request);
  await publishPlan(deps, request.executionId);
}

/** Hands the plan that stands to the fan-out of the next states. */
async function publishPlan(deps: PipelineDeps, executionId: string): Promise<void> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const plan = await readJson<Plan>(objects, workBucket, workKeys.plan(executionId));
  if (!plan) throw new Error('plan.json: expected to be there after planning, got nothing');
  await writeShardList({ objects, workBucket }, executionId, 'stage', plan.value.stage);
  const list = JSON.stringify(plan.value.batches);
  await writeOnce(objects, workBucket, workKeys.importList(executionId), list);
}

async function writePlan(deps: PipelineDeps, request: PlanRequest): Promise<void> {
  const { workBucket } = deps.settings;
  const sorter = await openSorter<Candidate>();
  try {
    const names = await sortCandidates(deps, request, sorter);
    await writeOnce(deps.objects, workBucket, workKeys.leases(request.executionId), toNdjson(names));
    const fromLeases = await acquireInOrder({ ...deps, workBucket }, names, request);
    const predecessors = await predecessorsOf(deps, request, fromLeases);
    const adoption = await adoptBatches(deps, request, predecessors);
    const run = deps.clock.now().toString(36);
    const writer = planWriter(deps, request, run);
    const isUnreported = unreportedExecutions(deps, request.executionId);
    const loaded = readAhead(aggregateStudies(sorter.sorted()), STUDIES_AHEAD, (aggregate) =>
      loadStudy(deps, aggregate, adoption.instances, isUnreported),
    );
    await decideAll(sorter.sorted(), loaded, writer);
    await writer.finish(adoption.batches);
  } finally {
    await sorter.close();
  }
}

/** Sorts what was accepted; returns the leases that its series and studies need. */
async function sortCandidates(
  deps: PipelineDeps,
  request: ExecutionRef,
  sorter: Sorter<Candidate>,
): Promise<string[]> {
  const series = new Set<string>();
  const studies = new Set<string>();
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  for await (const line of resultLines<InspectedLine>(shardDeps, request.executionId, 'inspect')) {
    const candidate = toCandidate(line);
    if (!candidate) continue;
    series.add(candidate.series);
    studies.add(candidate.study);
    await sorter.add(sortKey(candidate), candidate);
  }
  return leaseNames(series, studies);
}

const sortKey = (c: Candidate) =>
  [c.study, c.series, c.sop, c.lastModified, String(c.n).padStart(9, '0')].join('\u0001');

function toCandidate({ inspected, ...line }: InspectedLine): Candidate | undefined {
  if (inspected.verdict !== 'accepted') return undefined;
  return {
    ...line,
    sop: inspected.sopInstanceUID,
    series: inspected.seriesInstanceUID,
    study: inspected.studyInstanceUID,
    transferSyntaxUID: inspected.transferSyntaxUID,
    ...(inspected.modality === undefined ? {} : { modality: inspected.modality }),
    identity: inspected.identity,
    datasetDigest: inspected.datasetDigest,
    frames: inspected.frames,
    hasPixelData: inspected.hasPixelData,
  };
}

/** The second reading: each object against its study, handed to the writer. */
async function decideAll(
  candidates: AsyncIterable<Candidate>,
  studies: AsyncGenerator<StudyContext>,
  writer: PlanWriter,
): Promise<void> {
  let study: StudyContext | undefined;
  let previous: Candidate | undefined;
  let first: Candidate | undefined;
  for await (const candidate of candidates) {
    if (study?.study !== candidate.study) study = (await studies.next()).value as StudyContext;
    const isSameInstance = previous?.sop === candidate.sop && previous.series === candidate.series;
    if (!isSameInstance) first = undefined;
    const isNewSeries = previous?.series !== candidate.series || previous.study !== candidate.study;
    previous = candidate;
    const decision = planObject(candidate, study.decisions, await study.known(candidate), first);
    if (isNewSeries) writer.beginSeries(study.series.get(candidate.series) as BatchFill);
    if (decision.kind === 'decided') await writer.decided(decision.line);
    else if (decision.kind === 'settle') await writer.settle(decision.line);
    else await writer.planned(decision.line);
    if (decision.kind !== 'decided' || decision.line.decision === 'adopted') first ??= candidate;
  }
}

interface PlanWriter {
  beginSeries(series: BatchFill): void;
  decided(line: DecidedLine): Promise<void>;
  settle(line: StageLine): Promise<void>;
  planned(line: StageLine): Promise<void>;
  finish(adopted: readonly PlannedBatch[]): Promise<void>;
}

/** Collects the decisions: a batch in memory at most, the rest goes to the store as it comes. */
function planWriter(deps: PipelineDeps, request: ExecutionRef, run: string): PlanWriter {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const { executionId } = request;
  const shardDeps = { objects, workBucket };
  const batches: PlannedBatch[] = [];
  const stageShards: string[] = [];
  const decidedParts: string[] = [];
  let series: BatchFill | undefined;
  let batch: StageLine[] = [];
  let fill: BatchFill = { files: 0, bytes: 0 };
  let settling: StageLine[] = [];
  let decidedLines: DecidedLine[] = [];

  const writeStage = async (prefix: string, lines: readonly StageLine[]) => {
    const options = {
      executionId,
      folder: 'stage',
      prefix,
      size: COPIES_PER_SHARD,
      weight: (line: StageLine) => line.sizeBytes,
      maxWeight: BYTES_PER_SHARD,
    };
    stageShards.push(...(await writeShards(shardDeps, options, lines)));
  };
  const closeBatch = async () => {
    if (batch.length === 0) return;
    const batchId = `${run}-${String(batches.length).padStart(4, '0')}`;
    const lines = batch.map((line) => ({ ...line, batchId }));
    await objects.write(
      { bucket: workBucket, key: workKeys.batch(executionId, batchId) },
      lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
    );
    await writeStage(`${batchId}-`, lines);
    const name = `${executionId}-${batchId}`;
    batches.push({ batchId, planExecutionId: executionId, name, planned: lines.length });
    batch = [];
    fill = { files: 0, bytes: 0 };
  };
  const flushSettling = async () => {
    await writeStage(`${run}-settle-${stageShards.length}-`, settling);
    settling = [];
  };
  const flushDecided = async () => {
    if (decidedLines.length === 0) return;
    const part = `${run}-${String(decidedParts.length).padStart(5, '0')}`;
    await writeOnce(
      objects,
      workBucket,
      workKeys.shard(executionId, 'planned', part),
      toNdjson(decidedLines),
    );
    decidedParts.push(part);
    decidedLines = [];
  };
  return {
    beginSeries: (whole) => {
      series = whole;
    },
    decided: async (line) => {
      decidedLines.push(line);
      if (decidedLines.length >= 5000) await flushDecided();
    },
    settle: async (line) => {
      settling.push(line);
      if (settling.length >= COPIES_PER_SHARD * 8) await flushSettling();
    },
    planned: async (line) => {
      if (beginsBatch(fill, line.sizeBytes, series)) await closeBatch();
      series = undefined;
      batch.push(line);
      fill = { files: fill.files + 1, bytes: fill.bytes + line.sizeBytes };
    },
    finish: async (adopted) => {
      await closeBatch();
      await flushSettling();
      await flushDecided();
      const all = [...adopted, ...batches];
      const plan: Plan = { executionId, batches: all, decided: decidedParts, stage: stageShards };
      await writeOnce(objects, workBucket, workKeys.plan(executionId), JSON.stringify(plan));
    },
  };
}

/** Runs `load` up to `ahead` items early; yields in order. */
async function* readAhead<T, R>(
  items: AsyncIterable<T>,
  ahead: number,
  load: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const loading: Promise<R>[] = [];
  for await (const item of items) {
    const promise = load(item);
    promise.catch(() => undefined); // its error is thrown where it is awaited, below
    loading.push(promise);
    if (loading.length >= ahead) yield (await loading.shift()) as R;
  }
  for (const promise of loading) yield await promise;
}
