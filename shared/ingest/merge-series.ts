/**
 * Merging the image sets of one series, a step at a time: each call looks at how things stand in HealthImaging, does the
 * next thing that is missing, and says whether to wait. What was decided is written down first and stands, so that a
 * kill between any two calls leaves something that goes on. Sources are deleted only when the destination is complete.
 */
import {
  type ImageSet,
  type ImageSetEditor,
  type ImageSetMetadata,
  type ImagingService,
  NotConsistentYet,
  NotInDataStore,
  RefusedByService,
  Throttled,
} from '../ports/imaging-service.ts';
import { checkLease, seriesLease } from './leases.ts';
import { readSeries, repointInstances } from './ledger.ts';
import {
  alignmentOf,
  decideMerge,
  instanceForm,
  type KeptApart,
  type Merge,
  type MergeSource,
  type Variant,
} from './merge-decision.ts';
import { readJson, writeOnce } from './ndjson.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { MergeReport } from './report.ts';
import { workKeys } from './work-keys.ts';

export interface MergeDeps extends PipelineDeps {
  readonly imaging: ImagingService & ImageSetEditor;
}

export interface MergeRequest {
  readonly executionId: string;
  readonly seriesInstanceUID: string;
  /** Calls of this step so far; bounds how often something refused is tried again. */
  readonly step: number;
}

export type Advanced =
  | { readonly status: 'waiting'; readonly waitSeconds: number }
  | { readonly status: 'done'; readonly waitSeconds: 0 };

/** The plan of a series' merges and what each set held before: written once, before anything is changed. */
export interface MergeJournal {
  readonly seriesInstanceUID: string;
  readonly decidedAt: string;
  readonly merges: readonly Merge[];
  readonly keptApart: readonly KeptApart[];
  /** By image set: its version and its instances' forms (dataset and frame checksums), as digests of what must be kept. */
  readonly before: Readonly<
    Record<string, { readonly versionId: string; readonly instances: Readonly<Record<string, string>> }>
  >;
}

/** What one series' merging ended with, for the report. */
export interface MergeOutcome {
  readonly reports: readonly MergeReport[];
  /** Source → destination. */
  readonly merged: Readonly<Record<string, string>>;
  readonly destinations: readonly { readonly imageSetId: string; readonly versionId: string }[];
  readonly keptApart: readonly KeptApart[];
}

const WAIT: Advanced = { status: 'waiting', waitSeconds: 1 };
const DONE: Advanced = { status: 'done', waitSeconds: 0 };
/** Steps after which a series that does not come to an end is reported as failed; nothing is deleted then. */
const MAX_STEPS = 400;

/** Milliseconds between two looks within one call: most writes are done in a moment, and a call costs more than a look. */
const LOOKS_MS = [100, 200, 400, 800, 1600, 2000, 2000, 2000] as const;

/** Safe to repeat, and to go on with after a kill. */
export async function advanceMerge(deps: MergeDeps, request: MergeRequest): Promise<Advanced> {
  for (const pauseMs of LOOKS_MS) {
    const advanced = await advanceOnce(deps, request);
    if (advanced.status === 'done' || advanced.waitSeconds > 1) return advanced;
    await deps.clock.sleep(pauseMs);
  }
  return WAIT;
}

async function advanceOnce(deps: MergeDeps, request: MergeRequest): Promise<Advanced> {
  const { workBucket } = deps.settings;
  const outcomeKey = workKeys.mergeOutcome(request.executionId, request.seriesInstanceUID);
  if (await readJson(deps.objects, workBucket, outcomeKey)) return DONE;
  try {
    const journal = await journalOf(deps, request);
    if (!journal) return WAIT;
    let failure = request.step > MAX_STEPS ? 'it did not come to an end' : undefined;
    for (const merge of failure ? [] : journal.merges) {
      const advanced = await advanceOne(deps, request, journal, merge);
      if (advanced === 'wait') return WAIT;
      if (advanced !== 'done') failure = advanced;
    }
    await writeOutcome(deps, request, journal, failure);
    return DONE;
  } catch (error) {
    if (error instanceof Throttled) return { status: 'waiting', waitSeconds: 4 };
    if (error instanceof NotConsistentYet || error instanceof NotInDataStore)
      return { status: 'waiting', waitSeconds: 2 };
    throw error;
  }
}

/** Decides, once all sets of the series are at rest; undefined while one is LOCKED. */
async function journalOf(deps: MergeDeps, request: MergeRequest): Promise<MergeJournal | undefined> {
  const { workBucket } = deps.settings;
  const key = workKeys.mergeJournal(request.executionId, request.seriesInstanceUID);
  const known = await readJson<MergeJournal>(deps.objects, workBucket, key);
  if (known) return known.value;
  const series = request.seriesInstanceUID;
  const found = await readVariants(deps, series);
  if (!found) return undefined;
  const { merges, keptApart } = decideMerge(found.variants, series);
  const decidedAt = new Date(deps.clock.now()).toISOString();
  const { before } = found;
  const journal: MergeJournal = { seriesInstanceUID: series, decidedAt, merges, keptApart, before };
  await writeOnce(deps.objects, workBucket, key, JSON.stringify(journal));
  return (await readJson<MergeJournal>(deps.objects, workBucket, key))?.value;
}

