/**
 * The journal of one series' merging: what was decided about its image sets and what each of them held before, written
 * once, before anything is changed. Every later step, and the undo, goes by it.
 */
import type {
  ImageSetEditor,
  ImageSetMetadata,
  ImagingService,
  MetadataEdits,
} from '../ports/imaging-service.ts';
import { readSeries, type SeriesLedger } from './ledger.ts';
import { instanceForm, type KeptApart, type Merge, type Variant } from './merge-decision.ts';
import { readJson, writeOnce } from './ndjson.ts';
import { patientDecisionOf } from './patient-decisions.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { planMerges } from './plan-merges.ts';
import type { MergeReport } from './report.ts';
import { readResolution } from './resolutions.ts';
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

/** What one image set was before: its version, and its instances' forms (dataset and frame checksums). */
export interface Before {
  readonly versionId: string;
  /** SOP Instance UID → what must be kept of it. Superseded instances are not among them. */
  readonly instances: Readonly<Record<string, string>>;
}

export type Superseded = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface MergeJournal {
  readonly seriesInstanceUID: string;
  readonly decidedAt: string;
  readonly merges: readonly Merge[];
  readonly keptApart: readonly KeptApart[];
  readonly before: Readonly<Record<string, Before>>;
  /** By image set: what makes its patient the one that a person decided on. */
  readonly corrections?: Readonly<Record<string, MetadataEdits>>;
  /** By image set: instances, with their forms, that gave way to another content by a person's decision. */
  readonly superseded?: Superseded;
  /** A process carries it out, which holds the leases under this name; otherwise the execution does. */
  readonly heldBy?: string;
  /** The study about whose patients a person decided; an undo withdraws that too. */
  readonly patientsOf?: string;
}

/** What one series' merging ended with, for the report. */
export interface MergeOutcome {
  readonly reports: readonly MergeReport[];
  /** Source → destination. */
  readonly merged: Readonly<Record<string, string>>;
  readonly destinations: readonly { readonly imageSetId: string; readonly versionId: string }[];
  readonly keptApart: readonly KeptApart[];
}

/** The image sets of a series as they stand. */
export interface SeriesVariants {
  /** Without superseded instances. */
  readonly variants: readonly Variant[];
  readonly before: MergeJournal['before'];
  readonly superseded: Superseded;
}

/** Decides, once all sets of the series are at rest; undefined while one is LOCKED. */
export async function journalOf(deps: MergeDeps, request: MergeRequest): Promise<MergeJournal | undefined> {
  const { workBucket } = deps.settings;
  const key = workKeys.mergeJournal(request.executionId, request.seriesInstanceUID);
  const known = await readJson<MergeJournal>(deps.objects, workBucket, key);
  if (known) return known.value;
  const series = request.seriesInstanceUID;
  const found = await readVariants(deps, series);
  if (!found) return undefined;
  const study = String(found.variants[0]?.metadata.Study.DICOM.StudyInstanceUID ?? '');
  const decision = study === '' ? undefined : await patientDecisionOf(deps, study);
  const isKeptApart = (await readResolution(deps, series))?.keepApart !== undefined;
  const isMerging = deps.settings.merge === 'auto' && !isKeptApart;
  const journal: MergeJournal = {
    seriesInstanceUID: series,
    decidedAt: new Date(deps.clock.now()).toISOString(),
    ...planMerges(found.variants, series, decision, isMerging),
    before: found.before,
    superseded: found.superseded,
    ...(decision?.one ? { patientsOf: study } : {}),
  };
  await writeOnce(deps.objects, workBucket, key, JSON.stringify(journal));
  return (await readJson<MergeJournal>(deps.objects, workBucket, key))?.value;
}

/** The image sets of a series that wait for no deletion, as they stand; undefined while one is LOCKED. */
export async function readVariants(deps: MergeDeps, series: string): Promise<SeriesVariants | undefined> {
  const ledger = await readSeries(deps, series);
  const variants: Variant[] = [];
  const before: Record<string, Before> = {};
  const superseded: Record<string, Record<string, string>> = {};
  for await (const { imageSetId } of deps.imaging.searchImageSets({ seriesInstanceUID: series })) {
    if (ledger?.retired?.[imageSetId] !== undefined) continue;
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet) continue;
    if (imageSet.state === 'LOCKED') return undefined;
    const stored = await deps.imaging.metadata(imageSetId, imageSet.versionId);
    const gone = supersededIn(ledger, stored, series, imageSetId);
    const all = instancesIn(stored, series);
    if (gone.length > 0)
      superseded[imageSetId] = Object.fromEntries(gone.map((sop) => [sop, all[sop] ?? '']));
    const metadata = withoutInstances(stored, series, gone);
    const instances = instancesIn(metadata, series);
    const isProven = Object.keys(instances).every((sop) => {
      const entry = ledger?.instances[sop];
      return entry?.state === 'verified' && entry.imageSetId === imageSetId;
    });
    before[imageSetId] = { versionId: imageSet.versionId, instances };
    const { isPrimary, createdAt } = imageSet;
    const replacedBy = gone[0] === undefined ? undefined : ledger?.instances[gone[0]]?.imageSetId;
    variants.push({
      ...{ imageSetId, isPrimary, createdAt, isProven, metadata },
      ...(replacedBy === undefined ? {} : { replacedBy }),
    });
  }
  return { variants, before, superseded };
}

/** Instances whose place another content has taken, which is proven, in another image set. */
function supersededIn(
  ledger: SeriesLedger | undefined,
  { Study }: ImageSetMetadata,
  series: string,
  imageSetId: string,
): string[] {
  return Object.keys(Study.Series[series]?.Instances ?? {}).filter((sop) => {
    const entry = ledger?.instances[sop];
    return (
      entry?.state === 'verified' && entry.imageSetId !== imageSetId && entry.replaces?.includes(imageSetId)
    );
  });
}

function withoutInstances(
  metadata: ImageSetMetadata,
  series: string,
  sops: readonly string[],
): ImageSetMetadata {
  const own = metadata.Study.Series[series];
  if (sops.length === 0 || !own) return metadata;
  const Instances = Object.fromEntries(Object.entries(own.Instances).filter(([sop]) => !sops.includes(sop)));
  const Series = { ...metadata.Study.Series, [series]: { ...own, Instances } };
  return { ...metadata, Study: { ...metadata.Study, Series } };
}

/** SOP Instance UID → what must be kept of the instance. */
export const instancesIn = (metadata: ImageSetMetadata, series: string): Record<string, string> =>
  Object.fromEntries(
    Object.entries(metadata.Study.Series[series]?.Instances ?? {}).map(([sop, instance]) => [
      sop,
      instanceForm(instance),
    ]),
  );
