/** The exit code of a report; its objects are read one by one, and only where the report alone does not decide. */
import { exitCode, type Report } from '../shared/ingest/report.ts';
import { readObjectLines, type WorkBucket } from './reports.ts';

export async function exitCodeOf(work: WorkBucket, report: Report): Promise<number> {
  const ofReport = exitCode(report);
  if (ofReport !== 0) return ofReport;
  for await (const line of readObjectLines(work, report)) {
    const ofLine = exitCode(report, [line]);
    if (ofLine !== 0) return ofLine;
  }
  return 0;
}
