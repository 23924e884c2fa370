/**
 * MergeVariants, and what has to be done series by series once the frames are proven: the ledger learns what is settled,
 * the report learns of the image sets, and several image sets of one series are reported with the keywords they differ in.
 */
import { concurrently } from './concurrently.ts';
import { sha256 } from './digest.ts';
import { patientKey } from './identity.ts';
import { markVerified, readSeries, type SeriesLedger } from './ledger.ts';
import { exists, writeOnce } from './ndjson.ts';
import { patientDecisionOf, standingIdentity } from './patient-decisions.ts';
import type { ExecutionRef, PipelineDeps } from './pipeline-deps.ts';
import type { ImageSetReport, MergeReport } from './report.ts';
import { readResolution } from './resolutions.ts';
import { resultLines } from './shards.ts';
import { variantKeywords } from './variants.ts';
import type { VerifiedLine } from './verify-lines.ts';
import { workKeys } from './work-keys.ts';

export interface Merges {
  readonly merges: readonly MergeReport[];
  readonly imageSets: readonly ImageSetReport[];
}

/** Series looked at at once, within the service's rates. */
const SERIES_AT_ONCE = 8;

/** Safe to repeat: marks are idempotent, the result is written once. */
export async function mergeVariants(deps: PipelineDeps, request: ExecutionRef): Promise<void> {
  const { workBucket } = deps.settings;
  const key = workKeys.merges(request.executionId);
  if (await exists(deps.objects, workBucket, key)) return;
  const merges: MergeReport[] = [];
  const imageSets: ImageSetReport[] = [];
  const forMerging = new Set<string>();
  let waiting: VerifiedLine[][] = [];
  const settle = async () => {
    const settled = await concurrently(waiting, SERIES_AT_ONCE, (lines) =>
      settleSeries(deps, request.executionId, lines),
    );
    waiting = [];
    for (const series of settled) {
      imageSets.push(...series.imageSets);
      if (series.isForMerging) forMerging.add(series.seriesInstanceUID);
      // In `auto` the variants are for MergeSeries, and the report has them from there; but for those kept apart.
      if (series.merge && !series.isReportedByMerge) merges.push(series.merge);
    }
  };
  for await (const lines of bySeries(deps, request.executionId)) {
    waiting.push(lines);
    if (waiting.length >= SERIES_AT_ONCE) await settle();
  }
  await settle();
  const list = [...forMerging].map((series) => mergeItem(request.executionId, series));
  await writeOnce(deps.objects, workBucket, workKeys.mergeList(request.executionId), JSON.stringify(list));
  const result: Merges = { merges, imageSets };
  await writeOnce(deps.objects, workBucket, key, JSON.stringify(result));
}

/** An item of MergeSeries; `name` is that of the nested execution. */
export interface MergeItem {
  readonly seriesInstanceUID: string;
  readonly name: string;
}

const mergeItem = (executionId: string, seriesInstanceUID: string): MergeItem => ({
  seriesInstanceUID,
  name: `${executionId}-m-${sha256(seriesInstanceUID).slice(0, 16)}`,
});

/** The results of VerifyFrames, a series at a time: they were planned in that order. */
async function* bySeries(deps: PipelineDeps, executionId: string): AsyncGenerator<VerifiedLine[]> {
  const shardDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  let lines: VerifiedLine[] = [];
  for await (const line of resultLines<VerifiedLine>(shardDeps, executionId, 'verify')) {
    if (lines.length > 0 && lines[0]?.series !== line.series) {
      yield lines;
      lines = [];
    }
    lines.push(line);
  }
  if (lines.length > 0) yield lines;
}

interface SettledSeries {
  readonly seriesInstanceUID: string;
  readonly imageSets: readonly ImageSetReport[];
  readonly merge?: MergeReport;
  /** MergeSeries has something to do. */
  readonly isForMerging: boolean;
  /** Its outcome tells of the variants. */
  readonly isReportedByMerge: boolean;
}

