/**
 * What CloudWatch learns of each ingest and each sweep, in its embedded metric format: one JSON line on stdout, which
 * Lambda's log carries (CloudWatch guide, "Specification: Embedded metric format"). Numbers only. A handler that Lambda
 * runs twice counts twice; the report does not.
 */
import type { Report } from './report.ts';

type Unit = 'Count' | 'Bytes' | 'Seconds';
export type Metric = readonly [name: string, value: number, unit: Unit];

/** One line of embedded metrics, with the stack as the only dimension. `now`: milliseconds since 1970. */
export function metricsLine(stack: string, metrics: readonly Metric[], now: number): string {
  return JSON.stringify({
    _aws: {
      Timestamp: now,
      CloudWatchMetrics: [
        {
          Namespace: 'Isocenter',
          Dimensions: [['Stack']],
          Metrics: metrics.map(([Name, , Unit]) => ({ Name, Unit })),
        },
      ],
    },
    Stack: stack,
    ...Object.fromEntries(metrics.map(([name, value]) => [name, value])),
  });
}

/** Objects by outcome, bytes, frames, seconds a stage, and the time from the first look at the upload to the report. */
export function reportMetrics({ outcome, counts, bytes, frames, timings }: Report): Metric[] {
  return [
    ['ObjectsReceived', counts.received, 'Count'],
    ['ObjectsIngested', counts.ingested, 'Count'],
    ['ObjectsDuplicate', counts.duplicate, 'Count'],
    ['ObjectsRejected', counts.rejected, 'Count'],
    ['ObjectsFailed', counts.failed, 'Count'],
    ['BytesReceived', bytes, 'Bytes'],
    ['FramesVerified', frames.verified, 'Count'],
    ['FramesMismatched', frames.mismatched + frames.undecodable, 'Count'],
    ['InspectSeconds', timings.inspect, 'Seconds'],
    ['ImportSeconds', timings.import, 'Seconds'],
    ['VerifySeconds', timings.verify, 'Seconds'],
    ['MergeSeconds', timings.merge, 'Seconds'],
    ['ReportSeconds', timings.total, 'Seconds'],
    ['IngestsUnfinished', outcome === 'Failed' ? 1 : 0, 'Count'],
  ];
}

/** Mismatches count as those of an ingest do: the same alarm tells of both. */
export function auditMetrics(audit: {
  imageSets: number;
  counts: { expected: number };
  problems: number;
  unproven: number;
  isWhole: boolean;
}): Metric[] {
  return [
    ['ImageSetsAudited', audit.imageSets, 'Count'],
    ['FramesAudited', audit.counts.expected, 'Count'],
    ['FramesMismatched', audit.problems, 'Count'],
    ['FramesUnproven', audit.unproven, 'Count'],
    ['AuditsCutShort', audit.isWhole ? 0 : 1, 'Count'],
  ];
}

export function sweepMetrics(sweep: { waiting: number; oldestSeconds: number }): Metric[] {
  return [
    ['UploadsWaiting', sweep.waiting, 'Count'],
    ['OldestObjectSeconds', sweep.oldestSeconds, 'Seconds'],
  ];
}
