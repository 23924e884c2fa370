/**
 * The account of one object: from its verdict and all that later steps said of it to its one outcome (invariant 1).
 * Pure and total: what nobody speaks of is `failed`.
 */
import type { InspectedLine } from './inspect-objects.ts';
import type { DecidedLine, ImportedLine, StagingLine } from './plan-lines.ts';
import { type ObjectLine, type ObjectOutcome, outcomeEntry } from './report.ts';
import { addCounts, type FrameCounts, NO_FRAMES, type Proof, type VerifiedLine } from './verify-lines.ts';

/** All that the steps after the inspection said of one object. */
export interface StepResults {
  readonly decided?: DecidedLine;
  readonly staging?: StagingLine;
  readonly imported?: ImportedLine;
  readonly sha256?: string;
  readonly keptApartBy?: readonly string[];
  readonly verified: readonly VerifiedLine[];
}

export interface Account {
  readonly line: ObjectLine;
  readonly counts: FrameCounts;
  /** It has no pixels. What HealthImaging keeps as one blob has: its frames are expected, and not proven. */
  readonly isWithoutFrames: boolean;
  /** The object stays in the inbox: it is not what was accounted for, or the execution did not finish. */
  readonly stays: boolean;
}

/** What an object that nobody finished is called: `Unaccounted` in a report that finished, `Unfinished` otherwise. */
export type Missing = 'Unaccounted' | 'Unfinished';

/** `twin`: the account of the object that this one has to equal, where it is a suspected twin. */
export function accountOf(
  inspected: InspectedLine,
  results: StepResults,
  missing: Missing,
  twin?: Account,
): Account {
  const { inspected: verdict } = inspected;
  if (verdict.verdict !== 'accepted')
    return refuse(inspected, verdict.verdict, verdict.code, verdict.message, {});
  const { decided, staging } = results;
  if (decided && decided.decision !== 'adopted')
    return refuse(inspected, decided.decision, decided.code, decided.message, results);
  if (staging?.outcome === 'rejected' || staging?.outcome === 'failed')
    return refuse(inspected, staging.outcome, staging.code ?? missing, staging.message ?? '', results);
  if (staging?.outcome === 'duplicate')
    return accept(inspected, 'duplicate', results, { imageSetId: staging.imageSetId ?? '' });
  if (staging?.outcome === 'twin') return asTwin(inspected, results, missing, twin);
  if (staging?.outcome === 'reverify') {
    const isTwin = twin?.line.outcome === 'ingested' && twin.line.sha256 === staging.sha256;
    return isTwin ? asTwin(inspected, results, missing, twin) : proven(inspected, results, missing);
  }
  return imported(inspected, results, missing);
}

function asTwin(inspected: InspectedLine, results: StepResults, missing: Missing, twin?: Account): Account {
  const sha256 = results.staging?.sha256;
  if (!twin) return refuse(inspected, 'failed', missing, 'its twin has no account', results);
  const { line } = twin;
  if (line.sha256 !== undefined && line.sha256 !== sha256)
    return refuse(
      inspected,
      'rejected',
      'InstanceConflict',
      'another object of this upload has the same SOP Instance UID and other pixels or another encoding',
      results,
    );
  if (line.outcome === 'ingested' || line.outcome === 'duplicate') {
    const { imageSetId } = line;
    return accept(inspected, 'duplicate', results, imageSetId === undefined ? {} : { imageSetId });
  }
  const message = 'the same object came twice in this upload; this one takes the outcome of the other';
  return refuse(inspected, line.outcome, line.code ?? missing, message, results);
}

function imported(inspected: InspectedLine, results: StepResults, missing: Missing): Account {
  const { imported: result } = results;
  if (!result) return refuse(inspected, 'failed', missing, UNFINISHED[missing], results);
  if (result.outcome !== 'imported')
    return refuse(inspected, result.outcome, result.code ?? missing, result.message ?? '', results);
  return proven(inspected, results, missing);
}

const UNFINISHED: Readonly<Record<Missing, string>> = {
  Unaccounted: 'planned, and neither imported nor refused by any step',
  Unfinished: 'the execution ended before this object was done; it is still in the inbox',
};

