/**
 * `--stack NAME`: a deployed stack, found by the names that its template gives, with the credentials and the region of
 * the environment, as every AWS tool takes them. A test compares the names with the template.
 */
import { S3Client } from '@aws-sdk/client-s3';
import { paginateListStateMachines, SFNClient } from '@aws-sdk/client-sfn';
import { s3ObjectStore } from '../shared/adapters/s3-object-store.ts';
import type { Deployment } from './deployment.ts';
import { CommandFailed, oneLine } from './errors.ts';

/** Names that the template gives to the resources of a stack. */
export const STACK_NAMES = {
  ingestStateMachine: (stack: string) => `${stack}-ingest`,
  inboxBucket: (stack: string, account: string, region: string) => `${stack}-inbox-${account}-${region}`,
  workBucket: (stack: string, account: string, region: string) => `${stack}-work-${account}-${region}`,
} as const;

/** Throws CommandFailed where there is no such stack, or no credentials. */
export async function connectToStack(stack: string): Promise<Deployment> {
  const sfn = new SFNClient({});
  const ingestStateMachineArn = await findStateMachine(sfn, STACK_NAMES.ingestStateMachine(stack));
  const [, , , region = '', account = ''] = ingestStateMachineArn.split(':');
  const s3 = new S3Client({ region });
  return {
    place: `stack ${stack}`,
    inboxBucket: STACK_NAMES.inboxBucket(stack, account, region),
    workBucket: STACK_NAMES.workBucket(stack, account, region),
    ingestStateMachineArn,
    store: s3ObjectStore(s3),
    s3,
    sfn,
    async close() {
      s3.destroy();
      sfn.destroy();
    },
  };
}

async function findStateMachine(sfn: SFNClient, wanted: string): Promise<string> {
  try {
    for await (const { stateMachines = [] } of paginateListStateMachines({ client: sfn }, {}))
      for (const { name, stateMachineArn } of stateMachines)
        if (name === wanted && stateMachineArn !== undefined) return stateMachineArn;
  } catch (error) {
    throw new CommandFailed(`AWS did not answer: ${oneLine(error)}`, { cause: error });
  }
  throw new CommandFailed(`there is no state machine ${wanted} in this account and region`);
}
