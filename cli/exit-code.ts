/** The exit code of a report (design: the command line's contract): 1 failed, else 2 something held back, else 0. */
import { OUTCOMES } from '../shared/ingest/outcomes.ts';
import { EXIT } from './errors.ts';
import { type Report, readObjectLines, type WorkBucket } from './reports.ts';

export async function exitCodeOf(work: WorkBucket, report: Report): Promise<number> {
  const { counts, frames, merges, outcome } = report;
  const isBroken =
    outcome === 'Failed' || counts.failed > 0 || frames.mismatched > 0 || frames.undecodable > 0;
  if (isBroken || merges.some((merge) => merge.outcome === 'failed')) return EXIT.failed;
  if (merges.some((merge) => merge.outcome === 'keptApart' || merge.outcome === 'reported'))
    return EXIT.refused;
  if (Object.keys(report.rejects).some((code) => !isBenign(code))) return EXIT.refused;
  for await (const line of readObjectLines(work, report))
    if (line.code === 'KeptApart' || (line.proof === 'none' && line.frames !== 0)) return EXIT.refused;
  return EXIT.ok;
}

function isBenign(code: string): boolean {
  return (OUTCOMES as Record<string, { benign: boolean }>)[code]?.benign === true;
}
