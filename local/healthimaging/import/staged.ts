/**
 * What is kept of each file between reading it and placing it: in the database, so that neither memory nor a killed
 * process limits a job. Keys follow the object keys, so a scan gives the files in listing order.
 */
import type { DicomJson, InstanceDocument } from '../metadata/document.ts';
import { type Database, del, type Operation, put } from '../store/database.ts';
import { below, keyOf, partsOf } from '../store/keys.ts';
import type { FrameRecord, JobRecord } from '../store/records.ts';
import { isUsed, type Store } from '../store/store.ts';
import type { Failure, Warning } from './failures.ts';

export interface StagedInstance {
  readonly key: string;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly sopInstanceUID: string;
  readonly patient: DicomJson;
  readonly study: DicomJson;
  readonly series: DicomJson;
  readonly instance: InstanceDocument;
  /** Frame id to its place among the blobs; `instance.ImageFrames` carries the ids in order. */
  readonly frames: Readonly<Record<string, FrameRecord>>;
  /** The P10 object as it came, among the blobs, where its frames could not be told apart. */
  readonly wholeObject?: string;
  readonly storedBytes: number;
  /** VRs by tag that the document does not carry. */
  readonly vrs: Readonly<Record<string, string>>;
  readonly warnings: readonly Warning[];
}

export interface StagedFailure extends Failure {
  readonly key: string;
  readonly fault: 'customer' | 'server';
}

export type StagedFile =
  | ({ readonly outcome: 'read' } & StagedInstance)
  | ({ readonly outcome: 'failed' } & StagedFailure);

export const stagedKey = (jobId: string, objectKey: string) => keyOf('staged', jobId, objectKey);

export function stage(database: Database, jobId: string, file: StagedFile): Promise<void> {
  return database.write([put(stagedKey(jobId, file.key), file)]);
}

/** The job's files in key order. */
export async function* stagedFiles(database: Database, jobId: string): AsyncIterable<StagedFile> {
  for await (const [, file] of database.entries<StagedFile>(below('staged', jobId))) yield file;
}

/** Object keys that were read before the process was killed. */
export async function stagedKeys(database: Database, jobId: string): Promise<Set<string>> {
  const range = below('staged', jobId);
  const keys = new Set<string>();
  for await (const key of database.keys(range)) keys.add(key);
  return keys;
}

export interface EndedJob {
  readonly job: JobRecord;
  /** COMPLETED was said before the output was written. */
  readonly isOutputDue: boolean;
}

type JobIds = Pick<JobRecord, 'datastoreId' | 'jobId'>;
const endedKey = ({ datastoreId, jobId }: JobIds) => keyOf('ended-job', datastoreId, jobId);

export const noteEnded = (job: JobIds, isOutputDue: boolean): Operation => put(endedKey(job), isOutputDue);

/** Jobs that ended, and whose notes are still there. */
export async function* endedJobs(store: Store): AsyncIterable<EndedJob> {
  for await (const [key, isOutputDue] of store.database.entries<boolean>(below('ended-job'))) {
    const [, datastoreId = '', jobId = ''] = partsOf(key);
    const job = await store.job(datastoreId, jobId);
    if (job) yield { job, isOutputDue };
  }
}

/** Removes the job's notes. What a failed job stored is garbage unless an image set uses it. Safe to repeat. */
export async function forgetJob(
  database: Database,
  job: JobIds,
  outcome: 'completed' | 'failed',
): Promise<void> {
  const { jobId } = job;
  let batch: Operation[] = [];
  const add = async (...operations: readonly Operation[]) => {
    batch.push(...operations);
    if (batch.length < 1_000) return;
    await database.write(batch);
    batch = [];
  };
  if (outcome === 'failed') {
    for await (const [, file] of database.entries<StagedFile>(below('staged', jobId))) {
      for (const blob of file.outcome === 'read' ? blobsOf(file) : []) {
        if (!(await isUsed(database, blob))) await add(put(keyOf('garbage', blob), 0));
      }
    }
  }
  for (const kind of ['staged', 'placed', 'job-phase']) {
    for await (const key of database.keys(below(kind, jobId))) await add(del(key));
  }
  await database.write([...batch, del(endedKey(job))]);
}

const blobsOf = ({ frames, wholeObject }: StagedInstance) => [
  ...Object.values(frames).map(({ blob }) => blob),
  ...(wholeObject ? [wholeObject] : []),
];
