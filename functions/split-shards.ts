/** States Split…: halves the shards whose child crashed, down to the one object that crashes it. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ObjectDeps } from '../shared/ingest/pipeline-deps.ts';
import { splitShards } from '../shared/ingest/split-shards.ts';

export const makeHandler = (deps: ObjectDeps) =>
  handle(SHAPES.round, async (event) => {
    await splitShards(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
