/**
 * What a person reads when an ingest has ended: the counts, then what was *not* ingested as prominently as what was,
 * by code with reason, place and advice, then what waits for a decision, then the image sets.
 */

import type { ObjectLine, ObjectOutcome as Outcome, Report } from '../shared/ingest/report.ts';
import { bytes, count, seconds } from './progress.ts';
import { table, wrap } from './table.ts';
import { printable, type Terminal } from './terminal.ts';

interface CodeGroup {
  readonly outcome: Outcome;
  readonly code: string;
  count: number;
  readonly shown: { readonly key: string; readonly message: string }[];
  readonly advice: string;
}

/** Keys shown for each code, and image sets shown in all: the rest is counted, and is in the report. */
const KEYS_SHOWN = 3;
const IMAGE_SETS_SHOWN = 12;

/** Stands where a code would: ingested with pixels that nothing could prove. */
const UNPROVEN = 'Unproven';

function isUnproven({ proof, frames = 0 }: ObjectLine): boolean {
  return proof === 'none' && frames > 0;
}

/** Reads the lines once, keeping a few keys for each code. */
export async function groupByCode(lines: AsyncIterable<ObjectLine>): Promise<CodeGroup[]> {
  const groups = new Map<string, CodeGroup>();
  for await (const line of lines) {
    const code = line.code ?? (isUnproven(line) ? UNPROVEN : undefined);
    if (line.outcome === 'duplicate' || code === undefined) continue;
    const id = `${line.outcome} ${code}`;
    const group = groups.get(id) ?? {
      outcome: line.outcome,
      code,
      count: 0,
      shown: [],
      advice: line.advice ?? '',
    };
    group.count += 1;
    if (group.shown.length < KEYS_SHOWN)
      group.shown.push({
        key: printable(withoutUpload(line.key)),
        message: printable(line.message ?? line.warnings?.[0]?.message ?? ''),
      });
    groups.set(id, group);
  }
  const order: Outcome[] = ['failed', 'rejected', 'ingested'];
  return [...groups.values()].sort(
    (a, b) => order.indexOf(a.outcome) - order.indexOf(b.outcome) || b.count - a.count,
  );
}

/** The closing table, on stdout. */
export async function printSummary(
  report: Report,
  lines: AsyncIterable<ObjectLine>,
  terminal: Terminal,
): Promise<void> {
  const groups = await groupByCode(lines);
  for (const line of summaryLines(report, groups, terminal)) terminal.result(line);
}

export function summaryLines(report: Report, groups: readonly CodeGroup[], terminal: Terminal): string[] {
  return [
    ...heading(report, terminal),
    ...counts(report, terminal),
    ...notIngested(report, groups, terminal),
    ...decisions(report, groups, terminal),
    ...imageSets(report, terminal),
  ];
}

function heading(report: Report, { colours }: Terminal): string[] {
  const paint =
    report.outcome === 'Ingested'
      ? colours.green
      : report.outcome === 'Failed'
        ? colours.red
        : colours.yellow;
  return [
    '',
    `${colours.bold(paint(report.outcome))}  upload ${colours.bold(printable(report.upload))} in ${seconds(report.timings.total)}`,
    colours.dim(`execution ${report.executionId}`),
    '',
  ];
}

function counts(report: Report, { colours }: Terminal): string[] {
  const { counts: n, frames } = report;
  const loud = (value: number, paint: (text: string) => string) =>
    value > 0 ? colours.bold(paint(count(value))) : count(value);
  const withoutFrames =
    report.instancesWithoutFrames > 0 ? `${count(report.instancesWithoutFrames)} without frames` : '';
  const proof = [
    `${count(frames.verified)} of ${count(frames.expected)} frames proven`,
    `${count(frames.provenFromSource)} equal to the source`,
    frames.lossySource > 0 ? `${count(frames.lossySource)} from a lossy source` : '',
    frames.withoutChecksum > 0 ? `${count(frames.withoutChecksum)} without a checksum` : '',
    withoutFrames,
  ];
  const wrong = frames.mismatched + frames.undecodable;
  return table(
    [
      ['  received', count(n.received), bytes(report.bytes)],
      [
        '  ingested',
        n.ingested > 0 ? colours.bold(colours.green(count(n.ingested))) : '0',
        proof.filter(Boolean).join(', '),
      ],
      [
        '  duplicate',
        count(n.duplicate),
        n.duplicate > 0 ? 'stored before, byte for byte: nothing to do' : '',
      ],
      ['  rejected', loud(n.rejected, colours.yellow), ''],
      ['  failed', loud(n.failed, colours.red), wrong > 0 ? `${count(wrong)} frames do not match` : ''],
    ],
    { right: [1] },
  );
}

