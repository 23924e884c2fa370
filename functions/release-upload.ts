/** State ReleaseUpload: releases, then lists, and starts what came meanwhile. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';
import { finishUpload } from '../shared/ingest/release-upload.ts';

export const makeHandler = (deps: ExecutionDeps) =>
  handle(SHAPES.held, async (event) => {
    await finishUpload(deps, event);
    return {};
  });

export const handler = makeHandler(withExecutions(awsDeps()));
