/**
 * The report (contract `isocenter.report/1`, design section 5; JSON Schema in docs/report.schema.json), its outcome and
 * the exit code of the command line. Pure.
 */
import { OUTCOMES } from './outcomes.ts';
import type { FrameCounts, Proof } from './verify-lines.ts';

export type ObjectOutcome = 'ingested' | 'duplicate' | 'rejected' | 'failed';
export type ReportOutcome = 'Ingested' | 'PartlyIngested' | 'NothingIngested' | 'Failed' | 'Coalesced';

/** One line of objects.ndjson; `key` is the inbox key. */
export interface ObjectLine {
  readonly key: string;
  readonly sizeBytes: number;
  readonly outcome: ObjectOutcome;
  readonly code?: string;
  readonly message?: string;
  readonly advice?: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly proof?: Proof;
  readonly sopInstanceUID?: string;
  readonly seriesInstanceUID?: string;
  readonly studyInstanceUID?: string;
  readonly transferSyntaxUID?: string;
  readonly imageSetId?: string;
  readonly frames?: number;
  readonly framesVerified?: number;
  readonly sha256?: string;
}

export interface Counts {
  readonly received: number;
  readonly ingested: number;
  readonly duplicate: number;
  readonly rejected: number;
  readonly failed: number;
}

export interface BatchReport {
  readonly batchId: string;
  readonly jobId: string;
  readonly jobStatus: string;
  readonly planned: number;
  readonly imported: number;
  readonly rejected: number;
  readonly warnings: number;
  readonly outputS3Uri: string;
}

export interface ImageSetReport {
  readonly imageSetId: string;
  readonly version: string;
  readonly isPrimary: boolean;
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  readonly modality: string;
  readonly instances: number;
  readonly frames: number;
  /** Frames. */
  readonly verified: number;
}

export interface MergeReport {
  readonly seriesInstanceUID: string;
  readonly outcome: 'merged' | 'keptApart' | 'failed' | 'reported';
  readonly reason: string;
  readonly keywords: readonly string[];
  readonly sources: readonly string[];
  readonly destination: string;
  readonly instances: number;
}

export interface Report {
  readonly schema: 'isocenter.report/1';
  readonly executionId: string;
  readonly upload: string;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly outcome: ReportOutcome;
  readonly verify: string;
  readonly counts: Counts;
  /** Received. */
  readonly bytes: number;
  /** Ingested without pixels; those with pixels that nothing proves are among the expected frames. */
  readonly instancesWithoutFrames: number;
  readonly frames: FrameCounts;
  /** Rejected and failed objects by code. */
  readonly rejects: Readonly<Record<string, number>>;
  readonly batches: readonly BatchReport[];
  readonly imageSets: readonly ImageSetReport[];
  readonly merges: readonly MergeReport[];
  /** Seconds. */
  readonly timings: {
    readonly inspect: number;
    readonly import: number;
    readonly verify: number;
    readonly merge: number;
    readonly total: number;
  };
  /** The S3 URI of objects.ndjson. */
  readonly objects: string;
}

export interface OutcomeEntry {
  readonly kind: 'reject' | 'fail' | 'note';
  readonly retry: boolean;
  readonly benign: boolean;
  readonly says: string;
  readonly advice: string;
}

/** The line of the outcomes table, or undefined for a code that is not in it. */
export const outcomeEntry = (code: string): OutcomeEntry | undefined =>
  (OUTCOMES as Readonly<Record<string, OutcomeEntry>>)[code];

/** The outcome of an execution that finished. */
export function reportOutcome(counts: Counts, rejects: Readonly<Record<string, number>>): ReportOutcome {
  if (counts.failed === 0 && !hasSeriousReject(rejects)) return 'Ingested';
  return counts.ingested + counts.duplicate > 0 ? 'PartlyIngested' : 'NothingIngested';
}

const hasSeriousReject = (rejects: Readonly<Record<string, number>>) =>
  Object.entries(rejects).some(([code, count]) => count > 0 && !outcomeEntry(code)?.benign);

/**
 * 1: any failed object or merge, any mismatch, or an execution that did not finish; 2: any refusal that matters, variants
 * kept apart or reported, or pixels without proof; else 0 (design section 5).
 */
export function exitCode(report: Report, objects: Iterable<ObjectLine> = []): 0 | 1 | 2 {
  const { counts, frames, merges } = report;
  if (report.outcome === 'Failed' || counts.failed > 0 || frames.mismatched > 0) return 1;
  if (merges.some((merge) => merge.outcome === 'failed')) return 1;
  if (hasSeriousReject(report.rejects)) return 2;
  if (merges.some((merge) => merge.outcome === 'keptApart' || merge.outcome === 'reported')) return 2;
  if (report.verify === 'full' && frames.verified < frames.expected) return 2;
  for (const object of objects) if (isKeptApart(object) || isUnproven(object)) return 2;
  return 0;
}

const isKeptApart = ({ code }: ObjectLine) => code === 'KeptApart';

const isUnproven = ({ proof, frames = 0 }: ObjectLine) => proof === 'none' && frames > 0;
