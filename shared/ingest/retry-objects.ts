/** `retry`: puts rejected and failed objects of an execution back into the inbox, where the next ingest finds them. */
import { NoSuchObject } from '../ports/object-store.ts';
import { forgetAttempts } from './attempts.ts';
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

/** Only those with `code`, and only the one of `key` or those of several, where given. Safe to repeat. Throws NoSuchObject without a report. */
export async function retryObjects(
  deps: UploadDeps,
  executionId: string,
  code?: string,
  key?: string | ReadonlySet<string>,
): Promise<Retried> {
  const { workBucket } = deps.settings;
  const report = await readJson<Report>(deps.objects, workBucket, workKeys.report(executionId));
  if (!report) throw new NoSuchObject(`report of execution ${executionId}`);
  const { upload } = report.value;
  const back = new Map<string, number>();
  let skipped = 0;
  for await (const line of readLines<ObjectLine>(deps.objects, workBucket, workKeys.objects(executionId))) {
    if (line.outcome !== 'rejected' && line.outcome !== 'failed') continue;
    if (code !== undefined && line.code !== code) continue;
    if (key !== undefined && (typeof key === 'string' ? line.key !== key : !key.has(line.key))) continue;
    if (await restore(deps, executionId, line))
      back.set(line.code ?? '', (back.get(line.code ?? '') ?? 0) + 1);
    else skipped++;
  }
  if (back.size > 0) {
    const at = new Date(deps.clock.now()).toISOString();
    await notePutBack(deps.objects, workBucket, executionId, { at, objects: Object.fromEntries(back) });
  }
  const uploadId = await nameUpload(deps, upload);
  await forgetAttempts(deps, uploadId);
  await startIngest(deps, upload);
  const restored = [...back.values()].reduce((sum, objects) => sum + objects, 0);
  return { upload, restored, skipped };
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
