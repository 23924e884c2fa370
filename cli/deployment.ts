/**
 * Where a command works: the local world that runs on the data directory, or one that is started for the command and
 * stopped after it. Everything behind is reached through the same clients.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { findRunningWorld, startWorld, type WorldFile } from '../local/world/world.ts';
import { s3ObjectStore } from '../shared/adapters/s3-object-store.ts';
import type { ObjectStore } from '../shared/ports/object-store.ts';
import { dataDirectory, dataDirectoryExists, prepareDataDirectory } from './data-directory.ts';
import { CommandFailed, oneLine, UsageError } from './errors.ts';
import { connectToStack } from './stack.ts';
import type { Terminal } from './terminal.ts';
import { worldLog } from './world-log.ts';

export interface Deployment {
  /** Where it is, for messages: `the world on DIR`, `stack NAME`. */
  readonly place: string;
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly ingestStateMachineArn: string;
  readonly store: ObjectStore;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  /** Closes the clients, and the world when it was started for this command. */
  close(): Promise<void>;
}

/** A world of this machine. */
export interface LocalDeployment extends Deployment {
  readonly world: WorldFile;
  readonly dataDir: string;
  /** Started for this command: it ends with it. */
  readonly isTemporary: boolean;
}

export function isLocal(deployment: Deployment): deployment is LocalDeployment {
  return 'dataDir' in deployment;
}

export interface ConnectOptions {
  readonly data?: string | undefined;
  /** Only look at what is there: a missing data directory is an answer, not something to make. */
  readonly mustExist?: boolean;
  readonly behaviour?: '2024' | 'current';
}

/** Credentials that a local endpoint accepts; no secret. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'isocenter', secretAccessKey: 'isocenter-local' };

/** The deployed stack where one is named, else the local world. */
export async function connect(
  options: ConnectOptions & { readonly stack?: string | undefined },
  terminal: Terminal,
): Promise<Deployment> {
  if (options.stack === undefined) return connectToWorld(options, terminal);
  if (options.data !== undefined)
    throw new UsageError('--stack and --data: a deployed stack or the local world, not both');
  return connectToStack(options.stack);
}

export async function connectToWorld(options: ConnectOptions, terminal: Terminal): Promise<LocalDeployment> {
  const dataDir = dataDirectory(options.data);
  const running = await findRunningWorld(dataDir);
  if (running !== undefined) return deploymentOf(running, dataDir, async () => undefined);
  if (options.mustExist && !dataDirectoryExists(dataDir))
    throw new CommandFailed(`nothing at ${dataDir} yet: start with isocenter up, or isocenter ingest`);
  prepareDataDirectory(dataDir);
  terminal.say(`no world runs on ${dataDir}: one is started for this command`);
  const world = await startOrExplain('the local world', () =>
    startWorld({
      dataDir,
      ...(options.behaviour ? { behaviour: options.behaviour } : {}),
      log: worldLog(dataDir),
    }),
  );
  return { ...deploymentOf(world, dataDir, () => world.close()), isTemporary: true };
}

/** Any reason for which `what` does not start becomes one line. */
export async function startOrExplain<T>(what: string, start: () => Promise<T>): Promise<T> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof CommandFailed) throw error;
    throw new CommandFailed(`${what} did not start: ${oneLine(error)}`, { cause: error });
  }
}

export function deploymentOf(world: WorldFile, dataDir: string, stop: () => Promise<void>): LocalDeployment {
  const client = { region: world.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 4 };
  const s3 = new S3Client({ ...client, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...client, endpoint: world.stepFunctionsUrl });
  const ingestStateMachineArn = world.stateMachineArns.ingest;
  if (ingestStateMachineArn === undefined)
    throw new CommandFailed('world.json names no ingest state machine');
  return {
    place: `the world on ${dataDir}`,
    inboxBucket: world.inboxBucket,
    workBucket: world.workBucket,
    ingestStateMachineArn,
    store: s3ObjectStore(s3),
    s3,
    sfn,
    world,
    dataDir,
    isTemporary: false,
    async close() {
      s3.destroy();
      sfn.destroy();
      await stop();
    },
  };
}
