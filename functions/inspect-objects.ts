/** State InspectObjects: one verdict for each object of a shard. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { inspectShard } from '../shared/ingest/inspect-objects.ts';
import type { ObjectDeps } from '../shared/ingest/pipeline-deps.ts';

export const makeHandler = (deps: ObjectDeps) =>
  handle(SHAPES.shard, async (event) => {
    await inspectShard(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
