/** State ReportFailure: accounts for what did not finish; keeps the objects. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { reportFailure } from '../shared/ingest/report-failure.ts';
import { announcementOf } from '../shared/ingest/write-report.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.failure, async (event) => announcementOf(deps, event, await reportFailure(deps, event)));

export const handler = makeHandler(awsDeps());
