/**
 * What so many instances will ask of AWS, and cost: a straight line through counted runs of the local world, whose
 * definitions and functions are those that deploy, plus the decoding of real pixels and the storage. Pure.
 */
import { QUOTAS, RATES } from '../healthimaging/quotas.ts';
import { PRICES, type Priced } from './prices.ts';

/** One run that bench/requests.mjs counted: one upload of small instances of one frame. */
export interface CountedRun {
  readonly instances: number;
  readonly rows: number;
  readonly transitions: number;
  readonly invocations: number;
  readonly gigabyteSeconds: number;
  /** Express executions: each inspecting, staging, verifying and clearing child. */
  readonly express: { readonly executions: number; readonly billedMilliseconds: number };
  /** By `service:Operation`. */
  readonly requests: Readonly<Record<string, number>>;
}

export interface Workload {
  readonly instances: number;
  readonly framesPerInstance: number;
  readonly bytesPerInstance: number;
  readonly instancesPerUpload: number;
  readonly instancesPerSeries: number;
  /** How long staged copies are kept. */
  readonly retentionDays: number;
  /** Dollars a GB-month of HealthImaging storage, where they are not those of the table. */
  readonly healthImagingDollars?: number;
}

export interface Line {
  readonly what: string;
  readonly amount: number;
  readonly unit: string;
  readonly dollars: number;
  /** It comes again each later month, and is not in the sum. */
  readonly isLater?: true;
}

export interface Estimate {
  readonly workload: Workload;
  readonly lines: readonly Line[];
  readonly dollars: number;
  /** How long each quota alone would make it take; the longest binds first. */
  readonly quotas: readonly { readonly quota: string; readonly hours: number }[];
}

/**
 * Decoded bytes a second of one vCPU, for the proof of one frame (bench/codec.mjs; 212 to 250 MB/s were measured), and
 * the memory of a function that has one vCPU.
 */
const DECODED_BYTES_PER_SECOND = 200e6;
const VERIFY_GIGABYTES = 1769 / 1024;
/** The least memory of an express workflow; ours carry little state. */
const EXPRESS_GIGABYTES = 64 / 1024;
/** Lossless HTJ2K makes a CT about so much smaller (measured 3.1); other modalities less. */
const COMPRESSION = 2;
/** HealthImaging bills an image set as at least so much (developer guide, "Cost optimization"). */
const SMALLEST_IMAGE_SET_BYTES = 5 * 1024 ** 2;
const GIB = 1024 ** 3;
const GB = 1e9;

type Count = (run: CountedRun) => number;

/** The value at `instances` of the straight line through the smallest and the largest run; never below 0. */
function onLine(runs: readonly CountedRun[], count: Count, instances: number): number {
  const [first, last] = [runs[0], runs.at(-1)];
  if (!first || !last) throw new Error('estimate: expected counted runs, got none');
  if (first.instances === last.instances) return (count(first) / first.instances) * instances;
  const slope = (count(last) - count(first)) / (last.instances - first.instances);
  return Math.max(0, count(first) + slope * (instances - first.instances));
}

const matching =
  (pattern: RegExp): Count =>
  (run) =>
    Object.entries(run.requests)
      .filter(([name]) => pattern.test(name))
      .reduce((sum, [, count]) => sum + count, 0);

/** What S3 bills as a read; deletes are free; the rest is a write. */
const S3_READS = matching(/^s3:(Get|Head)Object$/);
const S3_WRITES = matching(/^s3:(Put|Copy|List|Create|Complete|UploadPart)/);

const priced = (what: string, name: Priced, amount: number): Line => {
  const { dollars, per, unit } = PRICES[name];
  return { what, amount, unit, dollars: (amount / per) * dollars };
};

