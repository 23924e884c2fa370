/**
 * What is to be done with the image sets of one series: the decision about spelling, on top of what people decided about
 * its patients and about instances that gave way to another content. Pure.
 */
import type { MetadataEdits } from '../ports/imaging-service.ts';
import { decideMerge, type KeptApart, type Merge, type Variant } from './merge-decision.ts';
import { correctionOf, type PatientDecision } from './patient-decisions.ts';

export interface MergePlan {
  readonly merges: readonly Merge[];
  readonly keptApart: readonly KeptApart[];
  /** By image set: what makes its patient the decided one. */
  readonly corrections: Readonly<Record<string, MetadataEdits>>;
}

/** `isMerging`: whether what is the same but for spelling is merged; a person's decisions are carried out anyway. */
export function planMerges(
  variants: readonly Variant[],
  series: string,
  decision: PatientDecision | undefined,
  isMerging: boolean,
): MergePlan {
  const corrections: Record<string, MetadataEdits> = {};
  const corrected = variants.map((variant) => {
    const correction = decision && correctionOf(decision, variant.metadata.Patient.DICOM);
    if (!correction) return variant;
    corrections[variant.imageSetId] = correction.edits;
    return { ...variant, metadata: { ...variant.metadata, Patient: { DICOM: correction.patient } } };
  });
  const full = corrected.filter((variant) => instancesOf(variant, series).length > 0);
  const { merges, keptApart } = isMerging ? decideMerge(full, series) : { merges: [], keptApart: [] };
  const decided = merges.map((merge) => promoting(merge, corrections));
  return {
    merges: [
      ...decided,
      ...lonePromotions(full, decided, corrections),
      ...retirements(variants, full, decided),
    ],
    keptApart,
    corrections,
  };
}

const instancesOf = ({ metadata }: Variant, series: string) =>
  Object.keys(metadata.Study.Series[series]?.Instances ?? {});

/** What a person said to be one patient may become the primary; an automatic merge never makes one. */
function promoting(merge: Merge, corrections: Readonly<Record<string, unknown>>): Merge {
  const sides = [merge.destination, ...merge.sources.map((source) => source.imageSetId)];
  return sides.some((side) => corrections[side] !== undefined) ? { ...merge, promotes: true } : merge;
}

/** Corrected image sets that are merged with none, in a series without a primary. */
function lonePromotions(
  variants: readonly Variant[],
  merges: readonly Merge[],
  corrections: Readonly<Record<string, MetadataEdits>>,
): Merge[] {
  if (variants.some((variant) => variant.isPrimary)) return [];
  const busy = new Set(
    merges.flatMap((merge) => [merge.destination, ...merge.sources.map((s) => s.imageSetId)]),
  );
  return variants
    .filter(({ imageSetId, isProven }) => isProven && corrections[imageSetId] && !busy.has(imageSetId))
    .map(({ imageSetId }) => ({
      destination: imageSetId,
      sources: [],
      keywords: keywordsOf(corrections[imageSetId]!),
      reason: 'the patient is the one that a person decided on',
      promotes: true,
    }));
}

const keywordsOf = ({ set, remove }: MetadataEdits) =>
  [...Object.keys(set.Patient), ...remove.Patient].sort();

/** Image sets of which every instance gave way: sources of whatever holds the new content in the end. */
function retirements(
  variants: readonly Variant[],
  full: readonly Variant[],
  merges: readonly Merge[],
): Merge[] {
  const isFull = new Set(full.map((variant) => variant.imageSetId));
  const emptied = variants.filter((variant) => !isFull.has(variant.imageSetId));
  return emptied.flatMap(({ imageSetId, replacedBy }): Merge[] => {
    if (replacedBy === undefined || !full.some((variant) => variant.imageSetId === replacedBy)) return [];
    const merge = merges.find(({ sources }) => sources.some((source) => source.imageSetId === replacedBy));
    const edits = {
      set: { Patient: {}, Study: {}, Series: {} },
      remove: { Patient: [], Study: [], Series: [] },
    };
    return [
      {
        destination: merge?.destination ?? replacedBy,
        sources: [{ imageSetId, edits, copies: [] }],
        keywords: ['SOPInstanceUID'],
        reason: "replaced by another content, by a person's decision",
      },
    ];
  });
}
