/**
 * SDK clients as every function uses them. Where they talk to comes from the SDK's own variables (AWS_ENDPOINT_URL_S3 …)
 * and nothing here asks where it runs.
 */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Enough for the widest fan-out of one function; the services' own rates are kept by adaptive retries. */
const SOCKETS = 64;
const CONNECT_TIMEOUT_MS = 5000;
/** Longer than any single answer takes; a silent connection is tried again. */
const REQUEST_TIMEOUT_MS = 60_000;

const handler = () =>
  new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    httpAgent: { keepAlive: true, maxSockets: SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
  });

/** Path style whenever an endpoint is given: a name before the host needs DNS that a local store does not have. */
export const s3Client = (): S3Client =>
  new S3Client({
    requestHandler: handler(),
    maxAttempts: 6,
    forcePathStyle: process.env.AWS_ENDPOINT_URL_S3 !== undefined,
  });

/** The SDK prepends `runtime-` to any host; AWS_DISABLE_HOST_PREFIX_INJECTION turns that off, as it does for botocore. */
export const imagingClient = (): MedicalImagingClient =>
  new MedicalImagingClient({
    requestHandler: handler(),
    maxAttempts: 8,
    retryMode: 'adaptive',
    disableHostPrefix: process.env.AWS_DISABLE_HOST_PREFIX_INJECTION === 'true',
  });

export const stepFunctionsClient = (): SFNClient =>
  new SFNClient({ requestHandler: handler(), maxAttempts: 6 });
