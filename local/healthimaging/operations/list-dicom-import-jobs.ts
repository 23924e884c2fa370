/** ListDICOMImportJobs: the jobs of the last 90 days, newest first, or those of one status. */
import { requireDatastore, type Service } from '../service.ts';
import { below, keyOf } from '../store/keys.ts';
import type { JobRecord } from '../store/records.ts';
import { DEFAULT_PAGE, page } from './paging.ts';

/** Developer guide, "Understanding import jobs": jobs are listed for 90 days. */
const LISTED_MS = 90 * 24 * 3600 * 1000;

export interface ListDicomImportJobsInput {
  readonly datastoreId: string;
  readonly jobStatus?: string;
  readonly nextToken?: string;
  readonly maxResults?: number;
}

export async function listDicomImportJobs(service: Service, input: ListDicomImportJobsInput) {
  const { datastoreId, jobStatus } = input;
  await requireDatastore(service, datastoreId);
  const since = service.clock.now() - LISTED_MS;
  const { items, nextToken } = await page<JobRecord>(service.store, {
    scope: `ListDICOMImportJobs ${datastoreId} ${jobStatus ?? ''}`,
    range: { ...below('job-order', datastoreId), gte: keyOf('job-order', datastoreId, since) },
    limit: input.maxResults ?? DEFAULT_PAGE,
    reverse: true,
    nextToken: input.nextToken,
    load: (jobId) => service.store.job(datastoreId, jobId as string),
    keep: (job) => !jobStatus || job.jobStatus === jobStatus,
    keyOf: (job) => keyOf('job-order', datastoreId, job.submittedAt, job.jobId),
  });
  return { jobSummaries: items, nextToken };
}
