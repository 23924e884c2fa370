/** What every operation gets: the store, the clock, the options and the way to announce what happened. */

import type { Quotas } from '../../shared/healthimaging/quotas.ts';
import type { CodecPool } from '../../shared/pixels/codec-pool.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { EventBridgeEvent } from '../../shared/ports/events.ts';
import type { Access } from './access/last-access.ts';
import type { Background } from './background.ts';
import { notFound } from './errors.ts';
import type { EventContext } from './events.ts';
import type { Home } from './identifiers.ts';
import type { Locks } from './locks.ts';
import type { DatastoreRecord, ImageSetRecord, JobRecord, VersionRecord } from './store/records.ts';
import type { Store } from './store/store.ts';

export type Behaviour = 'current' | '2024';

/** How long the asynchronous parts take, in milliseconds; all 0 unless set. */
export interface Delays {
  /** A data store stays CREATING or DELETING. */
  readonly datastore?: number;
  /** A job stays SUBMITTED. */
  readonly jobSubmitted?: number;
  /** A job stays IN_PROGRESS beyond its work. */
  readonly jobInProgress?: number;
  /** The manifest appears after COMPLETED. */
  readonly manifest?: number;
  /** An update, copy or deletion keeps its image set LOCKED. */
  readonly write?: number;
}

export interface Service extends Home {
  readonly store: Store;
  readonly clock: Clock;
  readonly behaviour: Behaviour;
  readonly delays: Delays;
  readonly quotas: Quotas;
  /** 2024: a series of more instances is split into several image sets, as the service did for throughput. */
  readonly splitInstances?: number | undefined;
  readonly access: Access;
  readonly background: Background;
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  readonly locks: Locks;
  readonly codecs: CodecPool;
  readonly emit: (event: EventBridgeEvent) => void;
  /** Runs an import job in the background. */
  readonly startJob: (job: JobRecord) => void;
}

/** Region, account and time for an event. */
export const eventContext = (service: Service): EventContext => ({
  region: service.region,
  accountId: service.accountId,
  now: service.clock.now(),
});

/** The data store, in any state but DELETED. Throws ResourceNotFoundException. */
export async function requireDatastore(service: Service, datastoreId: string): Promise<DatastoreRecord> {
  const datastore = await service.store.datastore(datastoreId);
  if (!datastore || datastore.datastoreStatus === 'DELETED') {
    throw notFound(`Data store ${datastoreId} does not exist`);
  }
  return datastore;
}

/** An image set with one of its versions (the latest by default). Throws ResourceNotFoundException. */
export async function requireImageSet(
  service: Service,
  input: { datastoreId: string; imageSetId: string; versionId?: string },
): Promise<{ set: ImageSetRecord; version: VersionRecord }> {
  const { datastoreId, imageSetId, versionId } = input;
  await requireDatastore(service, datastoreId);
  const set = await service.store.imageSet(datastoreId, imageSetId);
  if (!set) throw notFound(`Image set ${imageSetId} does not exist in data store ${datastoreId}`);
  const number = versionId === undefined ? set.latestVersion : Number(versionId);
  const version = Number.isSafeInteger(number)
    ? await service.store.version(datastoreId, imageSetId, number)
    : undefined;
  if (!version) throw notFound(`Image set ${imageSetId} has no version ${versionId}`);
  return { set, version };
}
