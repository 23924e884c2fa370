/** DeleteDatastore: refused while the store holds an image set or a running job; then DELETING, DELETED. */
import { conflict } from '../errors.ts';
import { datastoreEvent } from '../events.ts';
import { eventContext, requireDatastore, type Service } from '../service.ts';
import { del, put } from '../store/database.ts';
import { below, keyOf } from '../store/keys.ts';
import type { DatastoreRecord } from '../store/records.ts';
import { sortRange } from '../store/search-index.ts';

export async function deleteDatastore(service: Service, input: { readonly datastoreId: string }) {
  const { datastoreId } = input;
  return service.locks.run('datastores', async () => {
    const datastore = await requireDatastore(service, datastoreId);
    if (datastore.datastoreStatus === 'DELETING') return { datastoreId, datastoreStatus: 'DELETING' };
    if (datastore.datastoreStatus !== 'ACTIVE' && datastore.datastoreStatus !== 'CREATE_FAILED') {
      throw conflict(`Data store ${datastoreId} is ${datastore.datastoreStatus}`);
    }
    if (await hasAny(service, sortRange(datastoreId, 'createdAt'))) {
      throw conflict(`Data store ${datastoreId} still has image sets; delete them first`);
    }
    if (await hasAny(service, below('running-job', datastoreId))) {
      throw conflict(`Data store ${datastoreId} has an import job in progress`);
    }
    const deleting: DatastoreRecord = {
      ...datastore,
      datastoreStatus: 'DELETING',
      updatedAt: service.clock.now(),
    };
    await service.store.database.write([put(keyOf('datastore', datastoreId), deleting)], { durable: true });
    service.emit(datastoreEvent('Data Store Deleting', eventContext(service), deleting));
    finishDeletion(service, deleting);
    return { datastoreId, datastoreStatus: 'DELETING' };
  });
}

/** DELETING → DELETED; also run at start for a store that a killed process left behind. */
export function finishDeletion(service: Service, datastore: DatastoreRecord): void {
  service.background.start('DeleteDatastore', service.delays.datastore ?? 0, async () => {
    const deleted: DatastoreRecord = {
      ...datastore,
      datastoreStatus: 'DELETED',
      updatedAt: service.clock.now(),
    };
    await service.store.database.write(
      [put(keyOf('datastore', datastore.datastoreId), deleted), del(keyOf('tags', datastore.datastoreId))],
      { durable: true },
    );
    service.emit(datastoreEvent('Data Store Deleted', eventContext(service), deleted));
  });
}

async function hasAny(service: Service, range: { gte: string; lt: string }): Promise<boolean> {
  for await (const _ of service.store.database.keys({ ...range, limit: 1 })) return true;
  return false;
}
