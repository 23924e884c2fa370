/** The data store at a glance: counts and calls from the service's metrics, import jobs, what happened last. */
import type { DataStore } from './api.ts';
import type { Backend } from './backend.ts';
import { getDatastore, listJobs } from './image-sets.ts';

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export async function readDataStore(backend: Backend): Promise<DataStore> {
  const [{ datastoreProperties }, jobs, metrics] = await Promise.all([
    getDatastore(backend),
    listJobs(backend),
    backend.metrics(),
  ]);
  // Bytes come by tier too: the panel shows those of all tiers.
  const ofStore = metrics.filter(
    ({ labels: { DatastoreId, StorageTier = 'AllStorage' } }) =>
      DatastoreId === backend.datastoreId && StorageTier === 'AllStorage',
  );
  const calls = metrics.filter(({ name }) => name === 'CallCount');
  return {
    datastoreId: backend.datastoreId,
    name: datastoreProperties.datastoreName,
    status: datastoreProperties.datastoreStatus,
    createdAt: iso(datastoreProperties.createdAt),
    counts: Object.fromEntries(ofStore.map(({ name, value }) => [name, value])),
    calls: calls
      .map(({ labels, value }) => ({
        operation: labels.Operation ?? '',
        status: labels.StatusCode ?? '',
        count: value,
      }))
      .sort((a, b) => b.count - a.count),
    jobs: jobs.map(({ jobId, jobName, jobStatus, submittedAt, endedAt }) => ({
      jobId,
      jobName,
      jobStatus,
      submittedAt: iso(submittedAt),
      ...(endedAt === undefined ? {} : { endedAt: iso(endedAt) }),
    })),
    activity: backend.activity(),
    addresses: backend.addresses,
  };
}
