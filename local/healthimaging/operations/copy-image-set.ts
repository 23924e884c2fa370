/**
 * CopyImageSet: into a new image set or an existing one. The source is read-only meanwhile and never changes its
 * version; the destination is LOCKED/COPYING, then COPIED or COPY_FAILED with a message.
 */
import { conflict, quotaExceeded, validation } from '../errors.ts';
import { imageSetEvent } from '../events.ts';
import { imageSetArn, newId } from '../identifiers.ts';
import { RequestFailure } from '../metadata/apply-edits.ts';
import { countFrames, parseSubset, type Subset, takeSubset } from '../metadata/copy-instances.ts';
import { unpackDocument } from '../metadata/document.ts';
import { eventContext, type Service } from '../service.ts';
import type { ImageSetRecord, VersionRecord } from '../store/records.ts';
import { putImageSet } from '../store/store.ts';
import { checkConcurrency, type ImageSetAt, lockSets, requireWritable } from '../writes/begin.ts';
import { finishCopy } from '../writes/finish-copy.ts';
import { notePending, type PendingCopy } from '../writes/pending.ts';
import { lockedVersion } from './update-image-set-metadata.ts';

export interface CopyImageSetInput {
  readonly datastoreId: string;
  readonly sourceImageSetId: string;
  readonly force?: boolean;
  readonly promoteToPrimary?: boolean;
  readonly copyImageSetInformation: {
    readonly sourceImageSet: {
      readonly latestVersionId: string;
      readonly DICOMCopies?: { readonly copiableAttributes: string };
    };
    readonly destinationImageSet?: { readonly imageSetId: string; readonly latestVersionId: string };
  };
}

export async function copyImageSet(service: Service, input: CopyImageSetInput) {
  const { datastoreId, sourceImageSetId: sourceId } = input;
  const { sourceImageSet, destinationImageSet } = input.copyImageSetInformation;
  if (destinationImageSet?.imageSetId === sourceId) {
    throw validation('Source and destination image set must not be the same');
  }
  if (input.promoteToPrimary && service.behaviour === '2024') {
    throw validation('promoteToPrimary is not known in 2024');
  }
  const subset = sourceImageSet.DICOMCopies && parseSubset(sourceImageSet.DICOMCopies.copiableAttributes);
  const destinationId = destinationImageSet?.imageSetId;
  return lockSets(service, [sourceId, ...(destinationId ? [destinationId] : [])], async () => {
    const source = await requireWritable(service, datastoreId, sourceId, sourceImageSet.latestVersionId);
    const given = destinationImageSet
      ? await requireWritable(
          service,
          datastoreId,
          destinationImageSet.imageSetId,
          destinationImageSet.latestVersionId,
        )
      : undefined;
    await checkConcurrency(service, datastoreId, 'CopyImageSet');
    await checkFrames(service, source, subset);
    return begin(service, input, source, given, subset);
  });
}

/** The quota counts the frames that would be copied; a subset that does not exist fails later, in its own words. */
async function checkFrames(service: Service, source: ImageSetAt, subset: Subset | undefined): Promise<void> {
  const { document: blob } = source.version;
  if (blob === undefined) throw conflict(`Image set ${source.set.imageSetId} has no metadata to copy`);
  const document = await unpackDocument(await service.store.blobs.get(blob));
  const limit = service.quotas.framesPerCopy;
  try {
    const frames = countFrames(takeSubset(document, subset));
    if (frames > limit)
      throw quotaExceeded(`The copy has ${frames} image frames, the most allowed is ${limit}`);
  } catch (error) {
    if (!(error instanceof RequestFailure)) throw error;
  }
}

async function begin(
  service: Service,
  input: CopyImageSetInput,
  source: ImageSetAt,
  given: ImageSetAt | undefined,
  subset: Subset | undefined,
) {
  const { datastoreId } = input;
  const readOnly: VersionRecord = {
    ...source.version,
    imageSetState: 'LOCKED',
    imageSetWorkflowStatus: 'COPYING_WITH_READ_ONLY_ACCESS',
  };
  const destination = given
    ? lockedVersion(service, given, 'COPYING', input.force)
    : newDestination(service, datastoreId, input.force);
  const pending: PendingCopy = {
    kind: 'CopyImageSet',
    datastoreId,
    imageSetId: destination.set.imageSetId,
    sourceImageSetId: source.set.imageSetId,
    sourceVersion: source.version.version,
    sourceStatus: source.version.imageSetWorkflowStatus,
    isNew: given === undefined,
    ...(subset && { subset }),
    force: input.force ?? false,
    promoteToPrimary: input.promoteToPrimary ?? false,
  };
  await service.store.database.write(
    [...putImageSet(source.set, source.set, readOnly), ...destination.operations, notePending(pending)],
    { durable: true },
  );
  const context = eventContext(service);
  const sourceImageSetArn = imageSetArn(service, datastoreId, source.set.imageSetId);
  service.emit(imageSetEvent('Image Set Copying With Read Only Access', context, source.set, readOnly));
  service.emit(
    imageSetEvent('Image Set Copying', context, destination.set, destination.version, { sourceImageSetArn }),
  );
  finishCopy(service, pending);
  return {
    datastoreId,
    sourceImageSetProperties: properties(service, source.set, readOnly),
    destinationImageSetProperties: properties(service, destination.set, destination.version),
  };
}

/** A new image set has no metadata and is not searched until its copy is done. */
function newDestination(service: Service, datastoreId: string, forced = false) {
  const now = service.clock.now();
  const set: ImageSetRecord = {
    datastoreId,
    imageSetId: newId(),
    latestVersion: 1,
    createdAt: now,
    updatedAt: now,
    isPrimary: false,
    isHidden: true,
    tags: {},
  };
  const version: VersionRecord = {
    version: 1,
    imageSetState: 'LOCKED',
    imageSetWorkflowStatus: 'COPYING',
    createdAt: now,
    isPrimary: false,
    ...(forced && { forced }),
  };
  return { set, version, operations: putImageSet(undefined, set, version) };
}

function properties(service: Service, set: ImageSetRecord, version: VersionRecord) {
  return {
    imageSetId: set.imageSetId,
    latestVersionId: String(version.version),
    imageSetState: version.imageSetState,
    imageSetWorkflowStatus: version.imageSetWorkflowStatus,
    createdAt: set.createdAt,
    updatedAt: set.updatedAt,
    imageSetArn: imageSetArn(service, set.datastoreId, set.imageSetId),
  };
}
