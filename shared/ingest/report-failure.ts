/**
 * ReportFailure: the execution cannot go on. A report that stands is left alone; else one is written in which what is
 * not done is `failed: Unfinished`. The objects stay in the inbox. The leases stay with this execution's name, so that
 * whoever takes them over finds its unfinished batches; an ended execution holds nothing.
 */
import { countAttempt } from './attempts.ts';
import { exists } from './ndjson.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { Report } from './report.ts';
import { uploadName } from './uploads.ts';
import { workKeys } from './work-keys.ts';
import { type ReportRequest, writeReport } from './write-report.ts';

/** Safe to repeat. */
export async function reportFailure(deps: PipelineDeps, request: ReportRequest): Promise<Report> {
  const { workBucket } = deps.settings;
  const isAccounted = await exists(deps.objects, workBucket, workKeys.report(request.executionId));
  const report = await writeReport(deps, request, 'Unfinished');
  if (!isAccounted || report.outcome === 'Failed') {
    const upload = (await uploadName(deps, request.uploadId)) ?? '';
    await countAttempt(deps, request.uploadId, {
      upload,
      executionId: request.executionId,
      failedAt: report.finishedAt,
      maxAttempts: deps.settings.maxAttempts,
    });
  }
  return report;
}
