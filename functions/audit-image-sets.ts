/** Schedule: proves a sample of what the data store holds again, another one each day. Safe to repeat. */
import { awsDeps } from '../shared/adapters/aws-deps.ts';
import { withExecutions } from '../shared/adapters/aws-executions.ts';
import { withImaging } from '../shared/adapters/aws-imaging.ts';
import { type AuditDeps, auditImageSets } from '../shared/ingest/audit-image-sets.ts';
import { SHAPES } from '../shared/ingest/events.ts';
import { handle } from '../shared/ingest/handlers.ts';
import { auditMetrics, metricsLine } from '../shared/ingest/metrics.ts';
import { createCodecPool } from '../shared/pixels/codec-pool.ts';

export const makeHandler = (deps: AuditDeps) =>
  handle(SHAPES.anything, async () => {
    const audit = await auditImageSets(deps);
    if (deps.settings.auditPercent > 0)
      console.log(metricsLine(deps.settings.eventBusName, auditMetrics(audit), deps.clock.now()));
    return audit;
  });

export const handler = makeHandler({
  ...withImaging(withExecutions(awsDeps())),
  codecs: createCodecPool(),
  log: console.log,
});
