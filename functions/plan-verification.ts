/** State PlanVerification: shards what was imported by frames and bytes. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import type { ObjectDeps } from '../shared/ingest/pipeline-deps.ts';
import { planVerification } from '../shared/ingest/plan-verification.ts';

export const makeHandler = (deps: ObjectDeps) =>
  handle(SHAPES.execution, async (event) => {
    await planVerification(deps, event);
    return {};
  });

export const handler = makeHandler(awsDeps());
