/** State PlanImport: decides about every accepted object before anything is imported. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { planImport } from '../shared/ingest/plan-import.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.held, async (event) => {
    await planImport(deps, event);
    return {};
  });

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
