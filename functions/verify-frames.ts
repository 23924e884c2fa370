/** State VerifyFrames: proves every frame of a shard. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { type VerifyDeps, verifyShard } from '../shared/ingest/verify-frames.ts';
import { createCodecPool } from '../shared/pixels/codec-pool.ts';

export const makeHandler = (deps: VerifyDeps) =>
  handle(SHAPES.shard, async (event) => {
    await verifyShard(deps, event);
    return {};
  });

export const handler = makeHandler({ ...withImaging(awsDeps()), codecs: createCodecPool() });
