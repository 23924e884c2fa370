/**
 * ReportFailure: the execution cannot go on. A report that stands is left alone; else one is written in which what is
 * not done is `failed: Unfinished`. The objects stay in the inbox. The leases stay with this execution's name, so that
 * whoever takes them over finds its unfinished batches; an ended execution holds nothing.
 */
import { countAttempt } from './attempts.ts';
import type { ExecutionDeps } from './pipeline-deps.ts';
import type { Report } from './report.ts';
import { uploadName } from './uploads.ts';
import { type ReportRequest, writeReport } from './write-report.ts';

/** Safe to repeat. */
export async function reportFailure(deps: ExecutionDeps, request: ReportRequest): Promise<Report> {
  const report = await writeReport(deps, request, 'Unfinished');
  // Also when a report stands: an inbox that cannot be cleared is not tried for ever either.
  await countAttempt(deps, request.uploadId, {
    upload: (await uploadName(deps, request.uploadId)) ?? '',
    executionId: request.executionId,
    failedAt: new Date(deps.clock.now()).toISOString(),
    maxAttempts: deps.settings.maxAttempts,
  });
  return report;
}
