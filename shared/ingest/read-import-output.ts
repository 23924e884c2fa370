/**
 * ReadImportOutput: what HealthImaging's job output says of each planned object, then the ledgers. Every planned object
 * is in exactly one of SUCCESS and FAILURE; one that is in neither, or in both, is `failed: Unaccounted`.
 */
import { NoSuchObject } from '../ports/object-store.ts';
import { concurrently } from './concurrently.ts';
import { type Identity, identityDigest } from './identity.ts';
import { type BatchRef, NO_JOB } from './import-batch.ts';
import { type LedgerEntry, recordInstances, recordStudy } from './ledger.ts';
import { allLines, exists, linesOf, ndjsonOf, readJson, writeOnce } from './ndjson.ts';
import type { ImagingDeps } from './pipeline-deps.ts';
import type { ImportedLine, StageLine, StagingLine } from './plan-lines.ts';
import { endReplacements } from './resolutions.ts';
import { resultLines } from './shards.ts';
import { workKeys } from './work-keys.ts';

/** The manifest may come a moment after COMPLETED. Worth repeating. */
export class ManifestNotThereYet extends Error {
  override readonly name = 'ManifestNotThereYet';
}

export interface ReadRequest extends BatchRef {
  readonly attempt: number;
  readonly jobId: string;
  readonly jobStatus: 'COMPLETED' | 'FAILED';
}

/** How a batch ended, for the report. */
export interface BatchResult {
  readonly batchId: string;
  readonly jobId: string;
  readonly jobStatus: string;
  readonly planned: number;
  readonly imported: number;
  readonly rejected: number;
  readonly warnings: number;
  readonly outputS3Uri: string;
  /** Lines of the output about objects that nobody planned; should be none. */
  readonly unplanned: number;
}

/** The output folder parsed: by input key. */
export interface JobOutput {
  readonly success: ReadonlyMap<string, { imageSetId: string; isPrimary: boolean }>;
  readonly failure: ReadonlyMap<string, { exceptionType: string; message: string }>;
  readonly warning: ReadonlyMap<string, readonly { code: string; message: string }[]>;
}

/** Safe to repeat: the result is written once, after the ledgers. */
export async function readImportOutput(deps: ImagingDeps, request: ReadRequest): Promise<void> {
  const { workBucket } = deps.settings;
  const { planExecutionId, batchId } = request;
  const resultKey = workKeys.batchResult(planExecutionId, batchId);
  if (await exists(deps.objects, workBucket, resultKey)) return;
  const lines = await allLines<StageLine>(deps.objects, workBucket, workKeys.batch(planExecutionId, batchId));
  const digests = await stagedDigests(deps, planExecutionId, batchId);
  const planned = lines.filter((line) => digests.has(line.n));
  const job =
    request.jobId === NO_JOB.jobId ? { outputS3Uri: '' } : await deps.imaging.importJob(request.jobId);
  const output =
    request.jobStatus === 'FAILED' || job.outputS3Uri === ''
      ? undefined
      : await readOutput(deps, job.outputS3Uri);
  const results = planned.map((line) => resultOf(line, output, stagedKey(request, line)));
  await recordImports(deps, request, planned, results, digests);
  const importedKey = workKeys.shard(planExecutionId, 'imported', batchId);
  await writeOnce(deps.objects, workBucket, importedKey, ndjsonOf(results));
  const result: BatchResult = {
    batchId,
    jobId: request.jobId,
    jobStatus: request.jobStatus,
    planned: planned.length,
    imported: results.filter((line) => line.outcome === 'imported').length,
    rejected: results.filter((line) => line.outcome === 'rejected').length,
    warnings: output?.warning.size ?? 0,
    outputS3Uri: job.outputS3Uri,
    unplanned: output ? unplannedOf(output, planned, request) : 0,
  };
  await writeOnce(deps.objects, workBucket, resultKey, JSON.stringify(result));
}

const stagedKey = ({ planExecutionId, batchId }: BatchRef, line: StageLine) =>
  workKeys.stagedObject(planExecutionId, batchId, line.key);

async function stagedDigests(deps: ImagingDeps, executionId: string, batchId: string) {
  const digests = new Map<number, string>();
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  for await (const line of resultLines<StagingLine>(shardDeps, executionId, 'stage', `${batchId}-`))
    if (line.outcome === 'staged' && line.sha256) digests.set(line.n, line.sha256);
  return digests;
}

