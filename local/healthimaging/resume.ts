/** What a killed process left half done, taken up again at start. */
import type { Importer } from './import/importer.ts';
import { endedJobs } from './import/staged.ts';
import { finishCreation } from './operations/create-datastore.ts';
import { finishDeletion } from './operations/delete-datastore.ts';
import type { Service } from './service.ts';
import { below, partsOf } from './store/keys.ts';
import type { DatastoreRecord } from './store/records.ts';
import { finishCopy } from './writes/finish-copy.ts';
import { finishDelete } from './writes/finish-delete.ts';
import { finishUpdate } from './writes/finish-update.ts';
import { pendingWrites } from './writes/pending.ts';

/** Notes of jobs that had ended; output that one still owes is written in the background. */
export async function clearEndedJobs(service: Service, importer: Importer): Promise<void> {
  for await (const ended of endedJobs(service.store)) await importer.finish(service, ended);
}

/** Data stores go on to ACTIVE or DELETED, writes and import jobs start again where they were. */
export async function resumeLifeCycles(service: Service): Promise<void> {
  const { database } = service.store;
  for await (const [, datastore] of database.entries<DatastoreRecord>(below('datastore'))) {
    if (datastore.datastoreStatus === 'CREATING') finishCreation(service, datastore);
    if (datastore.datastoreStatus === 'DELETING') finishDeletion(service, datastore);
  }
  for await (const write of pendingWrites(service.store)) {
    if (write.kind === 'UpdateImageSetMetadata') finishUpdate(service, write);
    else if (write.kind === 'CopyImageSet') finishCopy(service, write);
    else finishDelete(service, write);
  }
  for await (const key of database.keys(below('running-job'))) {
    const [, datastoreId = '', jobId = ''] = partsOf(key);
    const job = await service.store.job(datastoreId, jobId);
    if (job) service.startJob(job);
  }
}
