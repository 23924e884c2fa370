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
import type { Terminal } from './terminal.ts';
import { worldLog } from './world-log.ts';

export interface Deployment {
  readonly inboxBucket: string;
  readonly workBucket: string;
  readonly ingestStateMachineArn: string;
  readonly store: ObjectStore;
  readonly s3: S3Client;
  readonly sfn: SFNClient;
  /** Addresses of the local world. */
  readonly world: WorldFile;
  readonly dataDir: string;
  /** Closes the clients, and the world when it was started for this command. */
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly data?: string | undefined;
  readonly stack?: string | undefined;
  /** Only look at what is there: a missing data directory is an answer, not something to make. */
  readonly mustExist?: boolean;
  readonly behaviour?: '2024' | 'current';
}

/** Credentials that a local endpoint accepts; no secret. */
export const LOCAL_CREDENTIALS = { accessKeyId: 'isocenter', secretAccessKey: 'isocenter-local' };

export async function connect(options: ConnectOptions, terminal: Terminal): Promise<Deployment> {
  if (options.stack !== undefined)
    throw new UsageError(
      `--stack ${options.stack}: working on a deployed stack is not there yet; put objects into its inbox bucket with any S3 client`,
    );
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
  return deploymentOf(world, dataDir, () => world.close());
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

export function deploymentOf(world: WorldFile, dataDir: string, stop: () => Promise<void>): Deployment {
  const client = { region: world.region, credentials: LOCAL_CREDENTIALS, maxAttempts: 4 };
  const s3 = new S3Client({ ...client, endpoint: world.s3Url, forcePathStyle: true });
  const sfn = new SFNClient({ ...client, endpoint: world.stepFunctionsUrl });
  const ingestStateMachineArn = world.stateMachineArns.ingest;
  if (ingestStateMachineArn === undefined)
    throw new CommandFailed('world.json names no ingest state machine');
  return {
    inboxBucket: world.inboxBucket,
    workBucket: world.workBucket,
    ingestStateMachineArn,
    store: s3ObjectStore(s3),
    s3,
    sfn,
    world,
    dataDir,
    async close() {
      s3.destroy();
      sfn.destroy();
      await stop();
    },
  };
}
