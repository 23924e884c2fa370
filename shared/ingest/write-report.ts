/**
 * WriteReport: one outcome for every object of the inventory, streamed; then the report, which is the moment at which
 * the execution has accounted for its upload. What is written stands: a rerun that finds a report goes on.
 */

import { type Account, accountOf, type Missing } from './account.ts';
import { openSorter, type Sorter } from './external-sort.ts';
import type { InspectedLine } from './inspect-objects.ts';
import { afterMerges, type MergeEnds, mergeEnds, withMergeEnd } from './merge-ends.ts';
import type { Merges } from './merge-variants.ts';
import { ndjsonOf, readJson, toNdjson, writeOnce } from './ndjson.ts';
import { announcementsOf } from './notifications.ts';
import type { ExecutionRef, InventoryLine, ObjectDeps } from './pipeline-deps.ts';
import type { Plan, StagingLine } from './plan-lines.ts';
import type { BatchResult } from './read-import-output.ts';
import { type Counts, type Report, type ReportOutcome, reportOutcome } from './report.ts';
import { gatherResults, type NumberedResult, resultsByNumber } from './report-results.ts';
import { plannedLines, resultLines, shardName, writeShardList } from './shards.ts';
import { timingsOf } from './timings.ts';
import { uploadName } from './uploads.ts';
import { addCounts, type FrameCounts, NO_FRAMES } from './verify-lines.ts';
import { workKeys } from './work-keys.ts';

export interface ReportRequest extends ExecutionRef {
  readonly executionArn: string;
  readonly executionStartedAt: string;
}

/** An object with its outcome, for ClearInbox. */
export interface OutcomeLine {
  readonly n: number;
  readonly key: string;
  readonly sizeBytes: number;
  readonly etag: string;
  readonly outcome: 'ingested' | 'duplicate' | 'rejected' | 'failed';
  readonly stays: boolean;
}

/** What the state machine learns: counts and where the report is. */
export interface Reported {
  readonly outcome: ReportOutcome;
  readonly counts: Counts;
  readonly reportUri: string;
  readonly entries: readonly object[];
}

const OUTCOMES_PER_SHARD = 1000;

/** `missing` says what an object without an end is called; with `Unfinished` the outcome is Failed and nothing is cleared. */
export async function writeReport(
  deps: ObjectDeps,
  request: ReportRequest,
  missing: Missing = 'Unaccounted',
): Promise<Report> {
  const { workBucket } = deps.settings;
  const key = workKeys.report(request.executionId);
  const standing = await readJson<Report>(deps.objects, workBucket, key);
  if (!standing) {
    const report = await composeReport(deps, request, missing);
    await writeOnce(deps.objects, workBucket, key, `${JSON.stringify(report, undefined, 1)}\n`);
  }
  const report = standing?.value ?? (await readJson<Report>(deps.objects, workBucket, key))?.value;
  if (!report) throw new Error('report.json: expected to be there after writing, got nothing');
  await writeSummary(deps, report);
  return report;
}

async function composeReport(deps: ObjectDeps, request: ReportRequest, missing: Missing): Promise<Report> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const { executionId } = request;
  const plan = (await readJson<Plan>(objects, workBucket, workKeys.plan(executionId)))?.value;
  const merges = (await readJson<Merges>(objects, workBucket, workKeys.merges(executionId)))?.value;
  const ends = await mergeEnds(deps, executionId);
  const totals = await accountForAll(deps, request, plan, missing, ends);
  const finishedAt = new Date(deps.clock.now()).toISOString();
  const counts: Counts = {
    received: totals.received,
    ingested: totals.outcomes.ingested,
    duplicate: totals.outcomes.duplicate,
    rejected: totals.outcomes.rejected,
    failed: totals.outcomes.failed,
  };
  const { verify } = deps.settings;
  return {
    schema: 'isocenter.report/1',
    executionId,
    upload: (await uploadName(deps, request.uploadId)) ?? '',
    startedAt: new Date(request.executionStartedAt).toISOString(),
    finishedAt,
    outcome: missing === 'Unfinished' ? 'Failed' : reportOutcome(counts, totals.rejects),
    verify: verify.mode === 'sample' ? `sample:${verify.percent}` : verify.mode,
    counts,
    bytes: totals.bytes,
    instancesWithoutFrames: totals.instancesWithoutFrames,
    frames: totals.frames,
    rejects: totals.rejects,
    batches: await batchReports(deps, plan),
    imageSets: afterMerges(merges?.imageSets ?? [], ends),
    merges: [...(merges?.merges ?? []), ...ends.reports],
    timings: await timingsOf(deps, executionId, request.executionStartedAt, finishedAt),
    objects: `s3://${workBucket}/${workKeys.objects(executionId)}`,
  };
}