function notIngested(report: Report, groups: readonly CodeGroup[], terminal: Terminal): string[] {
  const { colours } = terminal;
  const lost = report.counts.rejected + report.counts.failed;
  if (lost === 0) return [];
  const shown = groups.filter(({ outcome }) => outcome !== 'ingested');
  return [
    '',
    colours.bold(`Not ingested: ${count(lost)} of ${count(report.counts.received)}`),
    ...shown.flatMap((group) => groupLines(group, terminal)),
  ];
}

function groupLines(group: CodeGroup, { colours, columns }: Terminal): string[] {
  const paint = group.outcome === 'failed' ? colours.red : colours.yellow;
  const width = Math.max(40, Math.min(110, columns) - 6);
  const indented = (text: string) => wrap(text, width).map((line) => `      ${line}`);
  return [
    `  ${colours.bold(paint(group.code))}  ${count(group.count)} ${group.outcome}`,
    ...placesAndReasons(group).flatMap(indented),
    ...(group.advice === '' ? [] : indented(`do: ${group.advice}`).map((line) => colours.dim(line))),
  ];
}

/** One reason for all is told once; else each place has its own. */
function placesAndReasons({ shown, count: all }: CodeGroup): string[] {
  const more = all > shown.length ? `and ${count(all - shown.length)} more` : '';
  const [first] = shown;
  if (shown.every(({ message }) => message === first?.message)) {
    const where = [...shown.map(({ key }) => key), more].filter(Boolean).join(', ');
    return [`where: ${where}`, ...(first?.message ? [`why: ${first.message}`] : [])];
  }
  return [...shown.map(({ key, message }) => `${key}: ${message}`), more].filter(Boolean);
}

/** What was ingested and still wants a look: objects with a code, and series in several image sets. */
function decisions(report: Report, groups: readonly CodeGroup[], terminal: Terminal): string[] {
  const { colours } = terminal;
  const apart = groups.filter(({ outcome }) => outcome === 'ingested');
  const open = report.merges.filter(({ outcome }) => outcome !== 'merged');
  const merged = report.merges.length - open.length;
  const lines = apart.flatMap((group) => groupLines(group, terminal));
  for (const merge of open) {
    const because = merge.keywords?.length
      ? `they differ in ${merge.keywords.join(', ')}`
      : (merge.reason ?? '');
    lines.push(
      `  ${colours.bold(colours.yellow(MERGE_WORDS[merge.outcome]))}  series …${merge.seriesInstanceUID.slice(-12)} in several image sets`,
      ...(because === '' ? [] : [`      why: ${because}`]),
    );
  }
  if (merged > 0) lines.push(`  ${count(merged)} series merged into one image set each`);
  return lines.length === 0 ? [] : ['', colours.bold('Ingested, but look at'), ...lines];
}

function imageSets(report: Report, { colours }: Terminal): string[] {
  if (report.imageSets.length === 0) return [];
  const hasPrimaries = report.imageSets.some(({ isPrimary }) => isPrimary); // none in 2024
  const rows = report.imageSets
    .slice(0, IMAGE_SETS_SHOWN)
    .map((set) => [
      `  ${set.imageSetId}`,
      set.modality ?? '',
      count(set.instances),
      set.frames === 0 ? 'none' : `${count(set.verified)}/${count(set.frames)} proven`,
      hasPrimaries && !set.isPrimary ? 'not primary' : '',
    ]);
  const more = report.imageSets.length - rows.length;
  return [
    '',
    colours.bold(`Image sets: ${count(report.imageSets.length)}`),
    ...table([['  id', 'modality', 'instances', 'frames', ''].map(colours.dim), ...rows], { right: [2] }),
    ...(more > 0 ? [`  and ${count(more)} more, in the report`] : []),
  ];
}

const MERGE_WORDS: Readonly<Record<Report['merges'][number]['outcome'], string>> = {
  merged: 'Merged',
  keptApart: 'KeptApart',
  reported: 'NotMerged',
  failed: 'MergeFailed',
};

function withoutUpload(key: string): string {
  const slash = key.indexOf('/');
  return slash < 0 ? key : key.slice(slash + 1);
}