/** What the output says of one planned object. Pure. */
export function resultOf(line: StageLine, output: JobOutput | undefined, stagedAs: string): ImportedLine {
  const { n } = line;
  if (!output)
    return { n, outcome: 'failed', code: 'JobFailed', message: 'the import job failed three times' };
  const success = output.success.get(stagedAs);
  const failure = output.failure.get(stagedAs);
  if (success && !failure) {
    const warnings = output.warning.get(stagedAs);
    return { n, outcome: 'imported', ...success, ...(warnings ? { warnings } : {}) };
  }
  if (failure && !success) {
    const message = `HealthImaging: ${failure.exceptionType}: ${failure.message}`;
    if (failure.exceptionType === 'ValidationException')
      return { n, outcome: 'rejected', code: 'ImportRejected', message };
    return { n, outcome: 'failed', code: 'JobFailed', message };
  }
  const where = success ? 'in both SUCCESS and FAILURE' : 'in neither SUCCESS nor FAILURE';
  return { n, outcome: 'failed', code: 'Unaccounted', message: `job output: expected once, got ${where}` };
}

function unplannedOf(output: JobOutput, planned: readonly StageLine[], ref: BatchRef): number {
  const wanted = new Set(planned.map((line) => stagedKey(ref, line)));
  return [...output.success.keys(), ...output.failure.keys()].filter((key) => !wanted.has(key)).length;
}

interface Manifest {
  readonly jobSummary: {
    readonly successOutputS3Uri?: string;
    readonly failureOutputS3Uri?: string;
    readonly warningsOutputS3Uri?: string;
    readonly numberOfImportedFiles: number;
    readonly numberOfFilesWithCustomerError: number;
    readonly numberOfFilesWithServerError: number;
  };
}

async function readOutput(deps: ImagingDeps, outputS3Uri: string): Promise<JobOutput> {
  const folder = parseS3Uri(outputS3Uri);
  const manifest = await readJson<Manifest>(
    deps.objects,
    folder.bucket,
    `${folder.key}job-output-manifest.json`,
  );
  if (!manifest)
    throw new ManifestNotThereYet('job-output-manifest.json: expected after COMPLETED, got none');
  const summary = manifest.value.jobSummary;
  const success = new Map<string, { imageSetId: string; isPrimary: boolean }>();
  const failure = new Map<string, { exceptionType: string; message: string }>();
  const warning = new Map<string, { code: string; message: string }[]>();
  const read = (name: string, uri?: string) =>
    outputLines(deps, uri ? parseS3Uri(uri) : { ...folder, key: `${folder.key}${name}/` });
  for await (const line of read('SUCCESS', summary.successOutputS3Uri)) {
    const { imageSetId = '', isPrimary = true } = line.importResponse ?? {};
    success.set(line.inputFile, { imageSetId, isPrimary });
  }
  for await (const line of read('FAILURE', summary.failureOutputS3Uri)) {
    const { exceptionType = 'Unknown', message = '' } = line.exception ?? {};
    failure.set(line.inputFile, { exceptionType, message: withoutValues(message) });
  }
  for await (const line of read('WARNING', summary.warningsOutputS3Uri))
    warning.set(
      line.inputFile,
      (line.importResponse?.warnings ?? []).map((w) => ({ code: w.type, message: withoutValues(w.message) })),
    );
  const listed = summary.numberOfImportedFiles + summary.numberOfFilesWithCustomerError;
  if (success.size + failure.size < listed && (await isFresh(deps, folder)))
    throw new ManifestNotThereYet(`job output: expected ${listed} lines, got ${success.size + failure.size}`);
  return { success, failure, warning };
}

/** Seconds after which a line that the manifest counts, and that is not there, is missing for good: `Unaccounted`. */
const LINES_WITHIN_SECONDS = 60;

async function isFresh(deps: ImagingDeps, folder: { bucket: string; key: string }): Promise<boolean> {
  const entry = await deps.objects.head({ ...folder, key: `${folder.key}job-output-manifest.json` });
  const writtenMs = Date.parse(entry?.lastModified ?? '');
  return !(deps.clock.now() - writtenMs > LINES_WITHIN_SECONDS * 1000);
}

