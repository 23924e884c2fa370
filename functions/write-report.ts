/** State WriteReport: accounts for every object, durably. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { PipelineDeps } from '../shared/ingest/pipeline-deps.ts';
import { announcementOf, writeReport } from '../shared/ingest/write-report.ts';

export const makeHandler = (deps: PipelineDeps) =>
  handle(SHAPES.timed, async (event) => announcementOf(deps, event, await writeReport(deps, event)));

export const handler = makeHandler(awsDeps());
