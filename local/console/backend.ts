/** The console's backend on one machine: the world's own endpoints, and decisions carried out in this process. */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { s3ObjectStore } from '../../shared/adapters/s3-object-store.ts';
import { stepFunctionsExecutions } from '../../shared/adapters/step-functions-executions.ts';
import type { Backend, Download } from '../../shared/console/backend.ts';
import { carryOutDecision } from '../../shared/console/decisions.ts';
import type { MergeDeps } from '../../shared/ingest/merge-journal.ts';
import type { UploadDeps } from '../../shared/ingest/uploads.ts';
import { systemClock } from '../../shared/ports/clock.ts';
import type { WorldFile } from '../world/world-file.ts';
import { type ActivityLog, CONSOLE_AGENT } from './activity.ts';
import { readMetrics } from './metrics.ts';
import { ownPlaces } from './upload-bodies.ts';

/** Credentials that a local endpoint accepts; no secret. */
const LOCAL_CREDENTIALS = { accessKeyId: 'isocenter-console', secretAccessKey: 'isocenter-local' };

export function openBackend(
  world: WorldFile,
  activity: ActivityLog,
  log: (line: string) => void,
): { backend: Backend; close: () => void } {
  const client = { region: world.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 3 };
  const s3 = new S3Client({ ...client, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...client, endpoint: world.stepFunctionsUrl });
  const { inboxBucket, workBucket, datastoreId } = world;
  const deps: UploadDeps = {
    objects: s3ObjectStore(s3),
    executions: stepFunctionsExecutions(sfn, world.stateMachineArns.ingest),
    clock: systemClock,
    settings: { inboxBucket, workBucket },
  };
  let merging: Promise<MergeDeps> | undefined;
  const backend: Backend = {
    inboxBucket,
    workBucket,
    datastoreId,
    ingestStateMachineArn: world.stateMachineArns.ingest,
    sfn,
    s3,
    deps,
    imaging: (_action, path, init) => {
      const headers = { ...init.headers, 'user-agent': CONSOLE_AGENT };
      return fetch(`${world.healthImagingUrl}${path}`, { ...init, headers });
    },
    metrics: () => readMetrics(world.healthImagingUrl),
    activity: () => activity.latest(),
    mergeDeps: () => {
      merging ??= openMergeDeps(world, deps);
      return merging;
    },
    startDecision: async (decisionId) => {
      carryOutDecision(backend, decisionId).catch((error: Error) => log(`console: ${error.name}`));
    },
    places: { ...ownPlaces, download: async (what) => pathOf(what) },
    session: async () => ({ live: 'events' }),
    addresses: {
      console: world.consoleUrl,
      'HealthImaging, DICOMweb': world.healthImagingUrl,
      S3: world.s3Url,
      'Step Functions': world.stepFunctionsUrl,
      'inbox bucket': inboxBucket,
      'work bucket': workBucket,
    },
  };
  const close = () => {
    s3.destroy();
    sfn.destroy();
  };
  return { backend, close };
}

function pathOf(what: Download): string {
  const parts =
    what.what === 'instance'
      ? ['image-sets', what.imageSetId, 'instances', ...what.uids]
      : ['executions', what.executionId, what.what === 'report' ? 'report.json' : 'objects.ndjson'];
  return `api/${parts.map(encodeURIComponent).join('/')}`;
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
