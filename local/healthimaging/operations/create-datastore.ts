/** CreateDatastore: a new data store, CREATING at first, ACTIVE after its delay. */
import { quotaExceeded, validation } from '../errors.ts';
import { datastoreEvent } from '../events.ts';
import { datastoreArn, newId } from '../identifiers.ts';
import { eventContext, type Service } from '../service.ts';
import { put } from '../store/database.ts';
import { below, keyOf } from '../store/keys.ts';
import type { DatastoreRecord } from '../store/records.ts';
import { rememberToken, replayed } from './idempotency.ts';
import { MAX_TAGS } from './tags.ts';

export interface CreateDatastoreInput {
  readonly datastoreName?: string;
  readonly clientToken: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly kmsKeyArn?: string;
  readonly lambdaAuthorizerArn?: string;
  readonly losslessStorageFormat?: 'HTJ2K' | 'JPEG_2000_LOSSLESS';
}

export async function createDatastore(service: Service, input: CreateDatastoreInput) {
  const { store } = service;
  return service.locks.run('datastores', async () => {
    const known = await replayed(store, 'CreateDatastore', input.clientToken, input);
    const existing = known && (await store.datastore(known));
    if (existing) return { datastoreId: existing.datastoreId, datastoreStatus: existing.datastoreStatus };
    const tags = input.tags ?? {};
    if (Object.keys(tags).length > MAX_TAGS) throw validation(`A resource has at most ${MAX_TAGS} tags`);
    await checkQuota(service);

    const datastore = newDatastore(service, input);
    await store.database.write(
      [
        put(keyOf('datastore', datastore.datastoreId), datastore),
        put(keyOf('tags', datastore.datastoreId), tags),
        rememberToken('CreateDatastore', input.clientToken, input, datastore.datastoreId),
      ],
      { durable: true },
    );
    service.emit(datastoreEvent('Data Store Creating', eventContext(service), datastore));
    finishCreation(service, datastore);
    return { datastoreId: datastore.datastoreId, datastoreStatus: datastore.datastoreStatus };
  });
}

function newDatastore(service: Service, input: CreateDatastoreInput): DatastoreRecord {
  const datastoreId = newId();
  const now = service.clock.now();
  return {
    datastoreId,
    // The API requires a name in its replies, yet not in the request: an unnamed store is called by its id.
    datastoreName: input.datastoreName ?? datastoreId,
    datastoreStatus: 'CREATING',
    datastoreArn: datastoreArn(service, datastoreId),
    ...(input.kmsKeyArn && { kmsKeyArn: input.kmsKeyArn }),
    ...(input.lambdaAuthorizerArn && { lambdaAuthorizerArn: input.lambdaAuthorizerArn }),
    losslessStorageFormat: input.losslessStorageFormat ?? 'HTJ2K',
    createdAt: now,
    updatedAt: now,
  };
}

/** CREATING → ACTIVE; also run at start for a store that a killed process left behind. */
export function finishCreation(service: Service, datastore: DatastoreRecord): void {
  service.background.start('CreateDatastore', service.delays.datastore ?? 0, async () => {
    const active: DatastoreRecord = {
      ...datastore,
      datastoreStatus: 'ACTIVE',
      updatedAt: service.clock.now(),
    };
    await service.store.database.write([put(keyOf('datastore', datastore.datastoreId), active)], {
      durable: true,
    });
    service.emit(datastoreEvent('Data Store Created', eventContext(service), active));
  });
}

async function checkQuota(service: Service): Promise<void> {
  const limit = service.quotas.datastores;
  let count = 0;
  for await (const [, other] of service.store.database.entries<DatastoreRecord>(below('datastore'))) {
    if (other.datastoreStatus !== 'DELETED' && ++count >= limit) {
      throw quotaExceeded(`The account has ${limit} data stores, the most it may have in this region`);
    }
  }
}