async function settleSeries(
  deps: PipelineDeps,
  executionId: string,
  lines: readonly VerifiedLine[],
): Promise<SettledSeries> {
  const { series, study } = lines[0]!;
  await markVerified(deps, series, settledInstances(lines), executionId);
  const imageSets: ImageSetReport[] = [];
  for (const imageSetId of new Set(lines.map((line) => line.imageSetId))) {
    const ofSet = lines.filter((line) => line.imageSetId === imageSetId);
    imageSets.push(await describeImageSet(deps, imageSetId, ofSet));
  }
  const ledger = await readSeries(deps, series);
  const merge =
    deps.settings.merge === 'off' ? undefined : await reportVariants(deps, series, ledger?.retired ?? {});
  const isReportedByMerge = deps.settings.merge === 'auto' && merge?.outcome === 'reported';
  return {
    seriesInstanceUID: series,
    imageSets,
    ...(merge ? { merge } : {}),
    isForMerging: isReportedByMerge || (await isDecidedUpon(deps, study, ledger)),
    isReportedByMerge,
  };
}

/** Whether a person's decision asks for something in this series, whatever `merge` is: see decided-edits.ts. */
async function isDecidedUpon(
  deps: PipelineDeps,
  study: string,
  ledger: SeriesLedger | undefined,
): Promise<boolean> {
  const retired = ledger?.retired ?? {};
  const isReplacing = Object.values(ledger?.instances ?? {}).some(({ replaces }) =>
    replaces?.some((imageSetId) => retired[imageSetId] === undefined),
  );
  if (isReplacing) return true;
  const decision = await patientDecisionOf(deps, study);
  return (ledger?.identities ?? []).some(
    (identity) => patientKey(standingIdentity(decision, identity)) !== patientKey(identity),
  );
}

/** Instances of which every part is as it must be. */
function settledInstances(
  lines: readonly VerifiedLine[],
): Record<string, { sha256: string; imageSetId: string }> {
  const bad = new Set(lines.filter((line) => line.code).map((line) => line.sop));
  return Object.fromEntries(
    lines
      .filter((line) => !bad.has(line.sop))
      .map(({ sop, sha256, imageSetId }) => [sop, { sha256, imageSetId }]),
  );
}

async function describeImageSet(
  deps: PipelineDeps,
  imageSetId: string,
  lines: readonly VerifiedLine[],
): Promise<ImageSetReport> {
  const imageSet = await deps.imaging.imageSet(imageSetId);
  const [first] = lines;
  return {
    imageSetId,
    version: imageSet?.versionId ?? '',
    isPrimary: imageSet?.isPrimary ?? false,
    studyInstanceUID: first?.study ?? '',
    seriesInstanceUID: first?.series ?? '',
    modality: first?.modality ?? '',
    instances: new Set(lines.map((line) => line.sop)).size,
    frames: lines.reduce((sum, line) => sum + line.counts.expected, 0),
    verified: lines.reduce((sum, line) => sum + line.counts.verified, 0),
  };
}

/** Several image sets of one series, with the keywords in which their normalised elements differ; never the values. */
async function reportVariants(
  deps: PipelineDeps,
  seriesInstanceUID: string,
  retired: Readonly<Record<string, string>>,
): Promise<MergeReport | undefined> {
  const ids: string[] = [];
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID }))
    if (retired[imageSetId] === undefined) ids.push(imageSetId);
  if (ids.length < 2) return undefined;
  const resolution = await readResolution(deps, seriesInstanceUID);
  ids.sort();
  const variants = await Promise.all(ids.map((imageSetId) => deps.imaging.metadata(imageSetId)));
  const [destination = '', ...sources] = await byPrimary(deps, ids);
  const instances = variants.reduce(
    (sum, { Study }) => sum + Object.keys(Study.Series[seriesInstanceUID]?.Instances ?? {}).length,
    0,
  );
  return {
    seriesInstanceUID,
    ...(resolution?.keepApart
      ? { outcome: 'keptApart', reason: 'a person decided to keep them apart' }
      : { outcome: 'reported', reason: 'merging is set to report only' }),
    keywords: variantKeywords(variants, seriesInstanceUID),
    sources,
    destination,
    instances,
  };
}

/** The primary first, where there is one. */
async function byPrimary(deps: PipelineDeps, ids: readonly string[]): Promise<string[]> {
  const sets = await Promise.all(ids.map((imageSetId) => deps.imaging.imageSet(imageSetId)));
  const primary = sets.find((set) => set?.isPrimary)?.imageSetId;
  return primary === undefined ? [...ids] : [primary, ...ids.filter((id) => id !== primary)];
}