async function batchReports(deps: ObjectDeps, plan: Plan | undefined): Promise<Report['batches']> {
  const reports: Report['batches'][number][] = [];
  for (const { planExecutionId, batchId } of plan?.batches ?? []) {
    const key = workKeys.batchResult(planExecutionId, batchId);
    const result = await readJson<BatchResult>(deps.objects, deps.settings.workBucket, key);
    if (!result) continue;
    const { jobId, jobStatus, planned, imported, rejected, warnings, outputS3Uri } = result.value;
    reports.push({ batchId, jobId, jobStatus, planned, imported, rejected, warnings, outputS3Uri });
  }
  return reports;
}

interface Totals {
  received: number;
  bytes: number;
  outcomes: Record<'ingested' | 'duplicate' | 'rejected' | 'failed', number>;
  rejects: Record<string, number>;
  frames: FrameCounts;
  instancesWithoutFrames: number;
}

/** Streams objects.ndjson and the shards of ClearInbox, adding up as the lines go by. */
async function accountForAll(
  deps: ObjectDeps,
  request: ReportRequest,
  plan: Plan | undefined,
  missing: Missing,
  ends: MergeEnds,
): Promise<Totals> {
  const { objects } = deps;
  const { workBucket } = deps.settings;
  const { executionId } = request;
  const totals: Totals = {
    received: 0,
    bytes: 0,
    outcomes: { ingested: 0, duplicate: 0, rejected: 0, failed: 0 },
    rejects: {},
    frames: NO_FRAMES,
    instancesWithoutFrames: 0,
  };
  const shards: string[] = [];
  let shard: OutcomeLine[] = [];
  const flush = async () => {
    if (shard.length === 0) return;
    const name = shardName(shards.length);
    const key = workKeys.shard(executionId, 'outcomes', name);
    await objects.write({ bucket: workBucket, key }, ndjsonOf(shard));
    shards.push(name);
    shard = [];
  };
  const sorter = await openSorter<NumberedResult>();
  try {
    await gatherResults(deps, executionId, plan, sorter);
    const lines = async function* () {
      for await (const { inspected, account: found } of accounts(deps, executionId, sorter, missing)) {
        const account = { ...found, line: withMergeEnd(found.line, ends) };
        addUp(totals, account);
        const { n, key, sizeBytes, etag } = inspected;
        shard.push({ n, key, sizeBytes, etag, outcome: account.line.outcome, stays: account.stays });
        if (shard.length >= OUTCOMES_PER_SHARD) await flush();
        yield account.line;
      }
    };
    const location = { bucket: workBucket, key: workKeys.objects(executionId) };
    await objects.writeStream(location, toNdjson(lines()), { contentType: 'application/x-ndjson' });
    await flush();
  } finally {
    await sorter.close();
  }
  const shardDeps = { objects, workBucket };
  if (missing === 'Unaccounted') await writeShardList(shardDeps, executionId, 'clear', shards);
  return totals;
}

