/**
 * What AWS asks for what a run counts: US East (N. Virginia), list prices without free tiers, US dollars. Prices change:
 * each line says where and when it was read.
 */
export interface Price {
  /** Dollars for `per` units. */
  readonly dollars: number;
  readonly per: number;
  readonly unit: string;
  readonly source: string;
  readonly readOn: string;
}

const READ_ON = '2026-11-24';

/**
 * HealthImaging's price tables are drawn by the browser; its worked examples are text. Quoted from them on the day named
 * (github.com/api-evangelist/amazon-healthimaging, plans/), not read by ourselves.
 */
const HEALTHIMAGING = {
  source: 'https://aws.amazon.com/healthimaging/pricing/ (worked examples, US East)',
  readOn: '2026-10-07',
};

export const PRICES = {
  transitions: {
    dollars: 0.025,
    per: 1000,
    unit: 'state transitions, standard workflows',
    source: 'https://aws.amazon.com/step-functions/pricing/',
    readOn: READ_ON,
  },
  expressRequests: {
    dollars: 1,
    per: 1_000_000,
    unit: 'express workflow requests',
    source: 'https://aws.amazon.com/blogs/compute/building-cost-effective-aws-step-functions-workflows/',
    readOn: '2026-11-25',
  },
  expressGigabyteSeconds: {
    dollars: 0.00001667,
    per: 1,
    unit: 'express workflow GB-seconds, in chunks of 64 MB',
    source: 'https://aws.amazon.com/step-functions/pricing/ (figure as quoted by www.wring.co, 2026-03-14)',
    readOn: '2026-11-25',
  },
  invocations: {
    dollars: 0.2,
    per: 1_000_000,
    unit: 'Lambda requests',
    source: 'https://aws.amazon.com/lambda/pricing/ (as long published; not read again on that day)',
    readOn: READ_ON,
  },
  gigabyteSeconds: {
    dollars: 0.0000133334,
    per: 1,
    unit: 'Lambda GB-seconds, arm64',
    source: 'https://aws.amazon.com/lambda/pricing/ (as long published; not read again on that day)',
    readOn: READ_ON,
  },
  s3Writes: {
    dollars: 0.005,
    per: 1000,
    unit: 'S3 PUT, COPY, POST and LIST requests',
    source: 'https://aws.amazon.com/s3/pricing/',
    readOn: READ_ON,
  },
  s3Reads: {
    dollars: 0.0004,
    per: 1000,
    unit: 'S3 GET and HEAD requests',
    source: 'https://aws.amazon.com/s3/pricing/',
    readOn: READ_ON,
  },
  s3Storage: {
    dollars: 0.023,
    per: 1,
    unit: 'S3 Standard GB-months',
    source: 'https://aws.amazon.com/s3/pricing/',
    readOn: READ_ON,
  },
  healthImagingCalls: { dollars: 0.005, per: 1000, unit: 'HealthImaging API calls', ...HEALTHIMAGING },
  healthImagingStorage: {
    dollars: 0.105,
    per: 1,
    unit: 'HealthImaging GB-months, frequent access',
    ...HEALTHIMAGING,
  },
  healthImagingArchive: {
    dollars: 0.006,
    per: 1,
    unit: 'HealthImaging GB-months, archive instant access',
    ...HEALTHIMAGING,
  },
} as const satisfies Record<string, Price>;

/** What is asked for too, and for which no figure could be found: `estimate` says so. */
export const UNPRICED = [
  'HealthImaging structured storage of metadata',
  'data transfer',
  'CloudWatch logs, metrics and alarms',
  'EventBridge, SQS and SNS',
] as const;

export type Priced = keyof typeof PRICES;
