/** State ReportFailure: accounts for what did not finish; keeps the objects. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { metricsLine, reportMetrics } from '../shared/ingest/metrics.ts';
import type { ExecutionDeps } from '../shared/ingest/pipeline-deps.ts';
import { reportFailure } from '../shared/ingest/report-failure.ts';
import { announcementOf } from '../shared/ingest/write-report.ts';

export const makeHandler = (deps: ExecutionDeps) =>
  handle(SHAPES.failure, async (event) => {
    const report = await reportFailure(deps, event);
    console.log(metricsLine(deps.settings.eventBusName, reportMetrics(report), deps.clock.now()));
    return announcementOf(deps, event, report);
  });

export const handler = makeHandler(withExecutions(awsDeps()));
