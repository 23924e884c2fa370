/**
 * Uploads: which are in the inbox, what is in one, and how an ingest of one is started. Outside the inbox an upload
 * appears as the SHA-256 of its name; `uploads/<id>.json` tells the name.
 */
import type { Clock } from '../ports/clock.ts';
import type { Executions } from '../ports/executions.ts';
import type { ObjectEntry, ObjectStore } from '../ports/object-store.ts';
import { isLeaseHeld, uploadLease } from './leases.ts';
import { exists, readJson, writeOnce } from './ndjson.ts';
import { ROOT_UPLOAD, uploadIdOf, uploadOf, workKeys } from './work-keys.ts';

export interface UploadDeps {
  readonly objects: ObjectStore;
  readonly executions: Executions;
  readonly clock: Clock;
  readonly settings: { readonly inboxBucket: string; readonly workBucket: string };
}

/** Sorts after every key below `<upload>/`, but for keys that go on with this very character. */
const LAST_CHARACTER = '\u{10FFFF}';

/** Objects of one upload. A listing asks for `<upload>/`, never for a bare prefix. */
export async function* objectsOf(
  objects: ObjectStore,
  bucket: string,
  upload: string,
): AsyncGenerator<ObjectEntry> {
  if (upload === ROOT_UPLOAD) yield* topObjects(objects, bucket);
  yield* objects.list(bucket, `${upload}/`);
}

/** Objects whose key has no `/`: a walk over the top of the bucket that jumps over every folder. */
async function* topObjects(objects: ObjectStore, bucket: string): AsyncGenerator<ObjectEntry> {
  for await (const entry of topEntries(objects, bucket)) if (!entry.key.includes('/')) yield entry;
}

/** The first object of every folder, and every object outside of one. */
async function* topEntries(objects: ObjectStore, bucket: string): AsyncGenerator<ObjectEntry> {
  let after: string | undefined;
  for (;;) {
    let jump: string | undefined;
    for await (const entry of objects.list(bucket, '', after)) {
      yield entry;
      after = entry.key;
      if (!entry.key.includes('/')) continue;
      jump = `${entry.key.slice(0, entry.key.indexOf('/'))}/${LAST_CHARACTER}${LAST_CHARACTER}`;
      break;
    }
    if (jump === undefined) return;
    if (after === undefined || isBefore(after, jump)) after = jump;
  }
}

/** In the order of the store, which is that of UTF-8; JavaScript's own order differs beyond U+D7FF. */
const isBefore = (a: string, b: string): boolean => Buffer.compare(Buffer.from(a), Buffer.from(b)) < 0;

/** Names of the uploads that have something in the inbox. */
export async function uploadsInInbox(objects: ObjectStore, bucket: string): Promise<Set<string>> {
  const uploads = new Set<string>();
  for await (const entry of topEntries(objects, bucket)) uploads.add(uploadOf(entry.key));
  return uploads;
}

/** Writes down which upload an id means. Safe to repeat. */
export async function nameUpload(deps: UploadDeps, upload: string): Promise<string> {
  const uploadId = uploadIdOf(upload);
  const key = workKeys.upload(uploadId);
  if (!(await exists(deps.objects, deps.settings.workBucket, key)))
    await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify({ upload }));
  return uploadId;
}

/** The name of the upload, or undefined where nobody has named the id. */
export async function uploadName(
  deps: { readonly objects: ObjectStore; readonly settings: { readonly workBucket: string } },
  uploadId: string,
): Promise<string | undefined> {
  const found = await readJson<{ upload: string }>(
    deps.objects,
    deps.settings.workBucket,
    workKeys.upload(uploadId),
  );
  return found?.value.upload;
}

/** Seconds of one bucket of execution names. */
const NAME_BUCKET_SECONDS = 30;

/** The execution's name: `<sha256(upload)[0:32]>-<time bucket>`, unique for the 90 days that Step Functions asks for. */
export const executionName = (uploadId: string, bucket: number): string =>
  `${uploadId.slice(0, 32)}-${bucket.toString(36)}`;

/** Whether two executions are of one upload, by their names. */
export const isSameUpload = (one: string, other: string): boolean => one.slice(0, 32) === other.slice(0, 32);

/** Starts an ingest of the upload, unless one runs. A name that an ended execution took gives way to the next. */
export async function startIngest(deps: UploadDeps, upload: string): Promise<'started' | 'held'> {
  const uploadId = await nameUpload(deps, upload);
  const leaseDeps = { ...deps, workBucket: deps.settings.workBucket };
  if (await isLeaseHeld(leaseDeps, uploadLease(uploadId))) return 'held';
  return startNextIngest(deps, uploadId);
}

/**
 * Starts an ingest under the first name that is free. A running one of that name is the one that was wanted, unless it
 * has looked at the inbox for the last time: Step Functions answers "started" for it all the same.
 */
export async function startNextIngest(deps: UploadDeps, uploadId: string): Promise<'started'> {
  const bucket = Math.floor(deps.clock.now() / 1000 / NAME_BUCKET_SECONDS);
  for (let later = 0; later < 100; later++) {
    const name = executionName(uploadId, bucket + later);
    const started = await deps.executions.start(name, { uploadId });
    if (started === 'exists' && (await deps.executions.status(deps.executions.arnOf(name))) !== 'RUNNING')
      continue;
    if (!(await hasReleased(deps, name))) return 'started';
  }
  throw new Error('no free execution name within 100 time buckets');
}

/** Noted before an execution lists the inbox for the last time: what arrives later is for the next one. */
export async function noteRelease(deps: UploadDeps, executionId: string): Promise<void> {
  await writeOnce(deps.objects, deps.settings.workBucket, workKeys.released(executionId), '{}');
}

const hasReleased = (deps: UploadDeps, executionId: string): Promise<boolean> =>
  exists(deps.objects, deps.settings.workBucket, workKeys.released(executionId));
