/** The second half of CopyImageSet: instances and frames into the destination, the source writable again, in one batch. */
import { imageSetEvent } from '../events.ts';
import { imageSetArn } from '../identifiers.ts';
import { levelsOf, seriesElements, studyElements } from '../import/grouping.ts';
import { RequestFailure } from '../metadata/apply-edits.ts';
import { mergeDocuments, takeSubset } from '../metadata/copy-instances.ts';
import { type ImageSetDocument, instancesOf, unpackDocument } from '../metadata/document.ts';
import { eventContext, type Service } from '../service.ts';
import { type Operation, put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';
import type { FrameRecord, VersionRecord, WorkflowStatus } from '../store/records.ts';
import { putImageSet, putUse } from '../store/store.ts';
import type { ImageSetAt } from './begin.ts';
import { at, type Changed, ended, storeDocument } from './finish-update.ts';
import { forgetPending, type PendingCopy } from './pending.ts';

export function finishCopy(service: Service, pending: PendingCopy): void {
  service.background.start(`copy to ${pending.imageSetId}`, service.delays.write ?? 0, async () => {
    const source = await at(service, pending.datastoreId, pending.sourceImageSetId);
    const study = `study ${pending.datastoreId} ${source.set.tags.DICOMStudyInstanceUID ?? ''}`;
    await service.locks.run(study, () => copy(service, pending, source));
  });
}

async function copy(service: Service, pending: PendingCopy, source: ImageSetAt): Promise<void> {
  const destination = await at(service, pending.datastoreId, pending.imageSetId);
  try {
    const changed = await merged(service, pending, source, destination);
    await end(service, pending, source, changed.result, changed.frames);
  } catch (error) {
    const message = error instanceof RequestFailure ? error.message : 'INTERNAL_ERROR: The copy failed';
    const failed = ended(service, destination, { imageSetWorkflowStatus: 'COPY_FAILED', message });
    await end(service, pending, source, failed, []);
    if (!(error instanceof RequestFailure)) throw error;
  }
}

async function merged(service: Service, pending: PendingCopy, source: ImageSetAt, destination: ImageSetAt) {
  const stored = await documentOf(service, source);
  const taken = takeSubset(stored, pending.subset);
  const joined = pending.isNew
    ? taken
    : mergeDocuments(taken, await documentOf(service, destination), pending.force);
  const document: ImageSetDocument = { ...joined, ImageSetID: pending.imageSetId };
  if (pending.promoteToPrimary) await requirePromotable(service, pending, document);
  const result = ended(
    service,
    destination,
    { imageSetWorkflowStatus: 'COPIED', document: await storeDocument(service, document) },
    document,
  );
  const isPrimary = pending.promoteToPrimary || destination.set.isPrimary;
  const { isHidden: _, ...shown } = result.set;
  const { operations: frames, bytes } = await copyFrames(service, pending, taken);
  const storedBytes = (shown.storedBytes ?? 0) + bytes;
  return {
    frames,
    result: {
      ...result,
      set: { ...shown, isPrimary, storedBytes },
      version: { ...result.version, isPrimary },
    },
  };
}

/** A series has one primary, and the primaries of a study agree in the grouping elements. */
async function requirePromotable(
  service: Service,
  pending: PendingCopy,
  document: ImageSetDocument,
): Promise<void> {
  const [seriesUID = ''] = Object.keys(document.Study.Series);
  const levels = levelsOf(document);
  const studyUID = String(document.Study.DICOM.StudyInstanceUID ?? '');
  const primaries = await service.store.primaries(pending.datastoreId, studyUID);
  const own = primaries.get(seriesUID);
  if (own !== undefined && own !== pending.imageSetId) {
    throw new RequestFailure('The series has a primary image set already.');
  }
  for (const imageSetId of primaries.values()) {
    const other = levelsOf(await documentOf(service, await at(service, pending.datastoreId, imageSetId)));
    const same = String(studyElements(other)) === String(studyElements(levels));
    const sameSeries = imageSetId !== own || String(seriesElements(other)) === String(seriesElements(levels));
    if (!same || !sameSeries)
      throw new RequestFailure('The metadata conflict with a primary image set of the study.');
  }
}

async function documentOf(service: Service, { version }: ImageSetAt): Promise<ImageSetDocument> {
  if (version.document === undefined) throw new RequestFailure('The image set has no metadata.');
  return unpackDocument(await service.store.blobs.get(version.document));
}

/** Frame ids are the same in the copy; the bytes are there once. */
async function copyFrames(
  service: Service,
  pending: PendingCopy,
  taken: ImageSetDocument,
): Promise<{ operations: Operation[]; bytes: number }> {
  const { datastoreId, sourceImageSetId, imageSetId } = pending;
  const { database } = service.store;
  const to = { datastoreId, imageSetId };
  const instances = instancesOf(taken);
  const ids = instances.flatMap(([, instance]) => instance.ImageFrames.map((frame) => frame.ID));
  const frames = await database.getMany<FrameRecord>(
    ids.map((id) => keyOf('frame', datastoreId, sourceImageSetId, id)),
  );
  const bytes = frames.reduce((sum, frame) => sum + (frame?.sizeBytes ?? 0), 0);
  const operations = [
    ...frames.flatMap((frame, i) =>
      frame ? [put(keyOf('frame', datastoreId, imageSetId, ids[i]!), frame), ...putUse(to, frame.blob)] : [],
    ),
    ...(await copyNotes(
      service,
      pending,
      instances.map(([sopUID]) => sopUID),
    )),
  ];
  return { operations, bytes };
}

/** What is kept beside the document of an instance: the whole object, unusual VRs. */
async function copyNotes(
  service: Service,
  { datastoreId, sourceImageSetId, imageSetId }: PendingCopy,
  sopUIDs: readonly string[],
): Promise<Operation[]> {
  const operations: Operation[] = [];
  for (const kind of ['whole', 'vrs']) {
    const values = await service.store.database.getMany<unknown>(
      sopUIDs.map((sopUID) => keyOf(kind, datastoreId, sourceImageSetId, sopUID)),
    );
    values.forEach((value, i) => {
      if (value === undefined) return;
      operations.push(put(keyOf(kind, datastoreId, imageSetId, sopUIDs[i]!), value));
      if (typeof value === 'string') operations.push(...putUse({ datastoreId, imageSetId }, value));
    });
  }
  return operations;
}

async function end(
  service: Service,
  pending: PendingCopy,
  source: ImageSetAt,
  { before, set, version }: Changed,
  frames: readonly Operation[],
): Promise<void> {
  const released: VersionRecord = {
    ...source.version,
    imageSetState: 'ACTIVE',
    imageSetWorkflowStatus: pending.sourceStatus as WorkflowStatus,
  };
  await service.store.database.write(
    [
      ...putImageSet(before, set, version),
      ...putUse(set, version.document),
      ...frames,
      ...putImageSet(source.set, source.set, released),
      forgetPending(pending),
    ],
    { durable: true },
  );
  service.access.touch(set);
  const type = version.imageSetWorkflowStatus === 'COPIED' ? 'Image Set Copied' : 'Image Set Copy Failed';
  const sourceImageSetArn = imageSetArn(service, pending.datastoreId, pending.sourceImageSetId);
  service.emit(imageSetEvent(type, eventContext(service), set, version, { sourceImageSetArn }));
}
