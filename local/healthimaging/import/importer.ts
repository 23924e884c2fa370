/**
 * Import jobs, from SUBMITTED to COMPLETED or FAILED: list the prefix, read and stage every file, place the groups,
 * write the output. Each step can be taken up again after a kill; nothing is imported twice.
 */

import { availableParallelism } from 'node:os';
import type { CodecPool } from '../../../shared/pixels/codec-pool.ts';
import type { FaultName } from '../access/faults.ts';
import { createGate, forEachOf } from '../concurrency.ts';
import { jobEvent } from '../events.ts';
import { eventContext, type Service } from '../service.ts';
import { del, put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';
import type { JobRecord } from '../store/records.ts';
import type { ImportContext, ImportTools } from './context.ts';
import { type Enrichments, loadEnrichments } from './enrichments.ts';
import { toFailure } from './failures.ts';
import { digest2024, digestCurrent, type Group, groupRows, type Row, splitGroups } from './grouping.ts';
import { type FileResult, toJobOutput } from './job-output.ts';
import { JobFailure, listInput, toJobFailure } from './list-input.ts';
import { type Placed, placeGroup } from './place-group.ts';
import { readInstance } from './read-instance.ts';
import { type Buckets, type InputObject, openBuckets, parseS3Uri } from './s3-bucket.ts';
import { type EndedJob, forgetJob, noteEnded, stage, stagedFiles, stagedKey, stagedKeys } from './staged.ts';

export interface Importer {
  /** Runs the job in the background; also takes up one that a killed process left. */
  /** `buckets`: where the job reads, when not from S3. */
  start(service: Service, job: JobRecord, buckets?: Buckets): void;
  /** Clears up after a job that has ended; first writes the output that it still owes. */
  finish(service: Service, ended: EndedJob): Promise<void>;
  close(): void;
}

/** Reading and storing wait most of the time: so many files at once keep the codecs busy (measured), in bounded memory. */
const FILES_PER_CORE = 12;

export function createImporter(options: {
  readonly s3Endpoint: string | undefined;
  readonly region: string;
  readonly codecs: CodecPool;
}): Importer {
  const tools: ImportTools = {
    buckets: openBuckets({ endpoint: options.s3Endpoint, region: options.region }),
    codecs: options.codecs,
    files: createGate(availableParallelism() * FILES_PER_CORE),
  };
  return {
    start(service, job, buckets = tools.buckets) {
      const delay = job.jobStatus === 'SUBMITTED' ? (service.delays.jobSubmitted ?? 0) : 0;
      service.background.start(`import job ${job.jobId}`, delay, (signal) =>
        runJob({ ...tools, buckets, service, job, signal }),
      );
    },
    async finish(service, { job, isOutputDue }) {
      const outcome = job.jobStatus === 'FAILED' ? 'failed' : 'completed';
      if (!isOutputDue) return forgetJob(service.store.database, job, outcome);
      writeLate({ ...tools, service, job, signal: service.stopping }, 0);
    },
    close: () => tools.buckets.close(),
  };
}

async function runJob(submitted: ImportContext): Promise<void> {
  const job = await beginJob(submitted);
  const context = { ...submitted, job };
  try {
    await importFiles(context);
  } catch (error) {
    // A server that stops leaves the job as it is, for the next start.
    if (context.signal.aborted) return;
    await endJob(context, 'FAILED', { message: toJobFailure(error) });
    await forgetJob(context.service.store.database, job, 'failed');
    if (!(error instanceof JobFailure)) throw error;
  }
}

async function beginJob({ service, job }: ImportContext): Promise<JobRecord> {
  if (job.jobStatus === 'IN_PROGRESS') return job;
  const running: JobRecord = { ...job, jobStatus: 'IN_PROGRESS' };
  await service.store.database.write([put(keyOf('job', job.datastoreId, job.jobId), running)], {
    durable: true,
  });
  service.emit(jobEvent('Import Job In Progress', eventContext(service), running));
  return running;
}

async function importFiles(context: ImportContext): Promise<void> {
  const { service, job, signal } = context;
  const { database } = service.store;
  const allStaged = keyOf('job-phase', job.jobId, 'staged');
  if (!(await database.get(allStaged))) {
    await stageFiles(context);
    await database.write([put(allStaged, true)], { durable: true });
  }
  if (faultOf(job, 'jobFailed')) throw new JobFailure('FAULT_ON_DEMAND');
  const results = await placeFiles(context);
  const late = faultOf(job, 'lateManifest')?.milliseconds ?? service.delays.manifest ?? 0;
  await service.background.wait(service.delays.jobInProgress ?? 0);
  signal.throwIfAborted();
  if (late === 0) await writeOutput(context, results);
  await endJob(context, 'COMPLETED', { isOutputDue: late > 0 });
  if (late > 0) writeLate(context, late);
  else await forgetJob(database, job, 'completed');
}

/** The output of a COMPLETED job, after a delay; also at start, for a job whose output a killed process still owed. */
function writeLate(context: ImportContext, delayMs: number): void {
  const { service, job } = context;
  service.background.start(`output of ${job.jobId}`, delayMs, async (signal) => {
    await writeOutput(context, await placeFiles({ ...context, signal }));
    await forgetJob(service.store.database, job, 'completed');
  });
}

async function stageFiles(context: ImportContext): Promise<void> {
  const { service, job, files } = context;
  const { database } = service.store;
  const objects = await listInput(context);
  const done = await stagedKeys(database, job.jobId);
  const enrichments = await loadEnrichments(context, objects);
  const rest = objects.filter(
    ({ key }) => !enrichments.keys.has(key) && !done.has(stagedKey(job.jobId, key)),
  );
  await forEachOf(rest, 64, (object) => files.run(() => stageFile(context, object, enrichments)));
}

async function stageFile(
  context: ImportContext,
  object: InputObject,
  enrichments: Enrichments,
): Promise<void> {
  const { service, job, signal } = context;
  const { database } = service.store;
  signal.throwIfAborted();
  try {
    const instance = enrichments.apply(await readInstance(context, object));
    await stage(database, job.jobId, { outcome: 'read', ...instance });
  } catch (error) {
    if (signal.aborted) throw error;
    await stage(database, job.jobId, { outcome: 'failed', key: object.key, ...toFailure(error) });
  }
}

/** Groups and places what was read; the results are in key order. */
async function placeFiles(context: ImportContext): Promise<FileResult[]> {
  const { service, job, signal } = context;
  const digestOf = service.behaviour === '2024' ? digest2024 : digestCurrent;
  const rows: Row[] = [];
  const results: FileResult[] = [];
  const at = new Map<string, number>();
  for await (const file of stagedFiles(service.store.database, job.jobId)) {
    at.set(file.key, at.size);
    if (file.outcome === 'failed') results[at.size - 1] = { key: file.key, failure: file };
    else {
      const { key, studyInstanceUID, seriesInstanceUID, sopInstanceUID, warnings } = file;
      rows.push({
        key,
        studyInstanceUID,
        seriesInstanceUID,
        sopInstanceUID,
        warnings,
        groupDigest: digestOf(file),
      });
    }
  }
  for (const group of groupsOf(service, rows)) {
    signal.throwIfAborted();
    const placed = await placeGroup(context, group);
    for (const row of group.rows) results[at.get(row.key)!] = resultOf(row, placed);
  }
  return results;
}

function groupsOf({ behaviour, splitInstances }: Service, rows: readonly Row[]): Group[] {
  if (behaviour === 'current') return groupRows(rows, 'overwrite');
  const groups = groupRows(rows, 'apart');
  return splitInstances === undefined ? groups : splitGroups(groups, splitInstances);
}

function resultOf(row: Row, placed: Placed): FileResult {
  if ('placement' in placed) return { key: row.key, placement: placed.placement, warnings: row.warnings };
  return { key: row.key, failure: { outcome: 'failed', key: row.key, fault: 'customer', ...placed.failure } };
}

/** The manifest comes last: who sees it finds the rest. Throws JobFailure. */
async function writeOutput(context: ImportContext, results: readonly FileResult[]): Promise<void> {
  const { buckets, job, service } = context;
  const output = toJobOutput(job, service.behaviour, results);
  const { bucket, prefix } = parseS3Uri(job.outputS3Uri);
  const write = (name: string, body: string) => buckets.write(bucket, `${prefix}${name}`, body);
  const success = faultOf(job, 'missingManifestLine') ? withoutLastLine(output.success) : output.success;
  try {
    await write('SUCCESS/success.ndjson', success);
    await write('FAILURE/failure.ndjson', output.failure);
    if (output.warning) await write('WARNING/warning.ndjson', output.warning);
    await write('job-output-manifest.json', output.manifest);
  } catch (error) {
    throw new JobFailure('OUTPUT_S3_URI_NOT_ACCESSIBLE', { cause: error });
  }
}

const withoutLastLine = (lines: string) => lines.slice(0, lines.lastIndexOf('\n', lines.length - 2) + 1);

const faultOf = (job: JobRecord, name: FaultName) => job.faults?.find((fault) => fault.name === name);

/** What is left to do for an ended job is noted in the batch that ends it, so that a kill leaves nothing behind. */
async function endJob(
  { service, job }: ImportContext,
  jobStatus: 'COMPLETED' | 'FAILED',
  { message, isOutputDue = false }: { message?: string; isOutputDue?: boolean },
): Promise<void> {
  const ended: JobRecord = { ...job, jobStatus, endedAt: service.clock.now(), ...(message && { message }) };
  await service.store.database.write(
    [
      put(keyOf('job', job.datastoreId, job.jobId), ended),
      del(keyOf('running-job', job.datastoreId, job.jobId)),
      noteEnded(job, isOutputDue),
    ],
    { durable: true },
  );
  const type = jobStatus === 'COMPLETED' ? 'Import Job Completed' : 'Import Job Failed';
  service.emit(jobEvent(type, eventContext(service), ended));
}
