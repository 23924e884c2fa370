/**
 * Where everything lies in the two buckets: the one module that knows the layout (design section 3). Names of patients
 * may be in uploads and keys, so these appear only as digests. Pure.
 */
import { sha256 } from './digest.ts';

/** The upload of keys without `/`, and of keys below `_root/`. */
export const ROOT_UPLOAD = '_root';

/** The upload that an inbox key belongs to: its first path segment (`a/b/c.dcm` → `a`). */
export function uploadOf(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? ROOT_UPLOAD : key.slice(0, slash);
}

/** What names an upload outside the inbox: the SHA-256 of its name. */
export const uploadIdOf = (upload: string): string => sha256(upload);

const execution = (executionId: string) => `executions/${executionId}/`;
const refusedOf = (kind: 'rejected' | 'failed', executionId: string) => `${kind}/${executionId}/`;

export const workKeys = {
  lease: (name: string) => `leases/${sha256(name)}`,
  hold: (uploadId: string) => `holds/${uploadId}`,
  holds: 'holds/',
  attempts: (uploadId: string) => `attempts/${uploadId}.json`,
  attemptsPrefix: 'attempts/',
  /** Names the upload, for the execution that knows only its digest. */
  upload: (uploadId: string) => `uploads/${uploadId}.json`,
  seriesLedger: (datastoreId: string, seriesInstanceUID: string) =>
    `series/${datastoreId}/${sha256(seriesInstanceUID)}.json`,
  studyLedger: (datastoreId: string, studyInstanceUID: string) =>
    `studies/${datastoreId}/${sha256(studyInstanceUID)}.json`,
  execution,
  executions: 'executions/',
  /** NDJSON shards of a stage: `inventory`, `inspected`, `planned`, `stage`, `staging`, `imported`, `verify`, … */
  shards: (executionId: string, stage: string) => `${execution(executionId)}${stage}/`,
  shard: (executionId: string, stage: string, shard: string) => `${execution(executionId)}${stage}/${shard}`,
  /** The items of a Distributed Map: `[{"shard":"00000"}]`. */
  shardList: (executionId: string, stage: string, round: number) =>
    `${execution(executionId)}shards/${stage}-${round}.json`,
  snapshot: (executionId: string) => `${execution(executionId)}inventory.json`,
  plan: (executionId: string) => `${execution(executionId)}plan.json`,
  leases: (executionId: string) => `${execution(executionId)}leases.ndjson`,
  batch: (executionId: string, batchId: string) => `${execution(executionId)}batches/${batchId}.ndjson`,
  /** Which job an attempt of a batch got. */
  job: (executionId: string, batchId: string, attempt: number) =>
    `${execution(executionId)}jobs/${batchId}-${attempt}.json`,
  /** The task that waits for a batch's job, for the event that wakes it. */
  waiting: (executionId: string, batchId: string) => `${execution(executionId)}waiting/${batchId}.json`,
  /** The items of ImportBatches: planned batches. */
  importList: (executionId: string) => `${execution(executionId)}shards/import-0.json`,
  /** How a batch ended: its job and its counts. */
  batchResult: (executionId: string, batchId: string) => `${execution(executionId)}jobs/${batchId}.json`,
  staged: (executionId: string, batchId: string) => `${execution(executionId)}staged/${batchId}/`,
  stagedObject: (executionId: string, batchId: string, key: string) =>
    `${execution(executionId)}staged/${batchId}/${sha256(key)}`,
  /** Where a suspected duplicate is copied, for its digest alone. */
  suspect: (executionId: string, key: string) => `${execution(executionId)}suspects/${sha256(key)}`,
  importOutput: (executionId: string) => `${execution(executionId)}import-output/`,
  merges: (executionId: string) => `${execution(executionId)}merges/merges.json`,
  /** What was decided about a series' image sets, with all values before; and how it ended. */
  mergeJournal: (executionId: string, seriesInstanceUID: string) =>
    `${execution(executionId)}merges/${sha256(seriesInstanceUID)}.journal.json`,
  mergeOutcome: (executionId: string, seriesInstanceUID: string) =>
    `${execution(executionId)}merges/${sha256(seriesInstanceUID)}.json`,
  /** What people decided about a series. */
  resolution: (seriesInstanceUID: string) => `resolutions/${sha256(seriesInstanceUID)}.json`,
  /** What a page asked for, and how it ended. */
  askedDecision: (decisionId: string) => `decisions/${decisionId}.json`,
  askedDecisions: 'decisions/',
  /** What somebody downloads in the console, for a day. `name`: of the file. */
  consoleDownload: (downloadId: string, name: string) => `console/downloads/${downloadId}/${name}`,
  /** What people decided about the patients of a study. */
  patientDecision: (studyInstanceUID: string) => `resolutions/study-${sha256(studyInstanceUID)}.json`,
  /** The image set that a merge's destination became when it was promoted. */
  promotion: (executionId: string, seriesInstanceUID: string, destination: string) =>
    `${execution(executionId)}merges/${sha256(seriesInstanceUID)}.${destination}.promotion.json`,
  /** Merged sources that are to be deleted at `dueAt` (ISO 8601). */
  dueMerge: (dueAt: string, executionId: string, seriesInstanceUID: string) =>
    `merges/${dueAt}-${executionId}-${sha256(seriesInstanceUID)}.json`,
  dueMerges: 'merges/',
  /** The items of MergeSeries: `[{"seriesInstanceUID":"…"}]`. */
  mergeList: (executionId: string) => `${execution(executionId)}shards/merge-0.json`,
  /** The execution gives its leases back; what comes now is for the next one. */
  released: (executionId: string) => `${execution(executionId)}released.json`,
  /** Where the daily audit goes on. */
  auditCursor: (datastoreId: string) => `audit/${datastoreId}.json`,
  report: (executionId: string) => `${execution(executionId)}report.json`,
  objects: (executionId: string) => `${execution(executionId)}objects.ndjson`,
  /** Where a refused object waits: `rejected/…` or `failed/…`. */
  refused: (kind: 'rejected' | 'failed', executionId: string, key: string) =>
    `${refusedOf(kind, executionId)}${sha256(key)}`,
  refusedOf,
  /** What was put back into the inbox, each time; `at` is ISO 8601, UTC. */
  putBack: (executionId: string, at: string) => `${execution(executionId)}put-back/${at}.json`,
  putBacks: (executionId: string) => `${execution(executionId)}put-back/`,
  /** Small summaries by day, for listings; `finishedAt` is ISO 8601, UTC. */
  summary: (finishedAt: string, executionId: string) =>
    `reports/${finishedAt.slice(0, 4)}/${finishedAt.slice(5, 7)}/${finishedAt.slice(8, 10)}/${finishedAt}-${executionId}.json`,
  summaries: 'reports/',
} as const;

/** The batch whose staged folder this is, or undefined for any other place. */
export function batchOfStaged(
  s3Uri: string,
  workBucket: string,
): { readonly planExecutionId: string; readonly batchId: string } | undefined {
  const [, bucket, planExecutionId, batchId] =
    /^s3:\/\/([^/]+)\/executions\/([^/]+)\/staged\/([^/]+)\/?$/.exec(s3Uri) ?? [];
  return bucket === workBucket && planExecutionId && batchId ? { planExecutionId, batchId } : undefined;
}
