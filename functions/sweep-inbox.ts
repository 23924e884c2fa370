/** Schedule: starts what waits in the inbox and is not held. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { metricsLine, sweepMetrics } from '../shared/ingest/metrics.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { sweepInbox } from '../shared/ingest/sweep-inbox.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.anything, async () => {
    const sweep = await sweepInbox(deps);
    console.log(metricsLine(deps.settings.eventBusName, sweepMetrics(sweep), deps.clock.now()));
    return sweep;
  });

export const handler = makeHandler(awsDeps());
