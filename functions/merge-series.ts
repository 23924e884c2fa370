/** State AdvanceMerge of merge-series: the next step of merging one series' image sets. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { MergeDeps } from '../shared/ingest/merge-journal.ts';
import { advanceMerge } from '../shared/ingest/merge-series.ts';

export const makeHandler = (deps: MergeDeps) => handle(SHAPES.merge, (event) => advanceMerge(deps, event));

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
