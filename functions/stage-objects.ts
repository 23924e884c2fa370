/** State StageObjects: copies what is planned, with the digest of its bytes. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ObjectDeps } from '../shared/ingest/pipeline-deps.ts';
import { stageShard } from '../shared/ingest/stage-objects.ts';

export const makeHandler = (deps: ObjectDeps) =>
  handle(SHAPES.shard, async (event) => {
    await stageShard(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
