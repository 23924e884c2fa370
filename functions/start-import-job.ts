/** State StartImportJob: asks HealthImaging to import one planned batch. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { startImportJob } from '../shared/ingest/import-batch.ts';
import type { ImagingDeps } from '../shared/ingest/pipeline-deps.ts';

export const makeHandler = (deps: ImagingDeps) =>
  handle(SHAPES.attempt, (event) => startImportJob(deps, event));

export const handler = makeHandler(withImaging(awsDeps()));
