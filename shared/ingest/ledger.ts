/**
 * The series ledger and the study ledger (design section 3): the one truth about what was imported, by whom it is and
 * where it lies. Written conditionally, merged with what another wrote meanwhile.
 */
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import type { Identity } from './identity.ts';
import { identityDigest } from './identity.ts';
import { readJson } from './ndjson.ts';
import { workKeys } from './work-keys.ts';

export interface LedgerEntry {
  readonly sizeBytes: number;
  /** SHA-256 of the bytes. */
  readonly sha256: string;
  /** Of the canonical dataset. */
  readonly datasetDigest: string;
  readonly imageSetId: string;
  /** `verified`: proven, or accepted with `proof: none`. Only then is a re-send a duplicate. */
  readonly state: 'imported' | 'verified';
  readonly frames: number;
  /** Key in the work bucket of the copy that was imported, there until its retention ends. Absent in old entries. */
  readonly staged?: string;
  /** HealthImaging imported it with warnings: it may have no frames. */
  readonly warned?: true;
  /** Image sets that hold an earlier content under this UID, which gave way to this one by a person's decision. */
  readonly replaces?: readonly string[];
  /** The execution that accounts for it: the one that imported it, or proved it again. */
  readonly by?: string;
}

export interface SeriesLedger {
  readonly studyInstanceUID: string;
  readonly seriesInstanceUID: string;
  /** Digest of the identities, sorted. */
  readonly identityDigest: string;
  /** Distinct identities in their spellings. */
  readonly identities: readonly Identity[];
  readonly instances: Readonly<Record<string, LedgerEntry>>;
  /** Image sets whose instances were merged into another one, and that wait for their deletion. */
  readonly retired?: Readonly<Record<string, string>>;
}

export interface StudyLedger {
  readonly studyInstanceUID: string;
  readonly identities: readonly Identity[];
  /** Image sets known to come from us, by series. */
  readonly imageSets: Readonly<Record<string, readonly string[]>>;
}

export interface LedgerDeps {
  readonly objects: ObjectStore;
  readonly settings: { readonly workBucket: string; readonly datastoreId: string };
}

/** Another writer was faster again and again; worth repeating the step. */
export class LedgerBusy extends Error {
  override readonly name = 'LedgerBusy';
}

export const readSeries = async (
  deps: LedgerDeps,
  seriesInstanceUID: string,
): Promise<SeriesLedger | undefined> =>
  (
    await readJson<SeriesLedger>(
      deps.objects,
      deps.settings.workBucket,
      workKeys.seriesLedger(deps.settings.datastoreId, seriesInstanceUID),
    )
  )?.value;

export const readStudy = async (
  deps: LedgerDeps,
  studyInstanceUID: string,
): Promise<StudyLedger | undefined> =>
  (
    await readJson<StudyLedger>(
      deps.objects,
      deps.settings.workBucket,
      workKeys.studyLedger(deps.settings.datastoreId, studyInstanceUID),
    )
  )?.value;

/** Reads, changes, writes where nobody wrote meanwhile, else again. `change` gives undefined to leave it as it is. */
async function update<T>(
  deps: LedgerDeps,
  key: string,
  change: (current: T | undefined) => T | undefined,
): Promise<void> {
  const location = { bucket: deps.settings.workBucket, key };
  for (let tries = 0; tries < 10; tries++) {
    const found = await readJson<T>(deps.objects, location.bucket, key);
    const next = change(found?.value);
    if (next === undefined) return;
    try {
      await deps.objects.write(
        location,
        JSON.stringify(next),
        found ? { ifMatch: found.etag } : { ifNoneMatch: '*' },
      );
      return;
    } catch (error) {
      if (!(error instanceof PreconditionFailed || error instanceof NoSuchObject)) throw error;
    }
  }
  throw new LedgerBusy(
    'a ledger object: expected to write it within ten tries, got another writer each time',
  );
}

/** Adds instances to a series. An instance that is there already keeps a `verified` state for the same bytes. */
export async function recordInstances(
  deps: LedgerDeps,
  series: { readonly studyInstanceUID: string; readonly seriesInstanceUID: string },
  identities: readonly Identity[],
  instances: Readonly<Record<string, LedgerEntry>>,
): Promise<void> {
  const key = workKeys.seriesLedger(deps.settings.datastoreId, series.seriesInstanceUID);
  await update<SeriesLedger>(deps, key, (current) => {
    const all = distinctIdentities([...(current?.identities ?? []), ...identities]);
    return {
      ...current,
      studyInstanceUID: series.studyInstanceUID,
      seriesInstanceUID: series.seriesInstanceUID,
      identityDigest: all.map(identityDigest).join('+'),
      identities: all,
      instances: { ...current?.instances, ...keepingProofs(current?.instances ?? {}, instances) },
    };
  });
}

function keepingProofs(
  current: Readonly<Record<string, LedgerEntry>>,
  added: Readonly<Record<string, LedgerEntry>>,
): Record<string, LedgerEntry> {
  const merged: Record<string, LedgerEntry> = {};
  for (const [uid, entry] of Object.entries(added)) {
    const known = current[uid];
    const isSame = known?.sha256 === entry.sha256 && known.imageSetId === entry.imageSetId;
    merged[uid] = isSame ? known : { ...entry, ...replacedBy(entry, known) };
  }
  return merged;
}

