/** Carries out what a person decided in the console: minutes, within the service's rates. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { carryOutDecision } from '../shared/console/decisions.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { MergeDeps } from '../shared/ingest/merge-journal.ts';
import type { UploadDeps } from '../shared/ingest/uploads.ts';

export const makeHandler = (deps: MergeDeps & UploadDeps) =>
  handle(SHAPES.decision, async ({ decisionId }) => {
    const { workBucket } = deps.settings;
    await carryOutDecision({ workBucket, deps, mergeDeps: async () => deps }, decisionId);
    return {};
  });

export const handler = makeHandler(withImaging(withExecutions(awsDeps())));
