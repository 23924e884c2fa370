/** Queue consumer: starts an ingest for each upload that new objects arrived in. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { receiveUploads } from '../shared/ingest/receive-uploads.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.queue, async ({ Records }) => {
    const failed = await receiveUploads(deps, Records);
    return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) };
  });

export const handler = makeHandler(awsDeps());
