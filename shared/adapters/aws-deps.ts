/**
 * What every function works with on AWS, made once for each execution environment; the environment is checked here.
 * The other clients are in files of their own (aws-executions.ts, aws-imaging.ts): a function loads what it uses. Where
 * a client talks to comes from the SDK's own variables (AWS_ENDPOINT_URL_S3 …), and nothing here asks where it runs.
 */
import { S3Client } from '@aws-sdk/client-s3';
import type { ObjectDeps } from '../ingest/pipeline-deps.ts';
import { parseSettings } from '../ingest/settings.ts';
import { systemClock } from '../ports/clock.ts';
import { requestHandler } from './request-handler.ts';
import { s3ObjectStore } from './s3-object-store.ts';

/** Throws when the environment is not as it must be: the names, the wanted and the got. */
export const awsDeps = (): ObjectDeps => ({
  settings: parseSettings(process.env),
  clock: systemClock,
  objects: s3ObjectStore(s3Client()),
});

/** Path style whenever an endpoint is given: a name before the host needs DNS that a local store does not have. */
export const s3Client = (): S3Client =>
  new S3Client({
    requestHandler: requestHandler(),
    maxAttempts: 6,
    forcePathStyle: process.env.AWS_ENDPOINT_URL_S3 !== undefined,
  });
