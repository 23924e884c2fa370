/**
 * The service's CloudWatch metrics (namespace AWS/HealthImaging; guide, "Monitoring with CloudWatch") in Prometheus
 * text: calls as they happen, counts of resources when somebody asks and something has changed.
 */
import type { Service } from '../service.ts';
import { below } from '../store/keys.ts';
import type { DatastoreRecord, ImageSetRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

export interface Metrics {
  count(operation: string, statusCode: number, seconds: number): void;
  /** Prometheus text format 0.0.4. */
  render(service: Service): Promise<string>;
}

interface Calls {
  count: number;
  seconds: number;
}

export function createMetrics(): Metrics {
  const calls = new Map<string, Calls>();
  const resources = makeResourceReader();
  return {
    count(operation, statusCode, seconds) {
      const labels = `Operation="${operation}",StatusCode="${statusCode}"`;
      const known = calls.get(labels) ?? { count: 0, seconds: 0 };
      calls.set(labels, { count: known.count + 1, seconds: known.seconds + seconds });
    },
    async render(service) {
      const lines = [
        '# HELP AWS_HealthImaging_CallCount Requests by operation and status.',
        '# TYPE AWS_HealthImaging_CallCount counter',
        ...[...calls].map(([labels, { count }]) => `AWS_HealthImaging_CallCount{${labels}} ${count}`),
        '# HELP isocenter_call_seconds_total Seconds spent answering.',
        '# TYPE isocenter_call_seconds_total counter',
        ...[...calls].map(
          ([labels, { seconds }]) => `isocenter_call_seconds_total{${labels}} ${seconds.toFixed(6)}`,
        ),
        ...(await resources(service)),
      ];
      return `${lines.join('\n')}\n`;
    },
  };
}

/** Billing sizes of the search index (guide, "Cost optimization"). */
const INDEX_BYTES = { study: 1024, series: 830, instance: 680 };
/** "SmallImageSetCount": below the 5 MB that an image set is billed at least. */
const SMALL_BYTES = 5 * 1024 ** 2;
const PAGE = 1_000;

const TIERS = {
  FREQUENT_ACCESS: 'FrequentAccessStorage',
  ARCHIVE_INSTANT_ACCESS: 'ArchiveInstantAccessStorage',
} as const;

/** Tiers change with time alone. */
const COUNTED_FOR_MS = 60_000;

/** Who looks every few seconds does not have every image set read each time. */
function makeResourceReader(): (service: Service) => Promise<readonly string[]> {
  let counted = { writes: -1, atMs: 0, lines: [] as readonly string[] };
  return async (service) => {
    const { writes } = service.store.database;
    const atMs = service.clock.now();
    const isNew = counted.writes === writes && Math.abs(atMs - counted.atMs) < COUNTED_FOR_MS;
    if (!isNew) counted = { writes, atMs, lines: await resourceLines(service) };
    return counted.lines;
  };
}

async function resourceLines(service: Service): Promise<string[]> {
  const lines: string[] = [];
  const account = { DataStoreCount: 0, ImageSetCount: 0, StorageBytes: 0 };
  const range = below('datastore');
  for await (const [, datastore] of service.store.database.entries<DatastoreRecord>(range)) {
    if (datastore.datastoreStatus === 'DELETED') continue;
    const { counts, bytes } = await countsOf(service, datastore.datastoreId);
    account.DataStoreCount++;
    account.ImageSetCount += counts.TotalImageSetCount;
    account.StorageBytes += bytes.AllStorage;
    const label = `DatastoreId="${datastore.datastoreId}"`;
    for (const [name, value] of Object.entries(counts))
      lines.push(`AWS_HealthImaging_${name}{${label}} ${value}`);
    for (const [tier, value] of Object.entries(bytes))
      lines.push(`AWS_HealthImaging_StorageBytes{${label},StorageTier="${tier}"} ${value}`);
  }
  const of = `AccountId="${service.accountId}"`;
  return [
    ...Object.entries(account).map(([name, value]) => `AWS_HealthImaging_${name}{${of}} ${value}`),
    ...lines,
  ];
}

async function countsOf({ store, access }: Service, datastoreId: string) {
  const studies = new Set<string>();
  const series = new Set<string>();
  const counts = {
    TotalImageSetCount: 0,
    PrimaryImageSetCount: 0,
    SmallImageSetCount: 0,
    DICOMInstanceCount: 0,
  };
  const bytes = { FrequentAccessStorage: 0, ArchiveInstantAccessStorage: 0, AllStorage: 0 };
  for await (const sets of pagesOf(store, datastoreId)) {
    const facts = await access.readAll(sets);
    sets.forEach(({ isPrimary, storedBytes = 0, tags }, i) => {
      counts.TotalImageSetCount++;
      if (isPrimary) counts.PrimaryImageSetCount++;
      if (storedBytes < SMALL_BYTES) counts.SmallImageSetCount++;
      counts.DICOMInstanceCount += tags.DICOMNumberOfStudyRelatedInstances ?? 0;
      bytes[TIERS[facts[i]!.storageTier]] += storedBytes;
      bytes.AllStorage += storedBytes;
      studies.add(tags.DICOMStudyInstanceUID ?? '');
      series.add(tags.DICOMSeriesInstanceUID ?? '');
    });
  }
  const StructuredStorageBytes =
    studies.size * INDEX_BYTES.study +
    series.size * INDEX_BYTES.series +
    counts.DICOMInstanceCount * INDEX_BYTES.instance;
  const more = { DICOMStudyCount: studies.size, DICOMSeriesCount: series.size, StructuredStorageBytes };
  return { counts: { ...counts, ...more }, bytes };
}

/** The shown image sets of a data store, a thousand at a time. */
async function* pagesOf(store: Store, datastoreId: string): AsyncIterable<ImageSetRecord[]> {
  let sets: ImageSetRecord[] = [];
  for await (const [, set] of store.database.entries<ImageSetRecord>(below('set', datastoreId))) {
    if (set.isHidden) continue;
    sets.push(set);
    if (sets.length < PAGE) continue;
    yield sets;
    sets = [];
  }
  yield sets;
}