/** The service's own words, bounded. */
const withoutValues = (message: string) => message.slice(0, 500);

interface OutputLine {
  readonly inputFile: string;
  readonly importResponse?: {
    readonly imageSetId?: string;
    readonly isPrimary?: boolean;
    readonly warnings?: readonly { readonly type: string; readonly message: string }[];
  };
  readonly exception?: { readonly exceptionType?: string; readonly message?: string };
}

async function* outputLines(
  deps: ImagingDeps,
  folder: { bucket: string; key: string },
): AsyncGenerator<OutputLine> {
  for await (const entry of deps.objects.list(folder.bucket, folder.key)) {
    try {
      const stream = await deps.objects.stream({ bucket: folder.bucket, key: entry.key });
      for await (const line of linesOf(stream)) yield JSON.parse(line) as OutputLine;
    } catch (error) {
      if (!(error instanceof NoSuchObject)) throw error;
    }
  }
}

export function parseS3Uri(uri: string): { bucket: string; key: string } {
  const match = /^s3:\/\/([^/]+)\/(.*)$/.exec(uri);
  if (!match)
    throw new Error(`S3 URI: expected s3://bucket/key, got ${uri.length} characters of something else`);
  return { bucket: match[1] as string, key: match[2] as string };
}

/** Studies whose ledgers are written at once; of one study, a series after the other. */
const STUDIES_AT_ONCE = 16;

/** An imported object with the image set that it went into. */
interface Import {
  readonly line: StageLine;
  readonly imageSetId: string;
  readonly staged: string;
  readonly warned: boolean;
  /** The execution that accounts for it. */
  readonly by: string;
}

/** Writes what was imported into the ledgers: studies first, so that no series is known without its patient. */
async function recordImports(
  deps: ImagingDeps,
  batch: BatchRef,
  planned: readonly StageLine[],
  results: readonly ImportedLine[],
  digests: ReadonlyMap<number, string>,
): Promise<void> {
  const imports: Import[] = planned.flatMap((line, i) => {
    const { outcome, imageSetId, warnings } = results[i] as ImportedLine;
    const staged = stagedKey(batch, line);
    return outcome === 'imported' && imageSetId
      ? [{ line, imageSetId, staged, warned: !!warnings, by: batch.executionId }]
      : [];
  });
  const byStudy = grouped(imports, ({ line }) => line.study);
  await concurrently([...byStudy], STUDIES_AT_ONCE, async ([study, ofStudy]) => {
    for (const [series, ofSeries] of grouped(ofStudy, ({ line }) => line.series))
      await recordSeries(deps, study, series, ofSeries, digests);
  });
}

async function recordSeries(
  deps: ImagingDeps,
  studyInstanceUID: string,
  seriesInstanceUID: string,
  imports: readonly Import[],
  digests: ReadonlyMap<number, string>,
): Promise<void> {
  const identities = identitiesOf(imports.map((i) => i.line));
  const imageSets = [...new Set(imports.map((i) => i.imageSetId))];
  await recordStudy(deps, studyInstanceUID, identities, { [seriesInstanceUID]: imageSets });
  const instances = Object.fromEntries(
    imports.map((found) => [found.line.sop, entryOf(found, digests.get(found.line.n)!)]),
  );
  await recordInstances(deps, { studyInstanceUID, seriesInstanceUID }, identities, instances);
  const replaced = imports
    .filter(({ line }) => line.replaces)
    .map(({ line }) => ({ sop: line.sop, sha256: digests.get(line.n)! }));
  await endReplacements(deps, seriesInstanceUID, replaced);
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
}

const entryOf = ({ line, imageSetId, staged, warned, by }: Import, sha256: string): LedgerEntry => ({
  sizeBytes: line.sizeBytes,
  sha256,
  datasetDigest: line.datasetDigest,
  imageSetId,
  state: 'imported',
  frames: line.frames,
  staged,
  ...(warned ? { warned } : {}),
  ...(line.replaces ? { replaces: [] } : {}),
  by,
});

function identitiesOf(lines: readonly StageLine[]): Identity[] {
  return [...new Map(lines.map((line) => [identityDigest(line.identity), line.identity])).values()];
}
