/**
 * The decision about the image sets of one series: which are one, and may become one; which stay apart, and why. Taken
 * over all of them at once, so that neither their order nor an empty value between two others matters. Pure and total:
 * what no rule proves to be spelling stays apart.
 */
import type { DicomJson, ImageSetMetadata, InstanceEntry, MetadataEdits } from '../ports/imaging-service.ts';
import { firmForm, isAlignable, looseForm } from './merge-rules.ts';
import { exact } from './variants.ts';

/** One image set of the series, as it stands. */
export interface Variant {
  readonly imageSetId: string;
  readonly isPrimary: boolean;
  /** ISO 8601. */
  readonly createdAt: string;
  /** Every instance is proven, as the ledger has it; others are never moved or deleted. */
  readonly isProven: boolean;
  readonly metadata: ImageSetMetadata;
  /** The image set of the content that all its instances gave way to, by a person's decision. */
  readonly replacedBy?: string;
}

export interface MergeSource {
  readonly imageSetId: string;
  /** What makes its levels equal to the destination's; empty where they are. */
  readonly edits: MetadataEdits;
  /** Instances to be copied, in requests within the quotas. */
  readonly copies: readonly (readonly string[])[];
}

export interface Merge {
  readonly destination: string;
  readonly sources: readonly MergeSource[];
  /** Keywords that are aligned. */
  readonly keywords: readonly string[];
  /** A person decided: nothing is aligned, the destination's patient, study and series stand. */
  readonly isForced?: boolean;
  /** For the report, where it is not about spelling. */
  readonly reason?: string;
  /** A person decided: where the series has no primary image set, the destination becomes it. */
  readonly promotes?: boolean;
}

export interface KeptApart {
  readonly imageSetId: string;
  readonly reason: string;
  readonly keywords: readonly string[];
}

export interface MergeDecision {
  readonly kind: 'nothing' | 'keepApart' | 'merge' | 'align-then-merge';
  readonly merges: readonly Merge[];
  readonly keptApart: readonly KeptApart[];
}

/** Quotas (reference section 20): frames of one CopyImageSet, and characters of its list; bytes of one update. */
export const MERGE_LIMITS = { framesPerCopy: 1000, instancesPerCopy: 1000, updateBytes: 10_000 } as const;

const LEVELS = ['Patient', 'Study', 'Series'] as const;

export function decideMerge(variants: readonly Variant[], series: string): MergeDecision {
  if (variants.length < 2) return { kind: 'nothing', merges: [], keptApart: [] };
  const merges: Merge[] = [];
  const keptApart: KeptApart[] = [];
  for (const variant of variants)
    if (!variant.isProven)
      keptApart.push({ imageSetId: variant.imageSetId, reason: 'not proven', keywords: [] });
  const proven = variants.filter((variant) => variant.isProven);
  const classes = classesOf(proven, series);
  const [first = [], ...others] = bySize(classes, series);
  for (const group of [first, ...others]) {
    const { merge, apart } = mergeWithin(group, series);
    if (merge) merges.push(merge);
    keptApart.push(...apart);
  }
  for (const group of others) {
    const keywords = differingKeywords([...first, ...group], series);
    for (const { imageSetId } of group)
      if (!keptApart.some((kept) => kept.imageSetId === imageSetId))
        keptApart.push({ imageSetId, reason: 'differs beyond spelling', keywords });
  }
  const isAligning = merges.some((merge) => merge.keywords.length > 0);
  const kind = merges.length === 0 ? 'keepApart' : isAligning ? 'align-then-merge' : 'merge';
  return { kind, merges, keptApart };
}

const levelOf = ({ Patient, Study }: ImageSetMetadata, series: string) => ({
  Patient: Patient.DICOM,
  Study: Study.DICOM,
  Series: Study.Series[series]?.DICOM ?? {},
});

type Levels = ReturnType<typeof levelOf>;

const elementsOf = (levels: Levels): [string, string, unknown][] =>
  LEVELS.flatMap((level) =>
    Object.entries(levels[level] as DicomJson).map(([keyword, value]): [string, string, unknown] => [
      level,
      keyword,
      value,
    ]),
  );

