/**
 * The service's CloudWatch metrics (namespace AWS/HealthImaging; guide, "Monitoring with CloudWatch") in Prometheus
 * text: calls as they happen, counts of resources when somebody asks.
 */
import { below } from '../store/keys.ts';
import type { DatastoreRecord, ImageSetRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

export interface Metrics {
  count(operation: string, statusCode: number, seconds: number): void;
  /** Prometheus text format 0.0.4. */
  render(store: Store): Promise<string>;
}

interface Calls {
  count: number;
  seconds: number;
}

export function createMetrics(): Metrics {
  const calls = new Map<string, Calls>();
  return {
    count(operation, statusCode, seconds) {
      const labels = `Operation="${operation}",StatusCode="${statusCode}"`;
      const known = calls.get(labels) ?? { count: 0, seconds: 0 };
      calls.set(labels, { count: known.count + 1, seconds: known.seconds + seconds });
    },
    async render(store) {
      const lines = [
        '# HELP AWS_HealthImaging_CallCount Requests by operation and status.',
        '# TYPE AWS_HealthImaging_CallCount counter',
        ...[...calls].map(([labels, { count }]) => `AWS_HealthImaging_CallCount{${labels}} ${count}`),
        '# HELP isocenter_call_seconds_total Seconds spent answering.',
        '# TYPE isocenter_call_seconds_total counter',
        ...[...calls].map(
          ([labels, { seconds }]) => `isocenter_call_seconds_total{${labels}} ${seconds.toFixed(6)}`,
        ),
        ...(await resourceLines(store)),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}

async function resourceLines(store: Store): Promise<string[]> {
  const lines: string[] = [];
  let datastores = 0;
  let imageSets = 0;
  for await (const [, { datastoreId, datastoreStatus }] of store.database.entries<DatastoreRecord>(
    below('datastore'),
  )) {
    if (datastoreStatus === 'DELETED') continue;
    datastores++;
    const counts = await countsOf(store, datastoreId);
    imageSets += counts.TotalImageSetCount;
    for (const [name, value] of Object.entries(counts)) {
      lines.push(`AWS_HealthImaging_${name}{DatastoreId="${datastoreId}"} ${value}`);
    }
  }
  return [
    `AWS_HealthImaging_DataStoreCount ${datastores}`,
    `AWS_HealthImaging_ImageSetCount ${imageSets}`,
    ...lines,
  ];
}

async function countsOf(store: Store, datastoreId: string) {
  const studies = new Set<string>();
  const series = new Set<string>();
  const counts = { TotalImageSetCount: 0, PrimaryImageSetCount: 0, DICOMInstanceCount: 0 };
  for await (const [, set] of store.database.entries<ImageSetRecord>(below('set', datastoreId))) {
    if (set.isHidden) continue;
    counts.TotalImageSetCount++;
    if (set.isPrimary) counts.PrimaryImageSetCount++;
    counts.DICOMInstanceCount += set.tags.DICOMNumberOfStudyRelatedInstances ?? 0;
    studies.add(set.tags.DICOMStudyInstanceUID ?? '');
    series.add(set.tags.DICOMSeriesInstanceUID ?? '');
  }
  return { ...counts, DICOMStudyCount: studies.size, DICOMSeriesCount: series.size };
}
