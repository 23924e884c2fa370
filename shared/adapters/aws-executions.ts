/** awsDeps, and the executions of the ingest state machine. */
import { SFNClient } from '@aws-sdk/client-sfn';
import type { ExecutionDeps } from '../ingest/pipeline-deps.ts';
import { requestHandler } from './request-handler.ts';
import { stepFunctionsExecutions } from './step-functions-executions.ts';

export const stepFunctionsClient = (): SFNClient =>
  new SFNClient({ requestHandler: requestHandler(), maxAttempts: 6 });

/** Adds to what `deps` has. */
export function withExecutions<T extends Pick<ExecutionDeps, 'settings'>>(
  deps: T,
): T & Pick<ExecutionDeps, 'executions'> {
  const client = stepFunctionsClient();
  return { ...deps, executions: stepFunctionsExecutions(client, deps.settings.ingestStateMachineArn) };
}