/** An entry that replaces another knows where the earlier content still lies, unless it was overwritten. */
function replacedBy(entry: LedgerEntry, known: LedgerEntry | undefined): Pick<LedgerEntry, 'replaces'> {
  if (!entry.replaces || !known) return {};
  const sets = [known.imageSetId, ...(known.replaces ?? [])].filter((id) => id !== entry.imageSetId);
  return { replaces: [...new Set(sets)].sort() };
}

/** Adds to a study whose patient it holds and which image sets of its series are ours. */
export async function recordStudy(
  deps: LedgerDeps,
  studyInstanceUID: string,
  identities: readonly Identity[],
  imageSets: Readonly<Record<string, readonly string[]>>,
): Promise<void> {
  const key = workKeys.studyLedger(deps.settings.datastoreId, studyInstanceUID);
  await update<StudyLedger>(deps, key, (current) => {
    const merged: Record<string, readonly string[]> = { ...current?.imageSets };
    for (const [series, ids] of Object.entries(imageSets))
      merged[series] = [...new Set([...(merged[series] ?? []), ...ids])].sort();
    return {
      studyInstanceUID,
      identities: distinctIdentities([...(current?.identities ?? []), ...identities]),
      imageSets: merged,
    };
  });
}

/** Marks instances as settled by an execution, where the ledger still holds these very bytes in this image set. */
export async function markVerified(
  deps: LedgerDeps,
  seriesInstanceUID: string,
  proven: Readonly<Record<string, { readonly sha256: string; readonly imageSetId: string }>>,
  by: string,
): Promise<void> {
  const key = workKeys.seriesLedger(deps.settings.datastoreId, seriesInstanceUID);
  await update<SeriesLedger>(deps, key, (current) => {
    if (!current) return undefined;
    const instances: Record<string, LedgerEntry> = { ...current.instances };
    let isChanged = false;
    for (const [uid, proof] of Object.entries(proven)) {
      const entry = instances[uid];
      if (entry?.sha256 !== proof.sha256 || entry.imageSetId !== proof.imageSetId) continue;
      if (entry.state === 'verified' && entry.by === by) continue;
      instances[uid] = { ...entry, state: 'verified', by };
      isChanged = true;
    }
    return isChanged ? { ...current, instances } : undefined;
  });
}

/** After a merge: the destination holds what its sources held. */
export async function repointInstances(
  deps: LedgerDeps,
  seriesInstanceUID: string,
  before: Readonly<Record<string, { readonly instances: Readonly<Record<string, string>> }>>,
  merge: { readonly destination: string; readonly sources: readonly { readonly imageSetId: string }[] },
): Promise<void> {
  const key = workKeys.seriesLedger(deps.settings.datastoreId, seriesInstanceUID);
  const sources = new Set(merge.sources.map((source) => source.imageSetId));
  const moved = new Set([...sources].flatMap((id) => Object.keys(before[id]?.instances ?? {})));
  await update<SeriesLedger>(deps, key, (current) => {
    if (!current) return undefined;
    const instances: Record<string, LedgerEntry> = { ...current.instances };
    let isChanged = false;
    for (const sop of moved) {
      const entry = instances[sop];
      if (!entry || !sources.has(entry.imageSetId)) continue;
      instances[sop] = { ...entry, imageSetId: merge.destination };
      isChanged = true;
    }
    const retired = { ...current.retired };
    for (const source of sources) {
      if (retired[source] === merge.destination) continue;
      retired[source] = merge.destination;
      isChanged = true;
    }
    return isChanged ? { ...current, instances, retired } : undefined;
  });
}

/** After an undo: the sources hold again what they held. */
export async function restoreSources(
  deps: LedgerDeps,
  seriesInstanceUID: string,
  before: Readonly<Record<string, { readonly instances: Readonly<Record<string, string>> }>>,
  merge: { readonly destination: string; readonly sources: readonly { readonly imageSetId: string }[] },
): Promise<void> {
  const key = workKeys.seriesLedger(deps.settings.datastoreId, seriesInstanceUID);
  await update<SeriesLedger>(deps, key, (current) => {
    if (!current) return undefined;
    const instances: Record<string, LedgerEntry> = { ...current.instances };
    const retired = { ...current.retired };
    for (const { imageSetId } of merge.sources) {
      delete retired[imageSetId];
      for (const sop of Object.keys(before[imageSetId]?.instances ?? {})) {
        const entry = instances[sop];
        const wasThere = before[merge.destination]?.instances[sop] !== undefined;
        if (entry?.imageSetId === merge.destination && !wasThere) instances[sop] = { ...entry, imageSetId };
      }
    }
    return { ...current, instances, retired };
  });
}

export function distinctIdentities(identities: readonly Identity[]): Identity[] {
  const byDigest = new Map(identities.map((identity) => [identityDigest(identity), identity]));
  return [...byDigest.keys()].sort().map((digest) => byDigest.get(digest) as Identity);
}
