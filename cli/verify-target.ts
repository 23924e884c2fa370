/** Where `isocenter verify` looks: the running local world or a deployed stack, with its ledger; or any HealthImaging endpoint. */
import { MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import type { LedgerDeps, SeriesLedger } from '../shared/ingest/ledger.ts';
import { readSeries } from '../shared/ingest/ledger.ts';
import { openStaged } from '../shared/ingest/open-source.ts';
import type { ObjectStore } from '../shared/ports/object-store.ts';
import { connectToWorld, type Deployment, LOCAL_CREDENTIALS } from './deployment.ts';
import { UsageError } from './errors.ts';
import { connectToStack } from './stack.ts';
import type { Terminal } from './terminal.ts';

export interface VerifyTargetOptions {
  readonly data?: string;
  readonly stack?: string;
  readonly endpoint?: string;
  readonly region?: string;
}

export interface VerifyTarget {
  readonly datastoreId: string;
  readonly client: MedicalImagingClient;
  /** What the pipeline imported; only where its work bucket is at hand. */
  readonly ledger?: LedgerDeps;
  close(): Promise<void>;
}

export async function verifyTarget(
  datastoreId: string | undefined,
  options: VerifyTargetOptions,
  terminal: Terminal,
): Promise<VerifyTarget> {
  if (options.stack !== undefined) return targetOfStack(datastoreId, options.stack, options);
  if (options.endpoint === undefined && options.region === undefined)
    return targetInWorld(datastoreId, options, terminal);
  if (options.data !== undefined)
    throw new UsageError('--data and --endpoint or --region: the local world or another service, not both');
  if (datastoreId === undefined)
    throw new UsageError(
      'DATASTORE: expected the id of a data store, got none; only a local world has one of its own',
    );
  const client = clientFor(options);
  return {
    datastoreId,
    client,
    close: async () => client.destroy(),
  };
}

async function targetInWorld(
  datastoreId: string | undefined,
  options: VerifyTargetOptions,
  terminal: Terminal,
): Promise<VerifyTarget> {
  const deployment = await connectToWorld({ data: options.data, mustExist: true }, terminal);
  const { world } = deployment;
  const client = clientFor({ endpoint: world.healthImagingUrl, region: world.region });
  const id = datastoreId ?? world.datastoreId;
  return targetIn(deployment, client, id);
}

/** A deployed stack: its ledger, and the data store that the ledger names where none is given. */
async function targetOfStack(
  datastoreId: string | undefined,
  stack: string,
  { data, endpoint, region }: VerifyTargetOptions,
): Promise<VerifyTarget> {
  if (data !== undefined || endpoint !== undefined || region !== undefined)
    throw new UsageError('--stack and --data, --endpoint or --region: one place, not two');
  const deployment = await connectToStack(stack);
  const { store, workBucket, ingestStateMachineArn } = deployment;
  const id = datastoreId ?? (await onlyDatastoreIn(store, workBucket, stack));
  const client = clientFor({ region: ingestStateMachineArn.split(':')[3] ?? '' });
  return targetIn(deployment, client, id);
}

/** Throws UsageError where a stack has imported into none, or into several. */
export async function onlyDatastoreIn(
  store: ObjectStore,
  workBucket: string,
  stack: string,
): Promise<string> {
  const [first] = await datastoresIn(store, workBucket);
  // `0` follows `/`: the next key that is of another data store.
  const [second] = first === undefined ? [] : await datastoresIn(store, workBucket, `series/${first}0`);
  if (first === undefined || second !== undefined)
    throw new UsageError(
      `DATASTORE: stack ${stack} has imported into ${first === undefined ? 'none yet' : 'several'}: name the data store`,
    );
  return first;
}

async function datastoresIn(store: ObjectStore, workBucket: string, startAfter?: string): Promise<string[]> {
  for await (const { key } of store.list(workBucket, 'series/', startAfter)) return [key.split('/')[1] ?? ''];
  return [];
}

/** An endpoint of one's own is called as it is named; one on this machine needs no credentials. */
function clientFor({ endpoint, region }: VerifyTargetOptions): MedicalImagingClient {
  const isOnThisMachine = endpoint !== undefined && /^https?:\/\/(127\.|localhost|\[::1\])/.test(endpoint);
  const isAnonymous = isOnThisMachine && process.env.AWS_ACCESS_KEY_ID === undefined;
  try {
    return new MedicalImagingClient({
      region: region ?? process.env.AWS_REGION ?? 'us-east-1',
      ...(endpoint === undefined ? {} : { endpoint, disableHostPrefix: true }),
      ...(isAnonymous ? { credentials: LOCAL_CREDENTIALS } : {}),
      maxAttempts: 8,
      retryMode: 'adaptive',
    });
  } catch (error) {
    throw new UsageError(`--endpoint: expected a URL, got ${JSON.stringify(endpoint)}`, { cause: error });
  }
}

/** What was imported, and the bytes of it. */
export const knowledgeOf = (ledger: LedgerDeps) => ({
  knownInstances: knownInstancesOf(ledger),
  openStaged: (recorded: { staged: string; sizeBytes: number }) =>
    openStaged(ledger.objects, ledger.settings.workBucket, recorded),
});

/** The ledger of a series, read once; series come one after another, so few are kept. */
function knownInstancesOf(ledger: LedgerDeps) {
  const read = new Map<string, Promise<SeriesLedger | undefined>>();
  return async (seriesInstanceUID: string) => {
    const known = read.get(seriesInstanceUID) ?? readSeries(ledger, seriesInstanceUID);
    if (read.size >= KEPT_SERIES) read.clear();
    read.set(seriesInstanceUID, known);
    return (await known)?.instances;
  };
}

const KEPT_SERIES = 64;

/** A data store whose ledger is at hand. */
function targetIn(deployment: Deployment, client: MedicalImagingClient, datastoreId: string): VerifyTarget {
  const { store, workBucket } = deployment;
  return {
    datastoreId,
    client,
    ledger: { objects: store, settings: { workBucket, datastoreId } },
    async close() {
      client.destroy();
      await deployment.close();
    },
  };
}
