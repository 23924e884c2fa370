/** ListDatastores: all data stores by id, or those of one status. */
import type { Service } from '../service.ts';
import { below, keyOf } from '../store/keys.ts';
import type { DatastoreRecord } from '../store/records.ts';
import { DEFAULT_PAGE, page } from './paging.ts';

export interface ListDatastoresInput {
  readonly datastoreStatus?: string;
  readonly nextToken?: string;
  readonly maxResults?: number;
}

export async function listDatastores(service: Service, input: ListDatastoresInput) {
  const { items, nextToken } = await page<DatastoreRecord>(service.store, {
    scope: `ListDatastores ${input.datastoreStatus ?? ''}`,
    range: below('datastore'),
    limit: input.maxResults ?? DEFAULT_PAGE,
    nextToken: input.nextToken,
    keep: (record) => !input.datastoreStatus || record.datastoreStatus === input.datastoreStatus,
    keyOf: (record) => keyOf('datastore', record.datastoreId),
  });
  return { datastoreSummaries: items, nextToken };
}
