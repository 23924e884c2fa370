/**
 * One group of files becomes an image set, or a new version of its series' primary, in one atomic batch that also
 * notes where the group went: a job that is run again after a kill finds it and does not import it twice.
 */
import { imageSetEvent } from '../events.ts';
import { derivedId } from '../identifiers.ts';
import {
  type ImageSetDocument,
  type InstanceDocument,
  packDocument,
  tagsOf,
  unpackDocument,
} from '../metadata/document.ts';
import { eventContext } from '../service.ts';
import { type Operation, put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';
import type { ImageSetRecord, VersionRecord } from '../store/records.ts';
import { putImageSet, putUse } from '../store/store.ts';
import type { ImportContext } from './context.ts';
import type { Failure } from './failures.ts';
import { findPrimary } from './find-primary.ts';
import type { Group } from './grouping.ts';
import type { Placement } from './job-output.ts';
import { type StagedInstance, stagedKey } from './staged.ts';

export type Placed = { readonly placement: Placement } | { readonly failure: Failure };

const placedKey = (jobId: string, groupId: string) => keyOf('placed', jobId, groupId);

/** Safe to repeat. One study is placed at a time, so that two jobs cannot both make its primary. */
export function placeGroup(context: ImportContext, group: Group): Promise<Placed> {
  const { service, job } = context;
  const study = `study ${job.datastoreId} ${group.studyInstanceUID}`;
  return service.locks.run(study, async () => {
    const known = await service.store.database.get<Placed>(placedKey(job.jobId, group.id));
    if (known) return known;
    const members = await loadMembers(context, group);
    if (service.behaviour === '2024') return makeSet(context, group, members, false);
    for (;;) {
      const { conflicts, join } = await findPrimary(context, members[0]!);
      if (join === undefined) return makeSet(context, group, members, !conflicts);
      const placed = await joinPrimary(context, group, members, join);
      // An update or copy was faster: the primary may be another one now.
      if (placed) return placed;
    }
  });
}

async function loadMembers({ service, job }: ImportContext, group: Group): Promise<StagedInstance[]> {
  const keys = group.rows.map((row) => stagedKey(job.jobId, row.key));
  const members = await service.store.database.getMany<StagedInstance>(keys);
  return members.filter((member) => member !== undefined);
}

async function makeSet(
  context: ImportContext,
  group: Group,
  members: readonly StagedInstance[],
  isPrimary: boolean,
): Promise<Placed> {
  const { service, job } = context;
  const imageSetId = derivedId(job.jobId, group.id);
  const [first] = members;
  const document: ImageSetDocument = {
    SchemaVersion: '1.1',
    DatastoreID: job.datastoreId,
    ImageSetID: imageSetId,
    Patient: { DICOM: first!.patient },
    Study: {
      DICOM: first!.study,
      Series: { [group.seriesInstanceUID]: { DICOM: first!.series, Instances: instancesOf(members) } },
    },
  };
  const now = service.clock.now();
  const version: Omit<VersionRecord, 'document'> = {
    version: 1,
    imageSetState: 'ACTIVE',
    imageSetWorkflowStatus: 'CREATED',
    createdAt: now,
    isPrimary,
  };
  const after = {
    datastoreId: job.datastoreId,
    imageSetId,
    latestVersion: 1,
    createdAt: now,
    updatedAt: now,
    isPrimary,
  };
  return commit(context, group, members, { document, version, before: undefined, after });
}

/** Today a re-sent SOP Instance UID overwrites the stored one; the primary's own levels stay. */
async function joinPrimary(
  context: ImportContext,
  group: Group,
  members: readonly StagedInstance[],
  imageSetId: string,
): Promise<Placed | undefined> {
  const { service, job } = context;
  return service.locks.run(`set ${imageSetId}`, async () => {
    const before = (await service.store.imageSet(job.datastoreId, imageSetId))!;
    const old = (await service.store.version(job.datastoreId, imageSetId, before.latestVersion))!;
    if (old.imageSetState !== 'ACTIVE' || old.document === undefined) return undefined;
    const stored = await unpackDocument(await service.store.blobs.get(old.document));
    const series = stored.Study.Series[group.seriesInstanceUID]!;
    const joined = { ...series, Instances: { ...series.Instances, ...instancesOf(members) } };
    const document: ImageSetDocument = {
      ...stored,
      Study: { ...stored.Study, Series: { ...stored.Study.Series, [group.seriesInstanceUID]: joined } },
    };
    const now = service.clock.now();
    const version: Omit<VersionRecord, 'document'> = {
      version: before.latestVersion + 1,
      imageSetState: 'ACTIVE',
      imageSetWorkflowStatus: 'UPDATED',
      createdAt: before.createdAt,
      updatedAt: now,
      isPrimary: true,
    };
    const after = { ...before, latestVersion: version.version, updatedAt: now };
    return commit(context, group, members, { document, version, before, after });
  });
}

interface Change {
  readonly document: ImageSetDocument;
  readonly version: Omit<VersionRecord, 'document'>;
  readonly before: ImageSetRecord | undefined;
  readonly after: Omit<ImageSetRecord, 'tags'>;
}

async function commit(
  context: ImportContext,
  group: Group,
  members: readonly StagedInstance[],
  change: Change,
): Promise<Placed> {
  const { service, job } = context;
  const { database, blobs } = service.store;
  const { bytes, plainBytes } = await packDocument(change.document);
  const limit = service.quotas.metadataBytesPerImageSet;
  if (plainBytes > limit) {
    const failure: Failure = {
      exceptionType: 'ValidationException',
      message: `The metadata of the image set exceeds the maximum size of ${limit} bytes`,
    };
    await database.write([put(placedKey(job.jobId, group.id), { failure })], { durable: true });
    return { failure };
  }
  const version: VersionRecord = { ...change.version, document: await blobs.put(bytes) };
  const storedBytes = members.reduce((sum, one) => sum + one.storedBytes, change.before?.storedBytes ?? 0);
  const after: ImageSetRecord = { ...change.after, tags: tagsOf(change.document), storedBytes };
  const placement: Placement = {
    imageSetId: after.imageSetId,
    version: version.version,
    isPrimary: version.isPrimary,
    instances: new Set(members.map((member) => member.sopInstanceUID)).size,
  };
  await database.write(
    [
      ...putImageSet(change.before, after, version),
      ...putUse(after, version.document),
      ...members.flatMap((member) => frameKeys(after, member)),
      put(placedKey(job.jobId, group.id), { placement }),
    ],
    { durable: true },
  );
  const type = change.before ? 'Image Set Updated' : 'Image Set Created';
  service.emit(imageSetEvent(type, eventContext(service), after, version));
  return { placement };
}

function instancesOf(members: readonly StagedInstance[]): Record<string, InstanceDocument> {
  return Object.fromEntries(members.map((member) => [member.sopInstanceUID, member.instance]));
}

/** Frames are found by image set and id; a whole object by its instance. */
function frameKeys(set: ImageSetRecord, member: StagedInstance): Operation[] {
  const { datastoreId, imageSetId } = set;
  const { frames, wholeObject, sopInstanceUID, vrs } = member;
  return [
    ...putUse(set, wholeObject, ...Object.values(frames).map(({ blob }) => blob)),
    ...Object.entries(frames).map(([id, frame]) => put(keyOf('frame', datastoreId, imageSetId, id), frame)),
    ...(Object.keys(vrs).length > 0 ? [put(keyOf('vrs', datastoreId, imageSetId, sopInstanceUID), vrs)] : []),
    ...(wholeObject ? [put(keyOf('whole', datastoreId, imageSetId, sopInstanceUID), wholeObject)] : []),
  ];
}
