/** State ReleaseUpload: releases, then lists, and starts what came meanwhile. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { finishUpload } from '../shared/ingest/release-upload.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.held, async (event) => {
    await finishUpload(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
