/** receive-uploads: queue records of "Object Created" events to executions, one for each upload they speak of. */
import { forgetAttempts, readAttempts } from './attempts.ts';
import { startIngest, type UploadDeps } from './uploads.ts';
import { uploadIdOf, uploadOf } from './work-keys.ts';

export interface QueueRecord {
  readonly messageId: string;
  readonly body: string;
}

/** An arrival: the object's key, and when it came (milliseconds since 1970; no time counts as now). */
interface Arrival {
  readonly key: string;
  readonly atMs: number;
}

/** The arrival that an event tells of, or undefined when the record is no such event. */
function arrivalOf(body: string): Arrival | undefined {
  try {
    const event = JSON.parse(body) as { time?: unknown; detail?: { object?: { key?: unknown } } } | null;
    const key = event?.detail?.object?.key;
    if (typeof key !== 'string' || key === '') return undefined;
    const atMs = typeof event?.time === 'string' ? Date.parse(event.time) : Number.NaN;
    return { key, atMs: Number.isNaN(atMs) ? Number.POSITIVE_INFINITY : atMs };
  } catch {
    return undefined;
  }
}

interface Arrivals {
  readonly messageIds: readonly string[];
  readonly newestMs: number;
}

/** Returns the ids of the messages that have to come again. Safe to repeat. */
export async function receiveUploads(deps: UploadDeps, records: readonly QueueRecord[]): Promise<string[]> {
  const byUpload = new Map<string, Arrivals>();
  const unread: string[] = [];
  for (const { messageId, body } of records) {
    const arrival = arrivalOf(body);
    if (arrival === undefined) {
      unread.push(messageId);
      continue;
    }
    const upload = uploadOf(arrival.key);
    const known = byUpload.get(upload);
    byUpload.set(upload, {
      messageIds: [...(known?.messageIds ?? []), messageId],
      newestMs: Math.max(known?.newestMs ?? 0, arrival.atMs),
    });
  }
  const failed = await Promise.all(
    [...byUpload].map(async ([upload, { messageIds, newestMs }]) => {
      try {
        await startForArrival(deps, upload, newestMs);
        return [];
      } catch {
        return messageIds; // they come again, and after some tries lie in the dead-letter queue
      }
    }),
  );
  return [...unread, ...failed.flat()];
}

/** Events tell whole seconds. */
const EVENT_RESOLUTION_MS = 1000;

/** Something new ends what failed before; an event that only comes late does not start what failed or was cancelled. */
async function startForArrival(deps: UploadDeps, upload: string, newestMs: number): Promise<void> {
  const uploadId = uploadIdOf(upload);
  const attempts = await readAttempts(deps, uploadId);
  if (attempts !== undefined) {
    if (newestMs + EVENT_RESOLUTION_MS <= Date.parse(attempts.lastFailedAt)) return;
    await forgetAttempts(deps, uploadId);
  }
  await startIngest(deps, upload);
}
