/** GetDICOMImportJob: one job, with the expanded output folder. */
import { notFound } from '../errors.ts';
import { requireDatastore, type Service } from '../service.ts';

export async function getDicomImportJob(
  service: Service,
  input: { readonly datastoreId: string; readonly jobId: string },
) {
  await requireDatastore(service, input.datastoreId);
  const jobProperties = await service.store.job(input.datastoreId, input.jobId);
  if (!jobProperties)
    throw notFound(`Import job ${input.jobId} does not exist in data store ${input.datastoreId}`);
  return { jobProperties };
}
