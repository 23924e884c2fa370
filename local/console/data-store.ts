/** The data store at a glance: counts and calls from the service's metrics, import jobs, what happened last. */
import type { ActivityLog } from './activity.ts';
import type { DataStore } from './api.ts';
import type { Backend } from './backend.ts';
import { getDatastore, listJobs } from './image-sets.ts';

const iso = (seconds: number) => new Date(seconds * 1000).toISOString();

export async function readDataStore(backend: Backend, activity: ActivityLog): Promise<DataStore> {
  const { world } = backend;
  const [{ datastoreProperties }, jobs, metrics] = await Promise.all([
    getDatastore(backend),
    listJobs(backend),
    readMetrics(world.healthImagingUrl),
  ]);
  // Bytes come by tier too: the panel shows those of all tiers.
  const ofStore = metrics.filter(
    ({ labels: { DatastoreId, StorageTier = 'AllStorage' } }) =>
      DatastoreId === world.datastoreId && StorageTier === 'AllStorage',
  );
  const calls = metrics.filter(({ name }) => name === 'CallCount');
  return {
    datastoreId: world.datastoreId,
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
    activity: activity.latest(),
    addresses: {
      console: world.consoleUrl,
      'HealthImaging, DICOMweb': world.healthImagingUrl,
      S3: world.s3Url,
      'Step Functions': world.stepFunctionsUrl,
      'inbox bucket': world.inboxBucket,
      'work bucket': world.workBucket,
    },
  };
}

interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

async function readMetrics(healthImagingUrl: string): Promise<Metric[]> {
  const response = await fetch(`${healthImagingUrl}/metrics`, { signal: AbortSignal.timeout(10_000) });
  return response.ok ? parseMetrics(await response.text()) : [];
}

/** Lines `AWS_HealthImaging_Name{Label="value"} 1` of the Prometheus text format. Pure. */
export function parseMetrics(text: string): Metric[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = /^AWS_HealthImaging_(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', text = '']) => [key, text]);
    return [{ name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) }];
  });
}
