/** StartDICOMImportJob: records the job as SUBMITTED and hands it to the importer. Safe to repeat by clientToken. */
import type { CallContext } from '../endpoints.ts';
import { conflict, quotaExceeded } from '../errors.ts';
import { jobEvent } from '../events.ts';
import { newId } from '../identifiers.ts';
import { eventContext, requireDatastore, type Service } from '../service.ts';
import { put } from '../store/database.ts';
import { below, keyOf } from '../store/keys.ts';
import type { ImportConfiguration, JobRecord } from '../store/records.ts';
import { rememberToken, replayed } from './idempotency.ts';

export interface StartDicomImportJobInput {
  readonly datastoreId: string;
  readonly jobName?: string;
  readonly dataAccessRoleArn: string;
  readonly clientToken: string;
  readonly inputS3Uri: string;
  readonly outputS3Uri: string;
  readonly inputOwnerAccountId?: string;
  readonly importConfiguration?: ImportConfiguration;
}

export async function startDicomImportJob(
  service: Service,
  input: StartDicomImportJobInput,
  { faults }: CallContext,
) {
  const { datastoreId, clientToken } = input;
  const datastore = await requireDatastore(service, datastoreId);
  const scope = `StartDICOMImportJob ${datastoreId}`;
  return service.locks.run(scope, async () => {
    const known = await replayed(service.store, scope, clientToken, input);
    const existing = known && (await service.store.job(datastoreId, known));
    if (existing) return summaryOf(existing);
    if (datastore.datastoreStatus !== 'ACTIVE') {
      throw conflict(`Data store ${datastoreId} is ${datastore.datastoreStatus}; imports need an ACTIVE one`);
    }
    await checkQuota(service, datastoreId);

    const job: JobRecord = { ...newJob(service, input), ...(faults.length > 0 && { faults }) };
    await service.store.database.write(
      [
        put(keyOf('job', datastoreId, job.jobId), job),
        put(keyOf('job-order', datastoreId, job.submittedAt, job.jobId), job.jobId),
        put(keyOf('running-job', datastoreId, job.jobId), job.jobId),
        rememberToken(scope, clientToken, input, job.jobId),
      ],
      { durable: true },
    );
    service.emit(jobEvent('Import Job Submitted', eventContext(service), job));
    service.startJob(job);
    return summaryOf(job);
  });
}

function newJob(service: Service, input: StartDicomImportJobInput): JobRecord {
  const jobId = newId();
  const { datastoreId, outputS3Uri } = input;
  const folder = outputS3Uri.endsWith('/') ? outputS3Uri : `${outputS3Uri}/`;
  return {
    jobId,
    jobName: input.jobName ?? `job-${jobId}`,
    jobStatus: 'SUBMITTED',
    datastoreId,
    dataAccessRoleArn: input.dataAccessRoleArn,
    submittedAt: service.clock.now(),
    inputS3Uri: input.inputS3Uri,
    outputS3Uri: `${folder}${datastoreId}-DicomImport-${jobId}/`,
    ...(input.inputOwnerAccountId && { inputOwnerAccountId: input.inputOwnerAccountId }),
    ...(input.importConfiguration && { importConfiguration: input.importConfiguration }),
  };
}

async function checkQuota(service: Service, datastoreId: string): Promise<void> {
  const limit = service.quotas.concurrentImportJobs;
  let running = 0;
  for await (const _ of service.store.database.keys({ ...below('running-job', datastoreId), limit }))
    running++;
  if (running >= limit) {
    throw quotaExceeded(`Data store ${datastoreId} has ${limit} import jobs running, the most it may have`);
  }
}

const summaryOf = ({ datastoreId, jobId, jobStatus, submittedAt }: JobRecord) => ({
  datastoreId,
  jobId,
  jobStatus,
  submittedAt,
});
