/** The account of a verification: sums, problems, and how they are shown. */

import { sumOfUnproven, type UnprovenInstance } from '../shared/ingest/unproven-instance.ts';
import {
  addSources,
  NO_SOURCES,
  type SourceCounts,
  type VerifiedImageSet,
  type VerifyProblem,
} from '../shared/ingest/verify-image-set.ts';
import { addCounts, type FrameCounts, NO_FRAMES } from '../shared/ingest/verify-lines.ts';
import { EXIT } from './errors.ts';
import { count, plural, seconds } from './progress.ts';
import { table } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface VerifyAccount {
  readonly schema: 'isocenter.verify/1';
  readonly datastoreId: string;
  readonly percent: number;
  readonly seed: string;
  imageSets: number;
  /** Of these, proven by an earlier run (`--resume`). */
  resumed: number;
  /** Deleted between the search and the look. */
  deleted: number;
  instances: number;
  /** Instances without pixels: there is nothing to prove. */
  withoutFrames: number;
  /** Instances with pixels that nothing proves. */
  readonly unproven: UnprovenInstance[];
  /** What was compared with the bytes that were imported, by instances. */
  sources: SourceCounts;
  /** `expected` are the frames that were looked at. */
  counts: FrameCounts;
  /** Whether a ledger of imports was compared. */
  readonly comparedWithLedger: boolean;
  readonly problems: VerifyProblem[];
  seconds: number;
}

export const newAccount = (
  scope: Pick<VerifyAccount, 'datastoreId' | 'percent' | 'seed' | 'comparedWithLedger'>,
): VerifyAccount => ({
  schema: 'isocenter.verify/1',
  ...scope,
  imageSets: 0,
  resumed: 0,
  deleted: 0,
  instances: 0,
  withoutFrames: 0,
  unproven: [],
  sources: NO_SOURCES,
  counts: NO_FRAMES,
  problems: [],
  seconds: 0,
});

export function addImageSet(account: VerifyAccount, verified: VerifiedImageSet): void {
  account.imageSets += 1;
  account.instances += verified.instances;
  account.withoutFrames += verified.withoutFrames;
  account.unproven.push(...verified.unproven);
  account.sources = addSources(account.sources, verified.sources ?? NO_SOURCES);
  account.counts = addCounts(account.counts, verified.counts);
  account.problems.push(...verified.problems);
}

/** As for a report: 1 where something differs, 2 where nothing does and something with pixels is not proven. */
export function exitCodeOfAccount({ problems, unproven }: VerifyAccount): number {
  if (problems.length > 0) return EXIT.failed;
  return unproven.length > 0 ? EXIT.refused : EXIT.ok;
}

const SHOWN_PROBLEMS = 20;

/** Lines for a person; all problems are in the JSON. */
export function accountLines(account: VerifyAccount, { colours }: Terminal): string[] {
  const { counts, problems, unproven } = account;
  const rows: [string, number, string][] = [
    ['image sets', account.imageSets, notesOf(account)],
    ['instances', account.instances, ''],
    ['  without frames', account.withoutFrames, account.withoutFrames > 0 ? 'nothing to prove' : ''],
    ['frames', counts.expected, account.percent < 100 ? `a sample of ${account.percent} %` : ''],
    ['  verified', counts.verified, ''],
    ['  proven from the source', counts.provenFromSource + counts.lossySource, sourceNote(account)],
    [
      '  unproven',
      sumOfUnproven(unproven),
      unproven.length > 0 ? `in ${plural(unproven.length, 'instance')}` : '',
    ],
    ['  mismatched', counts.mismatched, ''],
    ['  undecodable or missing', counts.undecodable, ''],
    ['  without checksum', counts.withoutChecksum, ''],
  ];
  const verdict =
    problems.length === 0
      ? nothingDiffers(account, colours)
      : colours.red(`${count(problems.length)} problems, in ${seconds(account.seconds)}`);
  return [
    colours.bold(`Data store ${account.datastoreId}`),
    ...table(
      rows.map(([name, value, note]) => [`  ${name}`, count(value), note]),
      { right: [1] },
    ),
    ...firstOf(problems, (problem) => `  ${colours.red(problem.code)}  ${place(problem)}`),
    ...firstOf(unproven, (instance) => `  ${colours.yellow('Unproven')}  ${placeOfUnproven(instance)}`),
    verdict,
  ];
}

function nothingDiffers({ unproven, seconds: took }: VerifyAccount, colours: Terminal['colours']): string {
  if (unproven.length === 0) return colours.green(`nothing differs, in ${seconds(took)}`);
  return colours.yellow(
    `nothing differs, unproven: ${plural(sumOfUnproven(unproven), 'frame')}, in ${seconds(took)}`,
  );
}

function firstOf<T>(all: readonly T[], lineOf: (one: T) => string): string[] {
  const more = all.length - SHOWN_PROBLEMS;
  return [
    ...all.slice(0, SHOWN_PROBLEMS).map(lineOf),
    ...(more > 0 ? [`  and ${count(more)} more: --json lists them all`] : []),
  ];
}

/** What was not compared with its source, in instances. */
function sourceNote({ comparedWithLedger, sources }: VerifyAccount): string {
  if (!comparedWithLedger) return 'no sources at hand';
  return [
    sources.gone > 0 ? `source gone: ${count(sources.gone)} instances` : '',
    sources.unreadable > 0 ? `source unreadable: ${count(sources.unreadable)}` : '',
    sources.unknown > 0 ? `source unknown: ${count(sources.unknown)}` : '',
  ]
    .filter((note) => note !== '')
    .join(', ');
}

const notesOf = ({ resumed, deleted }: VerifyAccount) =>
  [
    resumed > 0 ? `${count(resumed)} proven before` : '',
    deleted > 0 ? `${count(deleted)} deleted meanwhile` : '',
  ]
    .filter((note) => note !== '')
    .join(', ');

const placeOfUnproven = ({ imageSetId, sop, frames, why }: UnprovenInstance) =>
  `image set ${imageSetId}, instance ${sop}, ${plural(frames, 'frame')}: ${why}`;

function place({ imageSetId, sop, frame, what, expected, got }: VerifyProblem): string {
  const parts = [
    `image set ${imageSetId}`,
    sop === undefined ? '' : `instance ${sop}`,
    frame === undefined ? '' : `frame ${frame}`,
  ];
  return `${parts.filter((part) => part !== '').join(', ')}: ${what}: expected ${expected}, got ${got}`;
}