/** The estimate for `workload`. Throws when there are no runs. */
export function estimate(runs: readonly CountedRun[], workload: Workload): Estimate {
  const { instances, framesPerInstance, bytesPerInstance, instancesPerUpload } = workload;
  const perUpload = Math.min(instances, instancesPerUpload);
  const uploads = instances / perUpload;
  const total = (count: Count) => uploads * onLine(runs, count, perUpload);
  const frames = instances * framesPerInstance;
  const bytes = instances * bytesPerInstance;
  const decodingSeconds = bytes / DECODED_BYTES_PER_SECOND;
  const expressSeconds = total((run) => run.express.billedMilliseconds / 1000) + decodingSeconds;
  const lines = [
    priced(
      'Step Functions',
      'transitions',
      total((run) => run.transitions),
    ),
    priced(
      'Express workflows',
      'expressRequests',
      total((run) => run.express.executions),
    ),
    priced('Express time', 'expressGigabyteSeconds', expressSeconds * EXPRESS_GIGABYTES),
    priced(
      'Lambda requests',
      'invocations',
      total((run) => run.invocations),
    ),
    priced(
      'Lambda time',
      'gigabyteSeconds',
      total((run) => run.gigabyteSeconds) + decodingSeconds * VERIFY_GIGABYTES,
    ),
    priced('S3 writes', 's3Writes', total(S3_WRITES) + instances),
    priced('S3 reads', 's3Reads', total(S3_READS)),
    priced('S3 staged copies', 's3Storage', (bytes / GB) * (workload.retentionDays / 30)),
    ...healthImagingLines(workload, total, frames, bytes),
  ];
  return {
    workload,
    lines,
    dollars: lines.filter((line) => !line.isLater).reduce((sum, { dollars }) => sum + dollars, 0),
    quotas: quotasOf(workload, total, frames, bytes),
  };
}

function healthImagingLines(
  workload: Workload,
  total: (count: Count) => number,
  frames: number,
  bytes: number,
): Line[] {
  const imageSets = Math.ceil(workload.instances / workload.instancesPerSeries);
  const stored = Math.max(bytes / COMPRESSION, imageSets * SMALLEST_IMAGE_SET_BYTES) / GIB;
  const storage = (what: string, name: Priced): Line => {
    const line = priced(what, name, stored);
    const given = workload.healthImagingDollars;
    return given === undefined ? line : { ...line, dollars: stored * given };
  };
  return [
    priced(
      'HealthImaging calls',
      'healthImagingCalls',
      total(matching(/^medical-imaging:(?!GetImageFrame)/)),
    ),
    priced('HealthImaging frames', 'healthImagingCalls', frames),
    storage(`HealthImaging, first month, ${imageSets} image sets`, 'healthImagingStorage'),
    { ...storage('  each later month, when nobody looks', 'healthImagingArchive'), isLater: true },
  ];
}

/** S3 takes so many copies a second below one prefix (Amazon S3 user guide, "Optimizing performance", 2026-11-25). */
const COPIES_PER_SECOND = 3500;
/** The parameter's default. */
const VERIFY_CONCURRENCY = 50;

/** Hours that each of the service's rates needs for its part, the longest first. */
function quotasOf(workload: Workload, total: (count: Count) => number, frames: number, bytes: number) {
  const { filesPerJob, bytesPerJob } = QUOTAS.current;
  const uploads = Math.ceil(workload.instances / workload.instancesPerUpload);
  const jobs = Math.max(uploads, workload.instances / filesPerJob, bytes / bytesPerJob);
  const rate = (operation: string) => RATES.current[operation]?.perSecond ?? 1;
  const hours = (operation: string, requests: number) => ({
    quota: `${operation}, ${rate(operation)} a second`,
    hours: requests / rate(operation) / 3600,
  });
  return [
    hours('GetImageFrame', frames),
    hours('StartDICOMImportJob', jobs),
    {
      quota: `S3 copies, ${COPIES_PER_SECOND} a second`,
      hours: workload.instances / COPIES_PER_SECOND / 3600,
    },
    {
      quota: `decoding, ${VERIFY_CONCURRENCY} functions (verifyConcurrency)`,
      hours: bytes / DECODED_BYTES_PER_SECOND / VERIFY_CONCURRENCY / 3600,
    },
    ...['GetImageSetMetadata', 'SearchImageSets', 'GetImageSet', 'GetDICOMImportJob'].map((operation) =>
      hours(operation, total(matching(new RegExp(`:${operation}$`)))),
    ),
  ].sort((a, b) => b.hours - a.hours);
}
