/** PlanImport's decision about one object, in the light of its study (design "Duplicates and conflicts"). Pure. */
import type { IdentityDecision } from './decide-identities.ts';
import { identityDigest } from './identity.ts';
import type { LedgerEntry } from './ledger.ts';
import type { Candidate, DecidedLine, StageLine } from './plan-lines.ts';

/** An instance of a batch that a crashed predecessor started. */
export interface AdoptedInstance {
  readonly planExecutionId: string;
  readonly batchId: string;
  readonly n: number;
  readonly key: string;
  readonly etag: string;
}

/** What is known of one SOP Instance UID outside of this upload. */
export interface KnownInstance {
  /** The ledger's entry, only when its image set is live and still lists the instance. */
  readonly entry?: LedgerEntry;
  /** The entry's execution was an earlier one of this upload that ended without any report: nobody has told of it. */
  readonly isUnreported?: boolean;
  /** A person decided that another content takes its place, which may be this one. */
  readonly mayReplace?: NonNullable<StageLine['replaces']>;
  /** An image set that is not ours holds it: what its bytes were is not known. */
  readonly isForeign: boolean;
  readonly adopted?: AdoptedInstance;
}

export type PlanDecision =
  | { readonly kind: 'decided'; readonly line: DecidedLine }
  | { readonly kind: 'settle'; readonly line: StageLine }
  | { readonly kind: 'import'; readonly line: StageLine };

/** `first`: the object of this upload that stands for the SOP Instance UID, where one came before in plan order. */
export function planObject(
  candidate: Candidate,
  identities: ReadonlyMap<string, IdentityDecision>,
  known: KnownInstance,
  first: Candidate | undefined,
): PlanDecision {
  const { adopted } = known;
  if (adopted && adopted.key === candidate.key && adopted.etag === candidate.etag) {
    const { planExecutionId, batchId, n } = adopted;
    return {
      kind: 'decided',
      line: { n: candidate.n, decision: 'adopted', planExecutionId, batchId, from: n },
    };
  }
  const identity = identities.get(identityDigest(candidate.identity));
  if (identity && !identity.accepted)
    return rejected(
      candidate,
      'IdentityConflict',
      `another patient is known under this study or series; they differ in ${identity.keywords.join(', ')}${
        identity.because === undefined ? '' : `; ${identity.because}`
      }`,
    );
  const { entry } = known;
  if (entry && !known.mayReplace) return againstLedger(candidate, entry, known.isUnreported === true, first);
  if (first) return asTwin(candidate, first);
  if (adopted)
    return decided(
      candidate,
      'failed',
      'Unfinished',
      'an import of this SOP Instance UID from another upload is not finished yet',
    );
  if (known.isForeign && !known.mayReplace)
    return rejected(
      candidate,
      'InstanceConflict',
      'the data store holds this SOP Instance UID from another source, so its bytes cannot be compared',
    );
  const keywords = identity?.accepted ? identity.keptApartBy : [];
  const line: StageLine = {
    ...candidate,
    ...(keywords.length > 0 ? { keptApartBy: keywords } : {}),
    ...(known.mayReplace ? { replaces: known.mayReplace } : {}),
  };
  return { kind: 'import', line };
}

function asTwin(candidate: Candidate, first: Candidate): PlanDecision {
  if (first.datasetDigest !== candidate.datasetDigest)
    return rejected(
      candidate,
      'InstanceConflict',
      'another object of this upload has the same SOP Instance UID and a different dataset',
    );
  return { kind: 'settle', line: { ...candidate, twinOf: first.n } };
}

/** What is settled and told is a duplicate; what was never told is proven again, and told as ingested. */
function againstLedger(
  candidate: Candidate,
  entry: LedgerEntry,
  isUnreported: boolean,
  first: Candidate | undefined,
): PlanDecision {
  if (entry.datasetDigest !== candidate.datasetDigest)
    return rejected(
      candidate,
      'InstanceConflict',
      'the instance that is stored under this SOP Instance UID has a different dataset',
    );
  const { sha256, imageSetId, state } = entry;
  return {
    kind: 'settle',
    line: {
      ...candidate,
      expected: { sha256, imageSetId, isSettled: state === 'verified' && !isUnreported },
      ...(first ? { twinOf: first.n } : {}),
    },
  };
}

const rejected = (candidate: Candidate, code: string, message: string): PlanDecision =>
  decided(candidate, 'rejected', code, message);

const decided = (
  candidate: Candidate,
  decision: 'rejected' | 'failed',
  code: string,
  message: string,
): PlanDecision => ({ kind: 'decided', line: { n: candidate.n, decision, code, message } });

/** Quotas of one import job (reference section 20, read 2026-11-24), less a little room in bytes. */
export const BATCH_LIMITS = {
  files: { max: 5000, unit: 'files', source: 'endpoints-quotas: files per import job' },
  bytes: { max: 10_000_000_000, unit: 'bytes', source: 'endpoints-quotas: total bytes per job, 10 GB' },
} as const;

export interface BatchFill {
  readonly files: number;
  readonly bytes: number;
}

/**
 * Whether the next object begins a new batch: the quotas, and a series stays in one batch when it fits into one.
 * `series` is the whole of the object's series when it is the first of it.
 */
export function beginsBatch(
  fill: BatchFill,
  sizeBytes: number,
  series: BatchFill | undefined,
  limits = { files: BATCH_LIMITS.files.max, bytes: BATCH_LIMITS.bytes.max } as BatchFill,
): boolean {
  if (fill.files === 0) return false;
  if (fill.files + 1 > limits.files || fill.bytes + sizeBytes > limits.bytes) return true;
  if (!series) return false;
  const fitsAlone = series.files <= limits.files && series.bytes <= limits.bytes;
  const fitsHere = fill.files + series.files <= limits.files && fill.bytes + series.bytes <= limits.bytes;
  return fitsAlone && !fitsHere;
}
