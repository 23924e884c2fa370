/**
 * What is kept of each file between reading it and placing it: in the database, so that neither memory nor a killed
 * process limits a job. Keys follow the object keys, so a scan gives the files in listing order.
 */
import type { DicomJson, InstanceDocument } from '../metadata/document.ts';
import { type Database, del, put } from '../store/database.ts';
import { below, keyOf } from '../store/keys.ts';
import type { FrameRecord } from '../store/records.ts';
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

/** Removes the job's notes, a thousand at a time. */
export async function forgetJob(database: Database, jobId: string): Promise<void> {
  for (const kind of ['staged', 'placed', 'job-phase']) {
    let batch: string[] = [];
    for await (const key of database.keys(below(kind, jobId))) {
      batch.push(key);
      if (batch.length < 1_000) continue;
      await database.write(batch.map(del));
      batch = [];
    }
    await database.write(batch.map(del));
  }
}
