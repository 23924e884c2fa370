/** events:putEvents: Detail may be an object here; the service makes it JSON text. */
import { StateError, statesError } from '../errors.ts';
import { isObject, type Json, plainJson } from '../json.ts';
import type { PutEventsEntry } from '../services.ts';
import { requestObject, type TaskCall, wrong } from './call.ts';

/** Entries of one PutEvents. Source: API model of EventBridge 2015-10-07. */
const MOST_ENTRIES = 10;

export async function putEvents({ request, visit }: TaskCall): Promise<Json> {
  const entries = requestObject(request).Entries;
  if (!Array.isArray(entries)) throw wrong('Arguments/Entries', 'an array', entries);
  if (entries.length < 1 || entries.length > MOST_ENTRIES) {
    throw statesError(
      'States.Runtime',
      `The field 'Arguments/Entries' expected 1 to ${MOST_ENTRIES} entries`,
    );
  }
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
