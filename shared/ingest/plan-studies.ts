/** What PlanImport knows of one study: its aggregate in this upload, the ledgers, and what the data store holds of it. */
import { concurrently } from './concurrently.ts';
import { decideIdentities, type IdentityDecision } from './decide-identities.ts';
import { type Identity, identityDigest, patientKey } from './identity.ts';
import { type LedgerEntry, readSeries, readStudy, type SeriesLedger, type StudyLedger } from './ledger.ts';
import { exists } from './ndjson.ts';
import { identityOf, patientDecisionOf } from './patient-decisions.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import type { Candidate, StageLine } from './plan-lines.ts';
import type { AdoptedInstance, BatchFill, KnownInstance } from './plan-series.ts';
import { type Resolution, readResolution } from './resolutions.ts';
import { isSameUpload } from './uploads.ts';
import { workKeys } from './work-keys.ts';

/** One study of the upload, counted over its sorted lines. */
export interface StudyAggregate {
  readonly study: string;
  readonly series: ReadonlyMap<string, BatchFill>;
  readonly identities: readonly { readonly identity: Identity; readonly instances: number }[];
}

/** Studies in the order of the sorted candidates; memory holds one study's series and identities, not its objects. */
export async function* aggregateStudies(
  candidates: AsyncIterable<Candidate>,
): AsyncGenerator<StudyAggregate> {
  let study: string | undefined;
  let series = new Map<string, BatchFill>();
  let identities = new Map<string, { identity: Identity; instances: number }>();
  for await (const candidate of candidates) {
    if (study !== undefined && candidate.study !== study) {
      yield { study, series, identities: [...identities.values()] };
      series = new Map();
      identities = new Map();
    }
    study = candidate.study;
    const fill = series.get(candidate.series) ?? { files: 0, bytes: 0 };
    series.set(candidate.series, { files: fill.files + 1, bytes: fill.bytes + candidate.sizeBytes });
    const digest = identityDigest(candidate.identity);
    const known = identities.get(digest);
    identities.set(digest, { identity: candidate.identity, instances: (known?.instances ?? 0) + 1 });
  }
  if (study !== undefined) yield { study, series, identities: [...identities.values()] };
}

/** A study with all that decides about its objects. */
export interface StudyContext extends StudyAggregate {
  readonly decisions: ReadonlyMap<string, IdentityDecision>;
  /** What is known of an instance outside of this upload; asks the data store only where the ledger has an entry. */
  known(candidate: Candidate): Promise<KnownInstance>;
}

export async function loadStudy(
  deps: PipelineDeps,
  aggregate: StudyAggregate,
  adopted: ReadonlyMap<string, AdoptedInstance>,
  isUnreported: (executionId: string | undefined) => Promise<boolean>,
): Promise<StudyContext> {
  const studyLedger = await readStudy(deps, aggregate.study);
  const ledgers = new Map<string, SeriesLedger>();
  await concurrently([...aggregate.series.keys()], 16, async (series) => {
    const ledger = await readSeries(deps, series);
    if (ledger) ledgers.set(series, ledger);
  });
  const foreign = await foreignImageSets(deps, aggregate.study, studyLedger, ledgers);
  const stored = [
    ...(studyLedger?.identities ?? []),
    ...[...ledgers.values()].flatMap((ledger) => ledger.identities),
    ...foreign.map((set) => set.identity),
  ];
  // Asked for only where there is more than one identity to decide about.
  const mayDiffer = new Set(
    [...stored, ...aggregate.identities.map(({ identity }) => identity)].map(patientKey),
  );
  const human = mayDiffer.size > 1 ? await patientDecisionOf(deps, aggregate.study) : undefined;
  const liveInstances = instancesOfLiveSets(deps);
  const replaceable = replaceableInstances(deps);
  return {
    ...aggregate,
    decisions: decideIdentities(stored, aggregate.identities, deps.settings.constraintProfile, human),
    known: async ({ series, sop, sizeBytes }) => {
      const inBatch = adopted.get(instanceKey(series, sop));
      const entry = await liveEntry(ledgers.get(series)?.instances[sop], series, sop, liveInstances);
      const isForeign = foreign.some((set) => set.instances.has(instanceKey(series, sop)));
      // Asked for only where something is in the way.
      const mayReplace =
        entry || isForeign ? replacementBy({ sop, sizeBytes }, await replaceable(series)) : undefined;
      return {
        ...(entry ? { entry, isUnreported: await isUnreported(entry.by) } : {}),
        ...(inBatch ? { adopted: inBatch } : {}),
        ...(mayReplace ? { mayReplace } : {}),
        isForeign,
      };
    },
  };
}