/** The image sets of a series that wait for no deletion, as they stand; undefined while one is LOCKED. */
export async function readVariants(
  deps: MergeDeps,
  series: string,
): Promise<{ variants: Variant[]; before: MergeJournal['before'] } | undefined> {
  const ledger = await readSeries(deps, series);
  const variants: Variant[] = [];
  const before: Record<string, { versionId: string; instances: Record<string, string> }> = {};
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID: series })) {
    if (ledger?.retired?.[imageSetId] !== undefined) continue;
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return undefined;
    const metadata = await deps.imaging.metadata(imageSetId, imageSet.versionId);
    const instances = instancesIn(metadata, series);
    const isProven = Object.keys(instances).every((sop) => {
      const entry = ledger?.instances[sop];
      return entry?.state === 'verified' && entry.imageSetId === imageSetId;
    });
    before[imageSetId] = { versionId: imageSet.versionId, instances };
    variants.push({
      imageSetId,
      isPrimary: imageSet.isPrimary,
      createdAt: imageSet.createdAt,
      isProven,
      metadata,
    });
  }
  return { variants, before };
}

/** SOP Instance UID → what must be kept of the instance. */
export const instancesIn = (metadata: ImageSetMetadata, series: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata.Study.Series[series]?.Instances ?? {}).map(([sop, instance]) => [
      sop,
      instanceForm(instance),
    ]),
  );

/** One destination with its sources: aligns, copies, verifies, deletes; 'wait', 'done', or why it failed. */
async function advanceOne(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  merge: Merge,
): Promise<'wait' | 'done' | string> {
  const series = request.seriesInstanceUID;
  const destination = await deps.imaging.imageSet(merge.destination);
  if (!destination) return 'the destination is gone';
  if (destination.state === 'LOCKED') return 'wait';
  for (const source of merge.sources) {
    const imageSet = await deps.imaging.imageSet(source.imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return 'wait';
    const step = await unlessRefused(() =>
      bringOver(deps, journal, { ...source, isForced: merge.isForced }, imageSet, destination),
    );
    if (step !== 'done') return step;
  }
  const missing = missingIn(journal, merge, await deps.imaging.metadata(merge.destination), series);
  if (missing > 0) return `the destination lacks ${missing} instances as they were`;
  await repointInstances(deps, series, journal.before, merge);
  return retireSources(deps, request, journal, merge);
}

/** A request that the service finds wrong ends the merge; nothing is deleted. */
async function unlessRefused(
  step: () => Promise<'wait' | 'done' | string>,
): Promise<'wait' | 'done' | string> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof RefusedByService) return 'the service refused a request of the merge';
    throw error;
  }
}

/** Aligns the source, then copies what the destination lacks. */
async function bringOver(
  deps: MergeDeps,
  journal: MergeJournal,
  source: MergeSource & { readonly isForced: boolean | undefined },
  imageSet: ImageSet,
  destination: ImageSet,
): Promise<'wait' | 'done' | string> {
  const series = journal.seriesInstanceUID;
  const [from, to] = await Promise.all([
    deps.imaging.metadata(source.imageSetId),
    deps.imaging.metadata(destination.imageSetId),
  ]);
  const listed = to.Study.Series[series]?.Instances ?? {};
  const copy = source.copies.find((sops) => sops.some((sop) => listed[sop] === undefined));
  if (!copy) return 'done';
  const force = source.isForced === true;
  const { edits, keywords, refused } = force ? ALIGNED : alignmentOf(asVariant(from), asVariant(to), series);
  if (refused.length > 0) return `${refused.join(', ')}: changed since the decision`;
  if (keywords.length > 0) {
    if (isRefused(imageSet, 'UPDATE_FAILED', journal)) return 'the service refused to align the metadata';
    await deps.imaging.update(imageSet, series, edits);
    return 'wait';
  }
  if (isRefused(destination, 'COPY_FAILED', journal)) return 'the service refused to copy';
  const sops = copy.filter((sop) => listed[sop] === undefined);
  await deps.imaging.copy(imageSet, destination, series, sops, { force });
  return 'wait';
}

const ALIGNED: ReturnType<typeof alignmentOf> = {
  edits: { set: { Patient: {}, Study: {}, Series: {} }, remove: { Patient: [], Study: [], Series: [] } },
  keywords: [],
  refused: [],
};

/** Versions beyond the decision's that a set may take before a failing write counts as refused. */
const MAX_WRITES = 40;

/** A write failed, and not for the first time: each write, failed or not, takes a version. */
function isRefused(imageSet: ImageSet, failed: string, journal: MergeJournal): boolean {
  const before = Number(journal.before[imageSet.imageSetId]?.versionId ?? 0);
  return imageSet.workflowStatus === failed && Number(imageSet.versionId) - before >= MAX_WRITES;
}

const asVariant = (metadata: ImageSetMetadata): Variant => ({
  imageSetId: '',
  isPrimary: false,
  createdAt: '',
  isProven: true,
  metadata,
});

