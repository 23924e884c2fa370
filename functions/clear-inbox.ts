/** State ClearInbox: takes the accounted objects of a shard out of the inbox. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { clearShard } from '../shared/ingest/clear-inbox.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';

export const makeHandler = (deps: ExecutionDeps) =>
  handle(SHAPES.shard, async (event) => {
    await clearShard(deps, event);
    return {};
  });

export const handler = makeHandler(withExecutions(awsDeps()));
