/** Queue consumer: starts an ingest for each upload that new objects arrived in. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';
import { receiveUploads } from '../shared/ingest/receive-uploads.ts';

export const makeHandler = (deps: ExecutionDeps) =>
  handle(SHAPES.queue, async ({ Records }) => {
    const failed = await receiveUploads(deps, Records);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  });

export const handler = makeHandler(withExecutions(awsDeps()));
