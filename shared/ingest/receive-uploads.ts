/** receive-uploads: queue records of "Object Created" events to executions, one for each upload they speak of. */
import { forgetAttempts } from './attempts.ts';
import { startIngest, type UploadDeps } from './uploads.ts';
import { uploadIdOf, uploadOf } from './work-keys.ts';

export interface QueueRecord {
  readonly messageId: string;
  readonly body: string;
}

/** The key of an event's object, or undefined when the record is no such event. */
function keyOf(body: string): string | undefined {
  try {
    const event: unknown = JSON.parse(body);
    const key = (event as { detail?: { object?: { key?: unknown } } } | null)?.detail?.object?.key;
    return typeof key === 'string' && key !== '' ? key : undefined;
  } catch {
    return undefined;
  }
}

/** Returns the ids of the messages that have to come again. Safe to repeat. */
export async function receiveUploads(deps: UploadDeps, records: readonly QueueRecord[]): Promise<string[]> {
  const byUpload = new Map<string, string[]>();
  const unread: string[] = [];
  for (const { messageId, body } of records) {
    const key = keyOf(body);
    if (key === undefined) {
      unread.push(messageId);
      continue;
    }
    const upload = uploadOf(key);
    byUpload.set(upload, [...(byUpload.get(upload) ?? []), messageId]);
  }
  const failed = await Promise.all(
    [...byUpload].map(async ([upload, messageIds]) => {
      try {
        await forgetAttempts(deps, uploadIdOf(upload));
        await startIngest(deps, upload);
        return [];
      } catch {
        return messageIds; // they come again, and after some tries lie in the dead-letter queue
      }
    }),
  );
  return [...unread, ...failed.flat()];
}
