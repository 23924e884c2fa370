/** What `resolve` works on: the image sets and buckets of the local world, or of a deployed stack. */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { healthImagingService } from '../shared/adapters/healthimaging-service.ts';
import { imageSetEditor } from '../shared/adapters/image-set-editor.ts';
import { stepFunctionsExecutions } from '../shared/adapters/step-functions-executions.ts';
import type { MergeDeps } from '../shared/ingest/merge-journal.ts';
import { systemClock } from '../shared/ports/clock.ts';
import { type ConnectOptions, connect, type Deployment, isLocal, LOCAL_CREDENTIALS } from './deployment.ts';
import { CommandFailed } from './errors.ts';
import type { Terminal } from './terminal.ts';

export interface MergingOptions extends ConnectOptions {
  readonly stack?: string;
  /** Of a stack that has written to several data stores. */
  readonly datastore?: string;
}

export async function connectForMerging(
  options: MergingOptions,
  terminal: Terminal,
): Promise<{ deps: MergeDeps; close: () => Promise<void> }> {
  const deployment = await connect({ ...options, mustExist: true }, terminal);
  const client = clientOf(deployment);
  const close = async () => {
    client.destroy();
    await deployment.close();
  };
  try {
    return { deps: depsOf(deployment, client, await datastoreOf(deployment, options.datastore)), close };
  } catch (error) {
    await close();
    throw error;
  }
}

function clientOf(deployment: Deployment): MedicalImagingClient {
  if (isLocal(deployment)) {
    const { healthImagingUrl, region } = deployment.world;
    const credentials = LOCAL_CREDENTIALS;
    return new MedicalImagingClient({
      endpoint: healthImagingUrl,
      region,
      credentials,
      disableHostPrefix: true,
    });
  }
  const region = deployment.ingestStateMachineArn.split(':')[3] ?? '';
  return new MedicalImagingClient({
    region,
    // As `isocenter env` names it, and as the other AWS tools read it.
    disableHostPrefix: process.env.AWS_DISABLE_HOST_PREFIX_INJECTION === 'true',
    maxAttempts: 8,
    retryMode: 'adaptive',
  });
}

/** A stack's ledger is kept by data store: the only one, unless it was given. Throws CommandFailed. */
async function datastoreOf(deployment: Deployment, given: string | undefined): Promise<string> {
  if (given !== undefined) return given;
  if (isLocal(deployment)) return deployment.world.datastoreId;
  const found: string[] = [];
  for (let after: string | undefined; found.length < 2; ) {
    const next = await firstKey(deployment, after);
    if (next === undefined) break;
    const datastoreId = next.split('/')[1] ?? '';
    found.push(datastoreId);
    // The character after '/': the first key of another data store comes later.
    after = `series/${datastoreId}0`;
  }
  const [first] = found;
  if (first !== undefined && found.length === 1) return first;
  throw new CommandFailed(
    first === undefined
      ? `${deployment.place} has imported nothing yet`
      : `${deployment.place} has imported into several data stores: say which with --datastore ID`,
  );
}

async function firstKey(
  { store, workBucket }: Deployment,
  after: string | undefined,
): Promise<string | undefined> {
  for await (const { key } of store.list(workBucket, 'series/', after)) return key;
  return undefined;
}

function depsOf(deployment: Deployment, client: MedicalImagingClient, datastoreId: string): MergeDeps {
  const { store, sfn, inboxBucket, workBucket, ingestStateMachineArn } = deployment;
  // What an import job would need; a decision starts none.
  const dataAccessRoleArn = '';
  return {
    objects: store,
    imaging: {
      ...healthImagingService(client, { datastoreId, dataAccessRoleArn }),
      ...imageSetEditor(client, datastoreId),
    },
    executions: stepFunctionsExecutions(sfn, ingestStateMachineArn),
    clock: systemClock,
    settings: {
      ...{ inboxBucket, workBucket, datastoreId, dataAccessRoleArn, ingestStateMachineArn },
      ...{ eventBusName: '', constraintProfile: 'current', verify: { mode: 'full' }, merge: 'auto' },
      ...{ quietSeconds: 0, maxWaitSeconds: 0, mergeGraceSeconds: 0, maxAttempts: 0, auditPercent: 0 },
    },
  };
}