export const instanceKey = (series: string, sop: string): string => `${series}\u0001${sop}`;

async function liveEntry(
  entry: LedgerEntry | undefined,
  series: string,
  sop: string,
  instances: (imageSetId: string) => Promise<ReadonlySet<string>>,
): Promise<LedgerEntry | undefined> {
  if (!entry) return undefined;
  return (await instances(entry.imageSetId)).has(instanceKey(series, sop)) ? entry : undefined;
}

/** Instances that an image set lists now; none when it is deleted. Each image set is asked once. */
function instancesOfLiveSets(deps: PipelineDeps) {
  const asked = new Map<string, Promise<ReadonlySet<string>>>();
  const ask = async (imageSetId: string): Promise<ReadonlySet<string>> => {
    const imageSet = await deps.imaging.imageSet(imageSetId);
    if (!imageSet || imageSet.state === 'DELETED') return new Set();
    const metadata = await deps.imaging.metadata(imageSetId);
    return instancesListed(metadata.Study.Series);
  };
  return (imageSetId: string) => {
    const answer = asked.get(imageSetId) ?? ask(imageSetId);
    asked.set(imageSetId, answer);
    return answer;
  };
}

/**
 * Whether an execution was an earlier one of this upload that planned and then ended without a report. Each is asked once;
 * one whose files have expired has reported long ago.
 */
export function unreportedExecutions(deps: PipelineDeps, executionId: string) {
  const asked = new Map<string, Promise<boolean>>();
  const { workBucket } = deps.settings;
  const has = (key: string) => exists(deps.objects, workBucket, key);
  const ask = async (other: string) =>
    (await has(workKeys.plan(other))) && !(await has(workKeys.report(other)));
  return async (other: string | undefined): Promise<boolean> => {
    if (other === undefined || other === executionId || !isSameUpload(other, executionId)) return false;
    const answer = asked.get(other) ?? ask(other);
    asked.set(other, answer);
    return answer;
  };
}

type Replacements = NonNullable<Resolution['replace']>;

/** What instances of a series may be replaced by, as a person decided. Each series is asked once. */
function replaceableInstances(deps: PipelineDeps) {
  const asked = new Map<string, Promise<Replacements>>();
  return (series: string) => {
    const answer = asked.get(series) ?? readResolution(deps, series).then((found) => found?.replace ?? []);
    asked.set(series, answer);
    return answer;
  };
}

/** Whether it may be the content that was decided for; its bytes tell, once they are copied. Pure. */
function replacementBy(
  { sop, sizeBytes }: Pick<Candidate, 'sop' | 'sizeBytes'>,
  allowed: Replacements,
): StageLine['replaces'] {
  for (const one of allowed) {
    if (one === sop) return {};
    if (typeof one !== 'string' && one.sop === sop && one.sizeBytes === sizeBytes)
      return { sha256: one.sha256 };
  }
  return undefined;
}

type SeriesOfMetadata = Readonly<Record<string, { readonly Instances: Readonly<Record<string, unknown>> }>>;

const instancesListed = (series: SeriesOfMetadata): Set<string> =>
  new Set(
    Object.entries(series).flatMap(([uid, { Instances }]) =>
      Object.keys(Instances).map((sop) => instanceKey(uid, sop)),
    ),
  );

/** Image sets of the study that the ledgers do not know: whose they are, and what they hold. */
async function foreignImageSets(
  deps: PipelineDeps,
  study: string,
  studyLedger: StudyLedger | undefined,
  ledgers: ReadonlyMap<string, SeriesLedger>,
): Promise<{ identity: Identity; instances: Set<string> }[]> {
  const ours = new Set(Object.values(studyLedger?.imageSets ?? {}).flat());
  for (const ledger of ledgers.values())
    for (const entry of Object.values(ledger.instances)) ours.add(entry.imageSetId);
  const foreign: { identity: Identity; instances: Set<string> }[] = [];
  for await (const { imageSetId } of deps.imaging.searchImageSets({ studyInstanceUID: study })) {
    if (ours.has(imageSetId)) continue;
    const { Patient, Study } = await deps.imaging.metadata(imageSetId);
    foreign.push({ identity: identityOf(Patient.DICOM), instances: instancesListed(Study.Series) });
  }
  return foreign;
}