/** Every level and keyword that any of them has. */
function keywordsOf(variants: readonly Variant[], series: string): [(typeof LEVELS)[number], string][] {
  const names = new Set(
    variants.flatMap(({ metadata }) =>
      elementsOf(levelOf(metadata, series)).map(([level, keyword]) => `${level} ${keyword}`),
    ),
  );
  return [...names].sort().map((name) => name.split(' ') as [(typeof LEVELS)[number], string]);
}

const valueAt = ({ metadata }: Variant, series: string, level: (typeof LEVELS)[number], keyword: string) =>
  (levelOf(metadata, series)[level] as DicomJson)[keyword];

/** Sets that are the same but for spelling. */
function classesOf(variants: readonly Variant[], series: string): Variant[][] {
  const keywords = keywordsOf(variants, series);
  const form = (of: (keyword: string, value: unknown) => unknown) => (variant: Variant) =>
    JSON.stringify(keywords.map(([level, keyword]) => of(keyword, valueAt(variant, series, level, keyword))));
  const classes: Variant[][] = [];
  for (const group of grouped(variants, form(firmForm))) {
    const isLooselyEqual = keywords.every(([level, keyword]) => {
      const parts = group.map((v) => looseForm(keyword, valueAt(v, series, level, keyword)));
      return (parts[0] ?? []).every(
        (_, i) => new Set(parts.map((p) => p[i]).filter((part) => part !== '')).size <= 1,
      );
    });
    classes.push(...(isLooselyEqual ? [group] : grouped(group, form(looseForm))));
  }
  return classes;
}

function grouped<T>(items: readonly T[], keyOf: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(keyOf(item), [...(groups.get(keyOf(item)) ?? []), item]);
  return [...groups.keys()].sort().map((key) => groups.get(key) as T[]);
}

const instancesOf = ({ metadata }: Variant, series: string) => metadata.Study.Series[series]?.Instances ?? {};
const countOf = (group: readonly Variant[], series: string) =>
  group.reduce((sum, variant) => sum + Object.keys(instancesOf(variant, series)).length, 0);

/** The class of the primary first, then by instances. */
const bySize = (classes: readonly Variant[][], series: string): Variant[][] =>
  [...classes].sort((a, b) => {
    const primaries = Number(b.some((v) => v.isPrimary)) - Number(a.some((v) => v.isPrimary));
    return primaries || countOf(b, series) - countOf(a, series) || compare(leastId(a), leastId(b));
  });

const leastId = (group: readonly Variant[]) => group.map((v) => v.imageSetId).sort()[0] ?? '';
const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** The primary, else most instances, else the oldest. */
const asDestination = (series: string) => (a: Variant, b: Variant) =>
  Number(b.isPrimary) - Number(a.isPrimary) ||
  countOf([b], series) - countOf([a], series) ||
  compare(a.createdAt, b.createdAt) ||
  compare(a.imageSetId, b.imageSetId);

function mergeWithin(group: readonly Variant[], series: string): { merge?: Merge; apart: KeptApart[] } {
  const [destination, ...candidates] = [...group].sort(asDestination(series));
  if (!destination || candidates.length === 0) return { apart: [] };
  const apart: KeptApart[] = [];
  const sources: MergeSource[] = [];
  const keywords = new Set<string>();
  const held = new Map(Object.entries(instancesOf(destination, series)));
  for (const candidate of candidates) {
    const alignment = alignmentOf(candidate, destination, series);
    const conflicts = conflictsWith(held, instancesOf(candidate, series));
    const added = Object.entries(instancesOf(candidate, series)).filter(([sop]) => !held.has(sop));
    const copies = cutCopies(added);
    const reason = refusalOf(alignment, conflicts, copies);
    if (reason) {
      apart.push({ imageSetId: candidate.imageSetId, ...reason });
      continue;
    }
    for (const keyword of alignment.keywords) keywords.add(keyword);
    for (const [sop, instance] of added) held.set(sop, instance);
    sources.push({ imageSetId: candidate.imageSetId, edits: alignment.edits, copies: copies ?? [] });
  }
  if (sources.length === 0) return { apart };
  return {
    merge: { destination: destination.imageSetId, sources, keywords: [...keywords].sort() },
    apart,
  };
}

