/** State WriteReport: accounts for every object, durably. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { metricsLine, reportMetrics } from '../shared/ingest/metrics.ts';
import type { ObjectDeps } from '../shared/ingest/pipeline-deps.ts';
import { announcementOf, writeReport } from '../shared/ingest/write-report.ts';

export const makeHandler = (deps: ObjectDeps) =>
  handle(SHAPES.timed, async (event) => {
    const report = await writeReport(deps, event);
    console.log(metricsLine(deps.settings.eventBusName, reportMetrics(report), deps.clock.now()));
    return announcementOf(deps, event, report);
  });

export const handler = makeHandler(awsDeps());
