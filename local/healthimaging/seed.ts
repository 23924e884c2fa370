/** Fills a fresh server from a folder of P10 files, through the same import as a job's. */

import { sleep } from './background.ts';
import { folderBuckets } from './import/folder-buckets.ts';
import type { Importer } from './import/importer.ts';
import { createDatastore } from './operations/create-datastore.ts';
import { startDicomImportJob } from './operations/start-dicom-import-job.ts';
import type { Service } from './service.ts';

/**
 * Resolves when everything is imported, with the data store's id. A second start on the same data finds what the first
 * one made. Throws when the job fails; files that are no DICOM are left out, as in any job.
 */
export async function seedFrom(service: Service, importer: Importer, folder: string): Promise<string> {
  const token = 'isocenter-seed';
  const { datastoreId } = await createDatastore(service, { datastoreName: 'seed', clientToken: token });
  while ((await service.store.datastore(datastoreId))?.datastoreStatus !== 'ACTIVE') await pause(service);
  const seeding: Service = {
    ...service,
    startJob: (job) => importer.start(service, job, folderBuckets(folder)),
  };
  const { jobId } = await startDicomImportJob(
    seeding,
    {
      datastoreId,
      clientToken: token,
      jobName: 'seed',
      dataAccessRoleArn: `arn:aws:iam::${service.accountId}:role/seed`,
      inputS3Uri: 's3://seed/',
      outputS3Uri: 's3://seed/',
    },
    { faults: [] },
  );
  for (;;) {
    const job = await service.store.job(datastoreId, jobId);
    if (job?.jobStatus === 'COMPLETED') return datastoreId;
    if (job?.jobStatus === 'FAILED') throw new Error(`the seed folder could not be imported: ${job.message}`);
    await pause(service);
  }
}

async function pause(service: Service): Promise<void> {
  await sleep(5, service.stopping);
  service.stopping.throwIfAborted();
}
