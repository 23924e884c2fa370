/**
 * UpdateImageSetMetadata: a new version, LOCKED at once, then UPDATED or UPDATE_FAILED. What the payload alone
 * breaks is a ValidationException; what the stored metadata say against it fails the version, with a message.
 */
import { conflict, quotaExceeded, ServiceError, validation } from '../errors.ts';
import { imageSetEvent } from '../events.ts';
import { type Edit, parseEdits } from '../metadata/edits.ts';
import { eventContext, requireImageSet, type Service } from '../service.ts';
import type { VersionRecord } from '../store/records.ts';
import { putImageSet } from '../store/store.ts';
import { checkConcurrency, type ImageSetAt, lockSets, requireWritable } from '../writes/begin.ts';
import { finishUpdate } from '../writes/finish-update.ts';
import { notePending, type PendingUpdate } from '../writes/pending.ts';

export interface UpdateImageSetMetadataInput {
  readonly datastoreId: string;
  readonly imageSetId: string;
  readonly latestVersionId: string;
  readonly force?: boolean;
  readonly includeStudyImageSets?: boolean;
  readonly updateImageSetMetadataUpdates: {
    readonly DICOMUpdates?: {
      readonly removableAttributes?: Uint8Array;
      readonly updatableAttributes?: Uint8Array;
    };
    readonly revertToVersionId?: string;
  };
}

export async function updateImageSetMetadata(service: Service, input: UpdateImageSetMetadataInput) {
  const { datastoreId, imageSetId } = input;
  checkPayload(service, input);
  const others = input.includeStudyImageSets ? await otherPrimaries(service, input) : [];
  return lockSets(service, [imageSetId, ...others], async () => {
    const addressed = await requireWritable(service, datastoreId, imageSetId, input.latestVersionId);
    await checkConcurrency(service, datastoreId, 'UpdateImageSetMetadata');
    const pending = await toPending(service, input, addressed, others);
    const also = await Promise.all(others.map((id) => requireWritable(service, datastoreId, id)));
    const locked = lockedVersion(service, addressed, 'UPDATING', input.force);
    const lockedOthers = also.map((at) => lockedVersion(service, at, 'UPDATING_FOR_STUDY_CONSISTENCY'));
    await service.store.database.write(
      [...[locked, ...lockedOthers].flatMap(({ operations }) => operations), notePending(pending)],
      { durable: true },
    );
    for (const { set, version } of [locked, ...lockedOthers]) {
      service.emit(imageSetEvent('Image Set Updating', eventContext(service), set, version));
    }
    finishUpdate(service, pending);
    return {
      datastoreId,
      imageSetId,
      latestVersionId: String(locked.set.latestVersion),
      imageSetState: 'LOCKED',
      imageSetWorkflowStatus: 'UPDATING',
      createdAt: locked.set.createdAt,
      updatedAt: locked.set.updatedAt,
    };
  });
}

function checkPayload(service: Service, input: UpdateImageSetMetadataInput): void {
  const { DICOMUpdates: updates, revertToVersionId } = input.updateImageSetMetadataUpdates;
  if (input.includeStudyImageSets) {
    if (service.behaviour === '2024') throw validation('includeStudyImageSets is not known in 2024');
    if (revertToVersionId !== undefined)
      throw validation('A revert cannot include the image sets of the study');
  }
  if (!updates) return;
  const blobs = [updates.removableAttributes, updates.updatableAttributes].filter(
    (blob) => blob !== undefined,
  );
  if (blobs.length === 0) throw validation('DICOMUpdates needs removableAttributes or updatableAttributes');
  const bytes = blobs.reduce((sum, blob) => sum + blob.length, 0);
  const limit = service.quotas.updatePayloadBytes;
  if (bytes > limit) throw quotaExceeded(`The payload has ${bytes} bytes, the most allowed is ${limit}`);
}

/** The study's other primary image sets. Throws ValidationException where the addressed set is not primary itself. */
async function otherPrimaries(service: Service, input: UpdateImageSetMetadataInput): Promise<string[]> {
  const { set } = await requireImageSet(service, {
    datastoreId: input.datastoreId,
    imageSetId: input.imageSetId,
  });
  if (!set.isPrimary) throw validation('includeStudyImageSets needs a primary image set');
  const primaries = await service.store.primaries(set.datastoreId, set.tags.DICOMStudyInstanceUID ?? '');
  return [...primaries.values()].filter((id) => id !== set.imageSetId);
}

async function toPending(
  service: Service,
  input: UpdateImageSetMetadataInput,
  { set }: ImageSetAt,
  studyImageSetIds: readonly string[],
): Promise<PendingUpdate> {
  const { datastoreId, imageSetId } = input;
  const base = { kind: 'UpdateImageSetMetadata', datastoreId, imageSetId, studyImageSetIds } as const;
  const { DICOMUpdates: updates, revertToVersionId } = input.updateImageSetMetadataUpdates;
  if (revertToVersionId !== undefined) {
    return { ...base, revertToVersion: await requireRevertible(service, set, revertToVersionId) };
  }
  const options = { force: input.force ?? false, isPrimary: set.isPrimary, behaviour: service.behaviour };
  const edits: Edit[] = [];
  if (updates?.removableAttributes) edits.push(...parseEdits(updates.removableAttributes, 'remove', options));
  if (updates?.updatableAttributes) edits.push(...parseEdits(updates.updatableAttributes, 'set', options));
  return { ...base, edits };
}

async function requireRevertible(
  service: Service,
  set: ImageSetAt['set'],
  versionId: string,
): Promise<number> {
  const number = Number(versionId);
  if (number === set.latestVersion) throw validation(`Version ${versionId} is the latest already`);
  try {
    await requireImageSet(service, { datastoreId: set.datastoreId, imageSetId: set.imageSetId, versionId });
  } catch (error) {
    if (error instanceof ServiceError)
      throw validation(`Image set ${set.imageSetId} has no version ${versionId}`);
    throw error;
  }
  return number;
}

/** The next version of a set, LOCKED, with the metadata it had. */
export function lockedVersion(
  service: Service,
  { set: before, version: old }: ImageSetAt,
  imageSetWorkflowStatus: VersionRecord['imageSetWorkflowStatus'],
  forced = false,
) {
  const now = service.clock.now();
  if (old.document === undefined) throw conflict(`Image set ${before.imageSetId} has no metadata to change`);
  const set = { ...before, latestVersion: before.latestVersion + 1, updatedAt: now };
  const version: VersionRecord = {
    version: set.latestVersion,
    imageSetState: 'LOCKED',
    imageSetWorkflowStatus,
    createdAt: before.createdAt,
    updatedAt: now,
    isPrimary: set.isPrimary,
    document: old.document,
    ...(forced && { forced }),
  };
  return { set, version, operations: putImageSet(before, set, version) };
}
