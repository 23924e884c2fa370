/** State MergeVariants: settles the series in the ledger and looks at their variants. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { mergeVariants } from '../shared/ingest/merge-variants.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.execution, async (event) => {
    await mergeVariants(deps, event);
    return {};
  });

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
