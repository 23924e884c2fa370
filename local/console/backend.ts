/** What the console reads and acts on: the same stores, state machine and service as every other client of the world. */
import { userInfo } from 'node:os';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { stepFunctionsExecutions } from '../../shared/adapters/step-functions-executions.ts';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
import type { UploadDeps } from '../../shared/ingest/uploads.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { WorldFile } from '../world/world-file.ts';

export interface Backend {
  readonly world: WorldFile;
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly sfn: SFNClient;
  /** For what the port has no word for: parts of large files. */
  readonly s3: S3Client;
  /** As the functions of the pipeline take them. */
  readonly deps: UploadDeps;
  /** Asks HealthImaging for a path, as its API and its DICOMweb services name them. */
  readonly imaging: (path: string, init: RequestInit) => Promise<Response>;
  /** What decisions about image sets need; made at the first of them. */
  readonly mergeDeps: () => Promise<MergeDeps>;
  /** Who decides: recorded with every decision. */
  readonly actor: string;
  close(): void;
}

/** Credentials that a local endpoint accepts; no secret. */
const LOCAL_CREDENTIALS = { accessKeyId: 'isocenter-console', secretAccessKey: 'isocenter-local' };

export function openBackend(world: WorldFile): Backend {
  const client = { region: world.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 3 };
  const s3 = new S3Client({ ...client, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...client, endpoint: world.stepFunctionsUrl });
  const { inboxBucket, workBucket } = world;
  const deps: UploadDeps = {
    objects: s3ObjectStore(s3),
    executions: stepFunctionsExecutions(sfn, world.stateMachineArns.ingest),
    clock: systemClock,
    settings: { inboxBucket, workBucket },
  };
  let merging: Promise<MergeDeps> | undefined;
  return {
    world,
    inboxBucket,
    workBucket,
    sfn,
    s3,
    deps,
    imaging: (path, init) => fetch(`${world.healthImagingUrl}${path}`, init),
    mergeDeps: () => {
      merging ??= openMergeDeps(world, deps);
      return merging;
    },
    actor: userInfo().username,
    close() {
      s3.destroy();
      sfn.destroy();
    },
  };
}

/** The SDK of HealthImaging is loaded when somebody decides something: a console that only looks starts without. */
async function openMergeDeps(world: WorldFile, deps: UploadDeps): Promise<MergeDeps> {
  const [{ MedicalImagingClient }, { healthImagingService }, { imageSetEditor }] = await Promise.all([
    import('@aws-sdk/client-medical-imaging'),
    import('../../shared/adapters/healthimaging-service.ts'),
    import('../../shared/adapters/image-set-editor.ts'),
  ]);
  const { datastoreId, dataAccessRoleArn, healthImagingUrl, region } = world;
  const client = new MedicalImagingClient({
    endpoint: healthImagingUrl,
    region,
    credentials: LOCAL_CREDENTIALS,
    disableHostPrefix: true,
  });
  return {
    ...deps,
    imaging: {
      ...healthImagingService(client, { datastoreId, dataAccessRoleArn }),
      ...imageSetEditor(client, datastoreId),
    },
    settings: {
      ...deps.settings,
      datastoreId,
      dataAccessRoleArn,
      ingestStateMachineArn: world.stateMachineArns.ingest,
      eventBusName: '',
      constraintProfile: 'current',
      verify: { mode: 'full' },
      merge: 'auto',
      quietSeconds: 0,
      maxWaitSeconds: 0,
      mergeGraceSeconds: 0,
      maxAttempts: 0,
      auditPercent: 0,
    },
  };
}

const EXECUTION_ID = /^[A-Za-z0-9_-]{1,80}$/;

export const isExecutionId = (text: string): boolean => EXECUTION_ID.test(text);

export const executionArnOf = ({ deps }: Backend, executionId: string): string =>
  deps.executions.arnOf(executionId);
