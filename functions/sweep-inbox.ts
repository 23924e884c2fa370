/** Schedule: starts what waits in the inbox and is not held; deletes merged sources whose grace is over. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { MergeDeps } from '../shared/ingest/merge-journal.ts';
import { metricsLine, sweepMetrics } from '../shared/ingest/metrics.ts';
import { sweepInbox } from '../shared/ingest/sweep-inbox.ts';
import { sweepMerges } from '../shared/ingest/sweep-merges.ts';

export const makeHandler = (deps: MergeDeps) =>
  handle(SHAPES.anything, async () => {
    const sweep = await sweepInbox(deps);
    console.log(metricsLine(deps.settings.eventBusName, sweepMetrics(sweep), deps.clock.now()));
    return { ...sweep, merges: await sweepMerges(deps) };
  });

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
