/** The account of a verification: sums, problems, and how they are shown. */

import {
  addSources,
  NO_SOURCES,
  type SourceCounts,
  type VerifiedImageSet,
  type VerifyProblem,
} from '../shared/ingest/verify-image-set.ts';
import { addCounts, type FrameCounts, NO_FRAMES } from '../shared/ingest/verify-lines.ts';
import { count, seconds } from './progress.ts';
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
  /** Instances without frames: proof none. */
  withoutFrames: number;
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
  sources: NO_SOURCES,
  counts: NO_FRAMES,
  problems: [],
  seconds: 0,
});

export function addImageSet(account: VerifyAccount, verified: VerifiedImageSet): void {
  account.imageSets += 1;
  account.instances += verified.instances;
  account.withoutFrames += verified.withoutFrames;
  account.sources = addSources(account.sources, verified.sources ?? NO_SOURCES);
  account.counts = addCounts(account.counts, verified.counts);
  account.problems.push(...verified.problems);
}

const SHOWN_PROBLEMS = 20;

/** Lines for a person; all problems are in the JSON. */
export function accountLines(account: VerifyAccount, { colours }: Terminal): string[] {
  const { counts, problems } = account;
  const rows: [string, number, string][] = [
    ['image sets', account.imageSets, notesOf(account)],
    ['instances', account.instances, ''],
    ['  without frames', account.withoutFrames, account.withoutFrames > 0 ? 'proof none' : ''],
    ['frames', counts.expected, account.percent < 100 ? `a sample of ${account.percent} %` : ''],
    ['  verified', counts.verified, ''],
    ['  proven from the source', counts.provenFromSource + counts.lossySource, sourceNote(account)],
    ['  mismatched', counts.mismatched, ''],
    ['  undecodable or missing', counts.undecodable, ''],
    ['  without checksum', counts.withoutChecksum, ''],
  ];
  const shown = problems
    .slice(0, SHOWN_PROBLEMS)
    .map((problem) => `  ${colours.red(problem.code)}  ${place(problem)}`);
  const more = problems.length - SHOWN_PROBLEMS;
  const verdict =
    problems.length === 0
      ? colours.green(`nothing differs, in ${seconds(account.seconds)}`)
      : colours.red(`${count(problems.length)} problems, in ${seconds(account.seconds)}`);
  return [
    colours.bold(`Data store ${account.datastoreId}`),
    ...table(
      rows.map(([name, value, note]) => [`  ${name}`, count(value), note]),
      { right: [1] },
    ),
    ...shown,
    ...(more > 0 ? [`  and ${count(more)} more: --json lists them all`] : []),
    verdict,
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

function place({ imageSetId, sop, frame, what, expected, got }: VerifyProblem): string {
  const parts = [
    `image set ${imageSetId}`,
    sop === undefined ? '' : `instance ${sop}`,
    frame === undefined ? '' : `frame ${frame}`,
  ];
  return `${parts.filter((part) => part !== '').join(', ')}: ${what}: expected ${expected}, got ${got}`;
}
