/** Schedule: starts what waits in the inbox and is not held. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { sweepInbox } from '../shared/ingest/sweep-inbox.ts';

export const makeHandler = (deps: PipelineDeps) => handle(SHAPES.anything, () => sweepInbox(deps));

export const handler = makeHandler(awsDeps());
