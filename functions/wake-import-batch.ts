/** On HealthImaging's event that an import job ended: wakes the batch that waits for it. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';
import { wakeImportBatch } from '../shared/ingest/wake-import-batch.ts';

export const makeHandler = (deps: ExecutionDeps) =>
  handle(SHAPES.jobEnded, async ({ detail }) => ({ woken: await wakeImportBatch(deps, detail) }));

export const handler = makeHandler(withExecutions(awsDeps()));
