/**
 * Which service the contract and behaviour suites talk to: servers of their own, or, by one variable, another one:
 * `ISOCENTER_TEST_SERVICE='https://medical-imaging.us-east-1.amazonaws.com/?bucket=B&role=ROLE_ARN'` (credentials from the
 * AWS default chain; B is written to), or another local one with `http://127.0.0.1:4081/?bucket=B&s3=http://127.0.0.1:4082`.
 */
import type { MedicalImagingClientConfig } from '@aws-sdk/client-medical-imaging';
import type { S3ClientConfig } from '@aws-sdk/client-s3';

export interface Elsewhere {
  readonly endpoint: string;
  readonly bucket: string;
  readonly role: string;
  readonly isAws: boolean;
  readonly client: MedicalImagingClientConfig;
  readonly s3: S3ClientConfig;
}

const TEST_CREDENTIALS = { accessKeyId: 'test', secretAccessKey: 'test' };

/** Throws with the variable's name for a value that is no URL, or lacks the bucket or the role. */
export function parseElsewhere(text: string | undefined): Elsewhere | undefined {
  if (!text) return undefined;
  const name = 'ISOCENTER_TEST_SERVICE';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url) throw new Error(`${name}: expected a URL`);
  const bucket = url.searchParams.get('bucket');
  if (!bucket) throw new Error(`${name}: expected ?bucket=, where jobs read and write`);
  const aws = /^medical-imaging\.([a-z0-9-]+)\.amazonaws\.com$/.exec(url.hostname);
  const role = url.searchParams.get('role');
  if (aws && !role) throw new Error(`${name}: expected &role=, the import role's ARN`);
  const s3Url = url.searchParams.get('s3');
  const region = aws?.[1] ?? 'us-east-1';
  const endpoint = url.origin;
  return {
    endpoint,
    bucket,
    role: role ?? 'arn:aws:iam::000000000000:role/import',
    isAws: aws !== null,
    // The service's own names get their host prefix; a local address has none.
    client: aws
      ? { region, maxAttempts: 12, retryMode: 'adaptive' }
      : { region, endpoint, credentials: TEST_CREDENTIALS, disableHostPrefix: true, maxAttempts: 1 },
    s3: s3Url ? { region, endpoint: s3Url, forcePathStyle: true, credentials: TEST_CREDENTIALS } : { region },
  };
}

export const elsewhere = parseElsewhere(process.env.ISOCENTER_TEST_SERVICE);

/** For suites of what only a server of our own can be told: delays, faults, clocks, the year 2024. */
export const isElsewhere = elsewhere !== undefined;
if (isElsewhere) console.warn(`skipped: what only a server of our own can be told (${elsewhere?.endpoint})`);