function addUp(totals: Totals, { line, counts, isWithoutFrames }: Account): void {
  totals.received++;
  totals.bytes += line.sizeBytes;
  totals.outcomes[line.outcome]++;
  if (line.code !== undefined && (line.outcome === 'rejected' || line.outcome === 'failed'))
    totals.rejects[line.code] = (totals.rejects[line.code] ?? 0) + 1;
  totals.frames = addCounts(totals.frames, counts);
  if (isWithoutFrames) totals.instancesWithoutFrames++;
}

/** Every object of the inventory beside its account, in the order of the inventory. */
async function* accounts(
  deps: ObjectDeps,
  executionId: string,
  sorter: Sorter<NumberedResult>,
  missing: Missing,
): AsyncGenerator<{ inspected: InspectedLine; account: Account }> {
  const twins = await accountsOfTwins(deps, executionId, sorter, missing);
  const results = resultsByNumber(sorter.sorted());
  for await (const inspected of inspectedOrNot(deps, executionId)) {
    const found = await results.of(inspected.n);
    const twinOf = found.staging?.twinOf;
    const twin = twinOf === undefined ? undefined : twins.get(twinOf);
    yield { inspected, account: accountOf(inspected, found, missing, twin) };
  }
}

/** Accounts of the objects that others are twins of; a first reading, only where there are any. */
async function accountsOfTwins(
  deps: ObjectDeps,
  executionId: string,
  sorter: Sorter<NumberedResult>,
  missing: Missing,
): Promise<Map<number, Account>> {
  const wanted = new Set<number>();
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  for await (const line of resultLines<StagingLine>(shardDeps, executionId, 'stage'))
    if (line.twinOf !== undefined) wanted.add(line.twinOf);
  const twins = new Map<number, Account>();
  if (wanted.size === 0) return twins;
  const results = resultsByNumber(sorter.sorted());
  for await (const inspected of inspectedOrNot(deps, executionId)) {
    const found = await results.of(inspected.n);
    if (wanted.has(inspected.n)) twins.set(inspected.n, accountOf(inspected, found, missing));
  }
  return twins;
}

/** Inspected lines in inventory order; an object that was never inspected counts as unfinished. */
async function* inspectedOrNot(deps: ObjectDeps, executionId: string): AsyncGenerator<InspectedLine> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  const inspected = resultLines<InspectedLine>(shardDeps, executionId, 'inspect');
  let next = await inspected.next();
  for await (const line of plannedLines<InventoryLine>(shardDeps, executionId, 'inspect')) {
    if (!next.done && next.value.n === line.n) {
      yield next.value;
      next = await inspected.next();
    } else {
      const message = 'the execution ended before this object was inspected; it is still in the inbox';
      yield { ...line, inspected: { verdict: 'failed', code: 'Unfinished', message } };
    }
  }
}

async function writeSummary(deps: ObjectDeps, report: Report): Promise<void> {
  const { executionId, upload, startedAt, finishedAt, outcome, counts, rejects, bytes, frames, merges } =
    report;
  const reportUri = reportUriOf(deps, executionId);
  const variants = merges.length;
  const summary = {
    executionId,
    upload,
    startedAt,
    finishedAt,
    outcome,
    counts,
    rejects,
    bytes,
    frames,
    variants,
    reportUri,
  };
  const key = workKeys.summary(finishedAt, executionId);
  await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify(summary));
}

const reportUriOf = (deps: ObjectDeps, executionId: string) =>
  `s3://${deps.settings.workBucket}/${workKeys.report(executionId)}`;

/** What the state machine and the bus learn of a report: counts, digests and its place. */
export function announcementOf(deps: ObjectDeps, request: ExecutionRef, report: Report): Reported {
  const { outcome, counts, rejects, frames } = report;
  const reportUri = reportUriOf(deps, request.executionId);
  const base = { executionId: request.executionId, uploadId: request.uploadId, reportUri, outcome, counts };
  const entries = announcementsOf(report).map(({ detailType, ...text }) => ({
    Source: 'isocenter',
    DetailType: detailType,
    EventBusName: deps.settings.eventBusName,
    Detail: { ...base, rejects, frames, ...text },
  }));
  return { outcome, counts, reportUri, entries };
}
