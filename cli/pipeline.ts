/** The pipeline's own rules about uploads, for the commands that put back, stop and start: one truth, not two. */
import { stepFunctionsExecutions } from '../shared/adapters/step-functions-executions.ts';
import type { UploadDeps } from '../shared/ingest/uploads.ts';
import { systemClock } from '../shared/ports/clock.ts';
import type { Deployment } from './deployment.ts';

export function uploadDeps(deployment: Deployment): UploadDeps {
  const { store, sfn, ingestStateMachineArn, inboxBucket, workBucket } = deployment;
  return {
    objects: store,
    executions: stepFunctionsExecutions(sfn, ingestStateMachineArn),
    clock: systemClock,
    settings: { inboxBucket, workBucket },
  };
}
