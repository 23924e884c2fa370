/** The records of retries: what was put back into the inbox and when, so that who looks at the report later sees it. */
import type { ObjectStore } from '../ports/object-store.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

/** One retry. */
export interface PutBack {
  /** ISO 8601, UTC. */
  readonly at: string;
  /** How many, by code. */
  readonly objects: Readonly<Record<string, number>>;
}

export async function notePutBack(
  objects: ObjectStore,
  workBucket: string,
  executionId: string,
  putBack: PutBack,
): Promise<void> {
  const location = { bucket: workBucket, key: workKeys.putBack(executionId, putBack.at) };
  await objects.write(location, JSON.stringify(putBack));
}

/** The oldest first. */
export async function putBacksOf(
  objects: ObjectStore,
  workBucket: string,
  executionId: string,
): Promise<PutBack[]> {
  const found: PutBack[] = [];
  for await (const { key } of objects.list(workBucket, workKeys.putBacks(executionId))) {
    const record = await readJson<PutBack>(objects, workBucket, key);
    if (record) found.push(record.value);
  }
  return found;
}
