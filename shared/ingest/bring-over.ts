/** One source of a merge: its levels made those of the destination, then what the destination lacks copied into it. */
import type { ImageSet, ImageSetMetadata } from '../ports/imaging-service.ts';
import { alignmentOf, type MergeSource, type Variant } from './merge-decision.ts';
import type { MergeDeps, MergeJournal } from './merge-journal.ts';
import { afterFailure, isGivenUp, type Stepped } from './merge-step.ts';

export type SourceOfMerge = MergeSource & { readonly isForced: boolean };

/** `to`: the destination's document, as it stands. Looks at the source only when something of it is lacking. */
export async function bringOver(
  deps: MergeDeps,
  journal: MergeJournal,
  source: SourceOfMerge,
  destination: ImageSet,
  to: ImageSetMetadata,
): Promise<Stepped> {
  const series = journal.seriesInstanceUID;
  if (!lackingIn(to, source, series)) return 'done';
  const imageSet = await deps.imaging.imageSet(source.imageSetId);
  if (!imageSet) return 'done';
  if (imageSet.state === 'LOCKED') return 'wait';
  const { isForced } = source;
  const { edits, keywords, refused } = isForced
    ? ALIGNED
    : alignmentOf(asVariant(await deps.imaging.metadata(source.imageSetId)), asVariant(to), series);
  if (refused.length > 0) return afterFailure(`${refused.join(', ')}: changed since the decision`);
  if (keywords.length > 0) {
    if (isGivenUp(imageSet, 'UPDATE_FAILED', journal))
      return afterFailure('the service refused to align the metadata');
    await deps.imaging.update(imageSet, series, edits);
    return 'wait';
  }
  return copyOver(deps, journal, source, imageSet, destination, to);
}

/** The copying alone, where the levels are equal, or the destination's stand. */
export async function copyOver(
  deps: MergeDeps,
  journal: MergeJournal,
  source: SourceOfMerge,
  imageSet: ImageSet,
  destination: ImageSet,
  to: ImageSetMetadata,
): Promise<Stepped> {
  const series = journal.seriesInstanceUID;
  const sops = lackingIn(to, source, series);
  if (!sops) return 'done';
  if (isGivenUp(destination, 'COPY_FAILED', journal)) return afterFailure('the service refused to copy');
  await deps.imaging.copy(imageSet, destination, series, sops, { force: source.isForced });
  return 'wait';
}

/** What the next request takes: of one of the planned copies, what the destination does not list. */
function lackingIn(to: ImageSetMetadata, { copies }: MergeSource, series: string): string[] | undefined {
  const listed = to.Study.Series[series]?.Instances ?? {};
  const copy = copies.find((sops) => sops.some((sop) => listed[sop] === undefined));
  return copy?.filter((sop) => listed[sop] === undefined);
}

const ALIGNED: ReturnType<typeof alignmentOf> = {
  edits: { set: { Patient: {}, Study: {}, Series: {} }, remove: { Patient: [], Study: [], Series: [] } },
  keywords: [],
  refused: [],
};

const asVariant = (metadata: ImageSetMetadata): Variant => ({
  imageSetId: '',
  isPrimary: false,
  createdAt: '',
  isProven: true,
  metadata,
});
