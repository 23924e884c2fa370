/** The durable state of one server: database, blobs, page tokens and the access to each kind of record. */
import { join } from 'node:path';
import { type Blobs, openBlobs } from './blobs.ts';
import { type Database, del, type Operation, openDatabase, put } from './database.ts';
import { below, keyOf } from './keys.ts';
import { openPageTokens, type PageTokens } from './page-tokens.ts';
import type { DatastoreRecord, FrameRecord, ImageSetRecord, JobRecord, VersionRecord } from './records.ts';
import { openSearch, type Search } from './search.ts';
import { reindex } from './search-index.ts';

export interface Store {
  readonly database: Database;
  readonly blobs: Blobs;
  readonly tokens: PageTokens;
  readonly search: Search;
  datastore(datastoreId: string): Promise<DatastoreRecord | undefined>;
  job(datastoreId: string, jobId: string): Promise<JobRecord | undefined>;
  imageSet(datastoreId: string, imageSetId: string): Promise<ImageSetRecord | undefined>;
  version(datastoreId: string, imageSetId: string, version: number): Promise<VersionRecord | undefined>;
  frame(datastoreId: string, imageSetId: string, frameId: string): Promise<FrameRecord | undefined>;
  /** Primary image sets of a study: series UID to image set id. */
  primaries(datastoreId: string, studyInstanceUID: string): Promise<Map<string, string>>;
  close(): Promise<void>;
}

export async function openStore(dataDir: string, options: { fsync: boolean }): Promise<Store> {
  const database = await openDatabase(join(dataDir, 'database'));
  const blobs = await openBlobs(join(dataDir, 'blobs'), options);
  const search = openSearch(database);
  return {
    database,
    blobs,
    search,
    tokens: await openPageTokens(database),
    datastore: (datastoreId) => database.get(keyOf('datastore', datastoreId)),
    job: (datastoreId, jobId) => database.get(keyOf('job', datastoreId, jobId)),
    imageSet: (datastoreId, imageSetId) => database.get(keyOf('set', datastoreId, imageSetId)),
    version: (datastoreId, imageSetId, version) =>
      database.get(keyOf('version', datastoreId, imageSetId, version)),
    frame: (datastoreId, imageSetId, frameId) =>
      database.get(keyOf('frame', datastoreId, imageSetId, frameId)),
    async primaries(datastoreId, studyInstanceUID) {
      const found = new Map<string, string>();
      const range = below('primary', datastoreId, studyInstanceUID);
      for await (const [key, imageSetId] of database.entries<string>(range)) {
        found.set(key.slice(range.gte.length), imageSetId);
      }
      return found;
    },
    async close() {
      await search.close();
      await database.close();
    },
  };
}

/** The operations that make a version of an image set the one that everybody sees. */
export function putImageSet(
  before: ImageSetRecord | undefined,
  after: ImageSetRecord,
  version: VersionRecord,
): Operation[] {
  const { datastoreId, imageSetId } = after;
  return [
    put(keyOf('set', datastoreId, imageSetId), after),
    put(keyOf('version', datastoreId, imageSetId, version.version), version),
    ...primaryKey(before).map(del),
    ...primaryKey(after).map((key) => put(key, imageSetId)),
    ...reindex(shown(before), shown(after)),
  ];
}

/** The same for a deleted one: it stays readable by its id, and is found by nothing else. */
export function putDeletedImageSet(
  before: ImageSetRecord,
  after: ImageSetRecord,
  version: VersionRecord,
): Operation[] {
  return putImageSet(before, { ...after, isPrimary: false, isHidden: true }, version);
}

/** Notes that an image set uses a blob, so that the blob stays as long as one does. */
export function putUse(
  set: Pick<ImageSetRecord, 'datastoreId' | 'imageSetId'>,
  ...blobs: readonly (string | undefined)[]
): Operation[] {
  return blobs.flatMap((blob) => (blob ? [put(keyOf('use', blob, set.datastoreId, set.imageSetId), 0)] : []));
}

/** Whether any image set uses the blob. */
export async function isUsed(database: Database, blob: string): Promise<boolean> {
  for await (const _ of database.keys({ ...below('use', blob), limit: 1 })) return true;
  return false;
}

const shown = (set: ImageSetRecord | undefined) => (set?.isHidden ? undefined : set);

/** A primary image set is found by its study and series. */
function primaryKey(set: ImageSetRecord | undefined): string[] {
  if (!set?.isPrimary) return [];
  const { DICOMStudyInstanceUID: study = '', DICOMSeriesInstanceUID: series = '' } = set.tags;
  return [keyOf('primary', set.datastoreId, study, series)];
}