function refusalOf(
  alignment: Alignment,
  conflicts: readonly string[],
  copies: readonly (readonly string[])[] | undefined,
): { reason: string; keywords: readonly string[] } | undefined {
  if (alignment.refused.length > 0)
    return { reason: 'cannot be aligned without force', keywords: alignment.refused };
  if (JSON.stringify(alignment.edits).length > MERGE_LIMITS.updateBytes)
    return { reason: 'the alignment is larger than an update may be', keywords: alignment.keywords };
  if (conflicts.length > 0) return { reason: 'InstanceConflict', keywords: ['SOPInstanceUID'] };
  if (!copies) return { reason: 'an instance has more frames than a copy may', keywords: ['NumberOfFrames'] };
  return undefined;
}

interface Alignment {
  readonly edits: MetadataEdits;
  readonly keywords: readonly string[];
  /** Keywords that differ and that the service does not update without force. */
  readonly refused: readonly string[];
}

/** What makes the source's levels those of the destination, value by value. */
export function alignmentOf(source: Variant, destination: Variant, series: string): Alignment {
  const set = { Patient: {}, Study: {}, Series: {} } as Record<
    (typeof LEVELS)[number],
    Record<string, unknown>
  >;
  const remove = { Patient: [], Study: [], Series: [] } as Record<(typeof LEVELS)[number], string[]>;
  const keywords: string[] = [];
  const refused: string[] = [];
  for (const [level, keyword] of keywordsOf([source, destination], series)) {
    const from = valueAt(source, series, level, keyword);
    const to = valueAt(destination, series, level, keyword);
    if (sameExactly(from, to)) continue;
    keywords.push(keyword);
    if (!isAlignable(keyword, [from, to])) refused.push(keyword);
    else if (to === undefined) remove[level].push(keyword);
    else set[level][keyword] = to;
  }
  return { edits: { set, remove }, keywords, refused };
}

const sameExactly = (a: unknown, b: unknown) => exact(a) === exact(b);

/** Instances on both sides that are not proven to be the same: equal frame checksums and equal canonical dataset. */
export function conflictsWith(
  held: ReadonlyMap<string, InstanceEntry>,
  instances: Readonly<Record<string, InstanceEntry>>,
): string[] {
  return Object.entries(instances)
    .filter(([sop, instance]) => {
      const other = held.get(sop);
      return other !== undefined && instanceForm(other) !== instanceForm(instance);
    })
    .map(([sop]) => sop);
}

/** Of the encoding, not of the content: group 0002 and the transfer syntax. */
const ENCODING =
  /^(FileMetaInformation|MediaStorage|Implementation|SourceApplicationEntityTitle|TransferSyntaxUID)/;

/** What must be equal for two instances to be one. */
export function instanceForm({ DICOM, DICOMVRs, ImageFrames }: InstanceEntry): string {
  const content = Object.fromEntries(Object.entries(DICOM).filter(([keyword]) => !ENCODING.test(keyword)));
  const frames = (ImageFrames ?? []).map((frame) => frame.PixelDataChecksumFromBaseToFullResolution?.at(-1));
  return exact([content, DICOMVRs ?? {}, frames]);
}

/** Requests within the quotas; undefined when one instance alone has too many frames. */
export function cutCopies(added: readonly [string, InstanceEntry][]): string[][] | undefined {
  const copies: string[][] = [];
  let copy: string[] = [];
  let frames = 0;
  for (const [sop, instance] of added) {
    const more = instance.ImageFrames?.length ?? 0;
    if (more > MERGE_LIMITS.framesPerCopy) return undefined;
    const isFull = frames + more > MERGE_LIMITS.framesPerCopy || copy.length >= MERGE_LIMITS.instancesPerCopy;
    if (isFull && copy.length > 0) {
      copies.push(copy);
      copy = [];
      frames = 0;
    }
    copy.push(sop);
    frames += more;
  }
  return copy.length > 0 ? [...copies, copy] : copies;
}

/** Keywords in which the sets differ beyond spelling. */
export function differingKeywords(variants: readonly Variant[], series: string): string[] {
  return keywordsOf(variants, series)
    .filter(([level, keyword]) => {
      const values = variants.map((variant) => valueAt(variant, series, level, keyword));
      if (new Set(values.map((value) => firmForm(keyword, value))).size > 1) return true;
      const parts = values.map((value) => looseForm(keyword, value));
      return (parts[0] ?? []).some(
        (_, i) => new Set(parts.map((p) => p[i]).filter((part) => part !== '')).size > 1,
      );
    })
    .map(([, keyword]) => keyword);
}