function proven(inspected: InspectedLine, results: StepResults, missing: Missing): Account {
  const { verified } = results;
  const counts = verified.reduce((sum, line) => addCounts(sum, line.counts), NO_FRAMES);
  const imageSetId = verified[0]?.imageSetId ?? results.imported?.imageSetId;
  const where = imageSetId === undefined ? {} : { imageSetId };
  if (verified.length === 0) return refuse(inspected, 'failed', missing, UNFINISHED[missing], results, where);
  const bad = verified.find((line) => line.code);
  if (bad?.code) {
    const account = refuse(inspected, 'failed', bad.code, bad.message ?? '', results, where);
    return { ...account, counts };
  }
  if (missing === 'Unfinished' && counts.expected < framesOf(inspected))
    return refuse(inspected, 'failed', missing, UNFINISHED[missing], results, where);
  const proof = weakest(verified.flatMap((line) => (line.proof ? [line.proof] : [])));
  return {
    ...accept(inspected, 'ingested', results, {
      ...where,
      ...(proof ? { proof, framesVerified: counts.verified } : {}),
      ...keptApart(results.keptApartBy ?? []),
    }),
    counts,
    isWithoutFrames: framesOf(inspected) === 0,
  };
}

function keptApart(keywords: readonly string[]): Partial<ObjectLine> {
  if (keywords.length === 0) return {};
  const advice = outcomeEntry('KeptApart')?.advice;
  const message = `kept apart from another patient under the same study: they differ in ${keywords.join(', ')}`;
  return { code: 'KeptApart', message, ...(advice === undefined ? {} : { advice }) };
}

const STRENGTH: readonly Proof[] = ['none', 'stored', 'encoded', 'source'];
const weakest = (proofs: readonly Proof[]): Proof | undefined =>
  STRENGTH.find((strength) => proofs.includes(strength));

const framesOf = ({ inspected }: InspectedLine) => (inspected.verdict === 'accepted' ? inspected.frames : 0);

function accept(
  inspected: InspectedLine,
  outcome: ObjectOutcome,
  results: StepResults,
  more: Partial<ObjectLine>,
): Account {
  const line = { ...describe(inspected, results), outcome, ...more };
  return { line, counts: NO_FRAMES, isWithoutFrames: false, stays: false };
}

/** Codes of objects that are not what was accounted for, or not done: they stay where they are. */
/** With these codes an object stays in the inbox. */
export const STAYING: ReadonlySet<string> = new Set(['ChangedDuringIngest', 'Unfinished']);

function refuse(
  inspected: InspectedLine,
  outcome: 'rejected' | 'failed',
  code: string,
  message: string,
  results: Partial<StepResults>,
  more: Partial<ObjectLine> = {},
): Account {
  const advice = outcomeEntry(code)?.advice;
  const line = {
    ...describe(inspected, results),
    outcome,
    code,
    message,
    ...(advice === undefined ? {} : { advice }),
    ...more,
  };
  return { line, counts: NO_FRAMES, isWithoutFrames: false, stays: STAYING.has(code) };
}

/** What is known of the object whatever becomes of it. */
function describe(inspected: InspectedLine, results: Partial<StepResults>): Omit<ObjectLine, 'outcome'> {
  const { key, sizeBytes, inspected: verdict } = inspected;
  const warnings = [
    ...(verdict.verdict === 'accepted' ? verdict.warnings : []),
    ...(results.imported?.warnings ?? []),
    ...(results.verified ?? []).flatMap((line) => line.warnings ?? []),
  ].map(({ code, message }) => ({ code, message }));
  const sha256 = results.staging?.sha256 ?? results.sha256;
  return {
    key,
    sizeBytes,
    ...(warnings.length > 0 ? { warnings } : {}),
    ...(verdict.verdict === 'failed' ? {} : uidsOf(verdict)),
    ...(verdict.verdict === 'accepted' ? { frames: verdict.frames } : {}),
    ...(sha256 === undefined ? {} : { sha256 }),
  };
}

const UIDS = ['sopInstanceUID', 'seriesInstanceUID', 'studyInstanceUID', 'transferSyntaxUID'] as const;

function uidsOf(verdict: { readonly [K in (typeof UIDS)[number]]?: string }): Partial<ObjectLine> {
  return Object.fromEntries(UIDS.flatMap((uid) => (verdict[uid] === undefined ? [] : [[uid, verdict[uid]]])));
}
