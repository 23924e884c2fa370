/** The console's backend on AWS: the stack's own services, presigned addresses for bodies, decisions in a function of their own. */
import { randomUUID } from 'node:crypto';
import { s3Client } from '../adapters/aws-deps.ts';
import { stepFunctionsClient } from '../adapters/aws-executions.ts';
import { imagingClient } from '../adapters/aws-imaging.ts';
import { handedOnImaging } from '../adapters/handed-on-imaging.ts';
import { healthImagingService } from '../adapters/healthimaging-service.ts';
import { imageSetEditor } from '../adapters/image-set-editor.ts';
import { invokeLater } from '../adapters/invoke-function.ts';
import { DiscoveryError, type OpenIdProvider, openIdProvider } from '../adapters/openid-discovery.ts';
import { s3ObjectStore } from '../adapters/s3-object-store.ts';
import { presignedUrl } from '../adapters/s3-presigned.ts';
import { stepFunctionsExecutions } from '../adapters/step-functions-executions.ts';
import { parseSettings } from '../ingest/settings.ts';
import { workKeys } from '../ingest/work-keys.ts';
import { systemClock } from '../ports/clock.ts';
import type { ObjectStore } from '../ports/object-store.ts';
import type { Backend, Download, Places } from './backend.ts';
import { HttpProblem } from './http.ts';
import { openInstance } from './image-sets.ts';

export interface DeployedBackend extends Backend {
  /** Origins that the pages talk to besides their own: where tokens are, and the inbox. */
  readonly connectTo: () => Promise<readonly string[]>;
}

/** A sending page asks again for each file and part. */
const UPLOAD_SECONDS = 900;
const DOWNLOAD_SECONDS = 300;

/** From the function's environment. Throws when that is not as it must be. */
export function deployedBackend(environment = process.env): DeployedBackend {
  const settings = parseSettings(environment);
  const { inboxBucket, workBucket, datastoreId } = settings;
  const [s3, sfn, client] = [s3Client(), stepFunctionsClient(), imagingClient()];
  const deps = {
    objects: s3ObjectStore(s3),
    executions: stepFunctionsExecutions(sfn, settings.ingestStateMachineArn),
    clock: systemClock,
    settings,
  };
  const imaging = { ...healthImagingService(client, settings), ...imageSetEditor(client, datastoreId) };
  const discover = providerOf(environment);
  const sign = (options: Parameters<typeof presignedUrl>[1]) =>
    presignedUrl(s3, options, environment.AWS_ENDPOINT_URL_S3);
  const backend: DeployedBackend = {
    inboxBucket,
    workBucket,
    datastoreId,
    ingestStateMachineArn: settings.ingestStateMachineArn,
    sfn,
    s3,
    deps,
    imaging: handedOnImaging(client),
    metrics: async () => [],
    activity: () => [],
    mergeDeps: async () => ({ ...deps, imaging }),
    startDecision: (decisionId) =>
      invokeLater(
        sfn.config,
        environment.DECIDE_SERIES_FUNCTION ?? '',
        { decisionId },
        environment.AWS_ENDPOINT_URL_LAMBDA ?? environment.AWS_ENDPOINT_URL,
      ),
    places: {
      file: (key) => place(sign, { bucket: inboxBucket, key }, {}),
      part: ({ key, partsId }, { number, sha256 }) =>
        place(
          sign,
          { bucket: inboxBucket, key },
          {
            headers: { 'x-amz-checksum-sha256': sha256 },
            query: { partNumber: String(number), uploadId: partsId },
          },
        ),
      download: (what) => downloadAddress(backend, deps.objects, sign, what),
    },
    session: async () => ({
      live: 'poll',
      signIn: { clientId: environment.CONSOLE_CLIENT_ID ?? '', ...(await told(discover)) },
    }),
    connectTo: async () => {
      const inbox = await sign({ bucket: inboxBucket, key: '-', method: 'PUT', expiresSeconds: 1 });
      const { tokenEndpoint } = await told(discover);
      return [new URL(tokenEndpoint).origin, new URL(inbox).origin];
    },
    addresses: { 'inbox bucket': inboxBucket, 'work bucket': workBucket },
  };
  return backend;
}

function providerOf(environment: NodeJS.ProcessEnv): () => Promise<OpenIdProvider> {
  const { CONSOLE_ISSUER = '', CONSOLE_CLIENT_ID = '' } = environment;
  if (CONSOLE_ISSUER === '' || CONSOLE_CLIENT_ID === '')
    throw new Error('environment: CONSOLE_ISSUER, CONSOLE_CLIENT_ID: expected both, got none or one');
  return openIdProvider(CONSOLE_ISSUER);
}

/** Throws HttpProblem 502 with what is wrong at the issuer. */
async function told(discover: () => Promise<OpenIdProvider>): Promise<OpenIdProvider> {
  try {
    return await discover();
  } catch (cause) {
    if (!(cause instanceof DiscoveryError)) throw cause;
    throw new HttpProblem(502, `signing in is not possible now: ${cause.message}`, { cause });
  }
}

type Sign = (options: Parameters<typeof presignedUrl>[1]) => Promise<string>;
type Where = { readonly bucket: string; readonly key: string };

async function place(
  sign: Sign,
  where: Where,
  { headers = {}, query = {} }: { headers?: Record<string, string>; query?: Record<string, string> },
): ReturnType<Places['file']> {
  const url = await sign({ ...where, method: 'PUT', expiresSeconds: UPLOAD_SECONDS, headers, query });
  return { url, headers };
}

/** What HealthImaging gives is put into the work bucket first: an answer of a function is small. */
async function downloadAddress(
  backend: Backend,
  objects: ObjectStore,
  sign: Sign,
  what: Download,
): Promise<string> {
  const { key, name, type } =
    what.what === 'instance'
      ? await keepInstance(backend, objects, what)
      : await reportOf(backend, objects, what);
  return sign({
    bucket: backend.workBucket,
    key,
    method: 'GET',
    expiresSeconds: DOWNLOAD_SECONDS,
    query: {
      'response-content-disposition': `attachment; filename="${name}"`,
      'response-content-type': type,
    },
  });
}

type Kept = { readonly key: string; readonly name: string; readonly type: string };

async function reportOf(
  { workBucket }: Backend,
  objects: ObjectStore,
  { what, executionId }: Exclude<Download, { what: 'instance' }>,
): Promise<Kept> {
  const key = what === 'report' ? workKeys.report(executionId) : workKeys.objects(executionId);
  if ((await objects.head({ bucket: workBucket, key })) === undefined)
    throw new HttpProblem(404, `execution ${executionId} has no report`);
  return what === 'report'
    ? { key, name: `${executionId}.report.json`, type: 'application/json' }
    : { key, name: `${executionId}.objects.ndjson`, type: 'application/x-ndjson' };
}

async function keepInstance(
  backend: Backend,
  objects: ObjectStore,
  { imageSetId, uids }: Extract<Download, { what: 'instance' }>,
): Promise<Kept> {
  const answer = await openInstance(backend, imageSetId, uids);
  const name = `${uids.at(-1)}.dcm`;
  const key = workKeys.consoleDownload(randomUUID(), name);
  const chunks = (answer.body ?? []) as AsyncIterable<Uint8Array>;
  await objects.writeStream({ bucket: backend.workBucket, key }, chunks);
  return { key, name, type: 'application/dicom' };
}