/** Instances of any side that the destination does not hold as they were: dataset and frame checksums. */
function missingIn(
  journal: MergeJournal,
  merge: Merge,
  destination: ImageSetMetadata,
  series: string,
): number {
  const now = instancesIn(destination, series);
  const sides = [merge.destination, ...merge.sources.map((source) => source.imageSetId)];
  const wanted = sides.flatMap((side) => Object.entries(journal.before[side]?.instances ?? {}));
  return wanted.filter(([sop, form]) => now[sop] !== form).length;
}

/** What a person decided can be undone for a week, whatever the grace of automatic merges is. */
const HUMAN_GRACE_SECONDS = 604_800;

/** With a grace the sources wait for the sweep; without one they go now. */
async function retireSources(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  merge: Merge,
): Promise<'wait' | 'done' | string> {
  const { seriesInstanceUID: series, executionId } = request;
  const leaseDeps = { objects: deps.objects, workBucket: deps.settings.workBucket };
  // A person's decision is no execution: it holds no lease, and deletes nothing before its grace is over.
  if (!merge.isForced) await checkLease(leaseDeps, seriesLease(series), deps.executions.arnOf(executionId));
  if (deps.settings.mergeGraceSeconds === 0 && !merge.isForced) return deleteSources(deps, journal, merge);
  const graceSeconds = Math.max(deps.settings.mergeGraceSeconds, merge.isForced ? HUMAN_GRACE_SECONDS : 0);
  const dueAt = new Date(Date.parse(journal.decidedAt) + graceSeconds * 1000);
  const key = workKeys.dueMerge(dueAt.toISOString(), executionId, series);
  await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify({ executionId, series }));
  return 'done';
}

/** Only sources that hold nothing that the destination lacks; both are read again. */
export async function deleteSources(
  deps: Pick<MergeDeps, 'imaging'>,
  journal: MergeJournal,
  merge: Merge,
): Promise<'wait' | 'done' | string> {
  const series = journal.seriesInstanceUID;
  for (const { imageSetId } of merge.sources) {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return 'wait';
    const [source, destination] = await Promise.all([
      deps.imaging.metadata(imageSetId),
      deps.imaging.metadata(merge.destination),
    ]);
    const kept = instancesIn(destination, series);
    const lost = Object.entries(instancesIn(source, series)).filter(([sop, form]) => kept[sop] !== form);
    if (lost.length > 0) return `the source holds ${lost.length} instances that the destination lacks`;
    if (missingIn(journal, merge, destination, series) > 0) return 'the destination changed';
    await deps.imaging.delete(imageSetId);
    return 'wait';
  }
  return 'done';
}

async function writeOutcome(
  deps: MergeDeps,
  request: MergeRequest,
  journal: MergeJournal,
  failure: string | undefined,
): Promise<void> {
  const { seriesInstanceUID } = request;
  const instancesOf = (imageSetId: string) => Object.keys(journal.before[imageSetId]?.instances ?? {}).length;
  const reports: MergeReport[] = journal.merges.map((merge) => ({
    seriesInstanceUID,
    outcome: failure === undefined ? 'merged' : 'failed',
    reason: failure ?? (merge.keywords.length > 0 ? 'aligned, then merged' : 'the same in all elements'),
    keywords: merge.keywords,
    sources: merge.sources.map((source) => source.imageSetId),
    destination: merge.destination,
    instances: merge.sources.reduce((sum, source) => sum + instancesOf(source.imageSetId), 0),
  }));
  if (journal.keptApart.length > 0) reports.push(keptApartReport(journal, instancesOf));
  const merged: Record<string, string> = {};
  const destinations: { imageSetId: string; versionId: string }[] = [];
  for (const merge of failure === undefined ? journal.merges : []) {
    for (const { imageSetId } of merge.sources) merged[imageSetId] = merge.destination;
    const imageSet = await deps.imaging.imageSet(merge.destination);
    if (imageSet) destinations.push({ imageSetId: merge.destination, versionId: imageSet.versionId });
  }
  const outcome: MergeOutcome = { reports, merged, destinations, keptApart: journal.keptApart };
  const key = workKeys.mergeOutcome(request.executionId, seriesInstanceUID);
  await writeOnce(deps.objects, deps.settings.workBucket, key, JSON.stringify(outcome));
}

function keptApartReport(journal: MergeJournal, instancesOf: (imageSetId: string) => number): MergeReport {
  const apart = journal.keptApart;
  const rest = Object.keys(journal.before).filter((id) => !apart.some((kept) => kept.imageSetId === id));
  return {
    seriesInstanceUID: journal.seriesInstanceUID,
    outcome: 'keptApart',
    reason: [...new Set(apart.map((kept) => kept.reason))].join('; '),
    keywords: [...new Set(apart.flatMap((kept) => kept.keywords))].sort(),
    sources: apart.map((kept) => kept.imageSetId),
    destination: journal.merges[0]?.destination ?? rest.sort()[0] ?? '',
    instances: apart.reduce((sum, kept) => sum + instancesOf(kept.imageSetId), 0),
  };
}
