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

export const PRICES = {
  transitions: {
    dollars: 0.025,
    per: 1000,
    unit: 'state transitions, standard workflows',
    source: 'https://aws.amazon.com/step-functions/pricing/',
    readOn: READ_ON,
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
} as const satisfies Record<string, Price>;

export type Priced = keyof typeof PRICES;
