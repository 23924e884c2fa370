/** `retry`: puts rejected and failed objects of an execution back into the inbox, where the next ingest finds them. */
import { NoSuchObject } from '../ports/object-store.ts';
import { forgetAttempts } from './attempts.ts';
import { concurrentlyOver } from './concurrently.ts';
import { readJson, readLines } from './ndjson.ts';
import { notePutBack } from './put-backs.ts';
import type { ObjectLine, Report } from './report.ts';
import { nameUpload, startIngest, type UploadDeps } from './uploads.ts';
import { workKeys } from './work-keys.ts';

export interface Retried {
  readonly upload: string;
  /** Put back into the inbox. */
  readonly restored: number;
  /** Left alone: the inbox has another object under that key, or the refused one is gone. */
  readonly skipped: number;
}

/** Objects that move at once, and after how many it is written down how far a retry is. */
const AT_ONCE = 16;
const NOTED_EVERY = 500;

/**
 * Only those with `code`, and only those of `keys`, where given. Safe to repeat; one that breaks off has noted what it did,
 * but for the last few hundred. Throws NoSuchObject without a report.
 */
export async function retryObjects(
  deps: UploadDeps,
  executionId: string,
  code?: string,
  keys?: ReadonlySet<string>,
): Promise<Retried> {
  const { workBucket } = deps.settings;
  const report = await readJson<Report>(deps.objects, workBucket, workKeys.report(executionId));
  if (!report) throw new NoSuchObject(`report of execution ${executionId}`);
  const { upload } = report.value;
  const uploadId = await nameUpload(deps, upload);
  await forgetAttempts(deps, uploadId);
  const at = new Date(deps.clock.now()).toISOString();
  const back = new Map<string, number>();
  let restored = 0;
  let skipped = 0;
  const note = () =>
    notePutBack(deps.objects, workBucket, executionId, { at, objects: Object.fromEntries(back) });
  try {
    await concurrentlyOver(refusedLines(deps, executionId, code, keys), AT_ONCE, async (line) => {
      if (!(await restore(deps, executionId, line))) return void skipped++;
      back.set(line.code ?? '', (back.get(line.code ?? '') ?? 0) + 1);
      if (++restored % NOTED_EVERY === 0) await note();
    });
  } finally {
    if (restored > 0) await note();
  }
  await startIngest(deps, upload);
  return { upload, restored, skipped };
}

async function* refusedLines(
  { objects, settings: { workBucket } }: UploadDeps,
  executionId: string,
  code: string | undefined,
  keys: ReadonlySet<string> | undefined,
): AsyncGenerator<ObjectLine> {
  for await (const line of readLines<ObjectLine>(objects, workBucket, workKeys.objects(executionId))) {
    if (line.outcome !== 'rejected' && line.outcome !== 'failed') continue;
    if (code !== undefined && line.code !== code) continue;
    if (keys === undefined || keys.has(line.key)) yield line;
  }
}

async function restore(deps: UploadDeps, executionId: string, line: ObjectLine): Promise<boolean> {
  const { inboxBucket, workBucket } = deps.settings;
  const kind = line.outcome === 'rejected' ? 'rejected' : 'failed';
  const key = workKeys.refused(kind, executionId, line.key);
  const entry = await deps.objects.head({ bucket: workBucket, key });
  const to = { bucket: inboxBucket, key: line.key };
  if (!entry || (await deps.objects.head(to))) return false;
  await deps.objects.copy({ bucket: workBucket, key, etag: entry.etag, sizeBytes: entry.sizeBytes }, to);
  await deps.objects.remove(workBucket, [{ key, etag: entry.etag }]);
  return true;
}
