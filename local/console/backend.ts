/** What the console reads and acts on: the same stores, state machine and service as every other client of the world. */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { stepFunctionsExecutions } from '../../shared/adapters/step-functions-executions.ts';
import type { UploadDeps } from '../../shared/ingest/uploads.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { WorldFile } from '../world/world-file.ts';

export interface Backend {
  readonly world: WorldFile;
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly sfn: SFNClient;
  /** As the functions of the pipeline take them. */
  readonly deps: UploadDeps;
  close(): void;
}

/** Credentials that a local endpoint accepts; no secret. */
const LOCAL_CREDENTIALS = { accessKeyId: 'isocenter-console', secretAccessKey: 'isocenter-local' };

export function openBackend(world: WorldFile): Backend {
  const client = { region: world.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 3 };
  const s3 = new S3Client({ ...client, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...client, endpoint: world.stepFunctionsUrl });
  const { inboxBucket, workBucket } = world;
  return {
    world,
    inboxBucket,
    workBucket,
    sfn,
    deps: {
      objects: s3ObjectStore(s3),
      executions: stepFunctionsExecutions(sfn, world.stateMachineArns.ingest),
      clock: systemClock,
      settings: { inboxBucket, workBucket },
    },
    close() {
      s3.destroy();
      sfn.destroy();
    },
  };
}

const EXECUTION_ID = /^[A-Za-z0-9_-]{1,80}$/;

export const isExecutionId = (text: string): boolean => EXECUTION_ID.test(text);

export const executionArnOf = ({ deps }: Backend, executionId: string): string =>
  deps.executions.arnOf(executionId);
