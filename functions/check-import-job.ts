/** State WaitForImportJob: leaves the token to wake it by, and looks whether the job has ended already. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { checkImportJob } from '../shared/ingest/import-batch.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.waiting, (event) => checkImportJob(deps, event));

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
