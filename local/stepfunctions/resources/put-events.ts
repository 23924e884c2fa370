/** events:putEvents: Detail may be an object here; the service makes it JSON text. */
import { StateError } from '../errors.ts';
import { isObject, type Json, plainJson } from '../json.ts';
import type { PutEventsEntry } from '../services.ts';
import { requestObject, type TaskCall, wrong } from './call.ts';

export async function putEvents({ request, visit }: TaskCall): Promise<Json> {
  const entries = requestObject(request).Entries;
  if (!Array.isArray(entries)) throw wrong('Arguments/Entries', 'an array', entries);
  const answer = await visit.engine.services.putEvents(entries.map(toEntry));
  if (answer.FailedEntryCount > 0) {
    throw new StateError('EventBridge.FailedEntry', `${answer.FailedEntryCount} of the entries failed.`);
  }
  return { FailedEntryCount: 0, Entries: plainJson(answer.Entries) ?? [] };
}

function toEntry(entry: Json): PutEventsEntry {
  if (!isObject(entry)) throw wrong('Arguments/Entries', 'an array of objects', entry);
  const { Detail: detail } = entry;
  return { ...entry, ...(isObject(detail) && { Detail: JSON.stringify(detail) }) };
}
