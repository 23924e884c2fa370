/** State TakeUpload: takes the lease, waits for quiet, snapshots the listing. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';
import { takeUpload } from '../shared/ingest/take-upload.ts';

export const makeHandler = (deps: ExecutionDeps) => handle(SHAPES.timed, (event) => takeUpload(deps, event));

export const handler = makeHandler(withExecutions(awsDeps()));
