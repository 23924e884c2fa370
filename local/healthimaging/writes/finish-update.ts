/** The second half of UpdateImageSetMetadata: the new document, or UPDATE_FAILED. All sets of a study change in one batch. */
import { type DetailType, imageSetEvent } from '../events.ts';
import { applyEdits, RequestFailure, studyWide } from '../metadata/apply-edits.ts';
import { type ImageSetDocument, packDocument, tagsOf, unpackDocument } from '../metadata/document.ts';
import { eventContext, type Service } from '../service.ts';
import type { ImageSetRecord, VersionRecord } from '../store/records.ts';
import { putImageSet, putUse } from '../store/store.ts';
import type { ImageSetAt } from './begin.ts';
import { forgetPending, type PendingUpdate } from './pending.ts';

/** Starts it after the write delay; also at start, for an update that a killed process left. */
export function finishUpdate(service: Service, pending: PendingUpdate): void {
  service.background.start(`update of ${pending.imageSetId}`, service.delays.write ?? 0, async () => {
    const all = await Promise.all(
      [pending.imageSetId, ...pending.studyImageSetIds].map((id) => at(service, pending.datastoreId, id)),
    );
    try {
      const changed = await Promise.all(all.map((one) => change(service, pending, one)));
      await end(service, pending, changed, 'Image Set Updated');
    } catch (error) {
      const message = error instanceof RequestFailure ? error.message : 'INTERNAL_ERROR: The update failed';
      const failed = all.map((one) =>
        ended(service, one, { imageSetWorkflowStatus: 'UPDATE_FAILED', message }),
      );
      await end(service, pending, failed, 'Image Set Update Failed');
      if (!(error instanceof RequestFailure)) throw error;
    }
  });
}

/** A set with its latest version. Throws when it is gone, which a LOCKED set never is. */
export async function at(service: Service, datastoreId: string, imageSetId: string): Promise<ImageSetAt> {
  const set = await service.store.imageSet(datastoreId, imageSetId);
  const version = set && (await service.store.version(datastoreId, imageSetId, set.latestVersion));
  if (!version) throw new Error(`image set ${imageSetId} is gone`);
  return { set, version };
}

export interface Changed {
  readonly before: ImageSetRecord;
  readonly set: ImageSetRecord;
  readonly version: VersionRecord;
}

async function change(service: Service, pending: PendingUpdate, one: ImageSetAt): Promise<Changed> {
  const { set } = one;
  if (pending.revertToVersion !== undefined) {
    const old = await service.store.version(set.datastoreId, set.imageSetId, pending.revertToVersion);
    if (!old?.document) throw new RequestFailure(`Version ${pending.revertToVersion} has no metadata`);
    const document = await unpackDocument(await service.store.blobs.get(old.document));
    return ended(service, one, { imageSetWorkflowStatus: 'UPDATED', document: old.document }, document);
  }
  const edits = pending.edits ?? [];
  const isAddressed = set.imageSetId === pending.imageSetId;
  const stored = await unpackDocument(await service.store.blobs.get(one.version.document!));
  const document = applyEdits(stored, isAddressed ? edits : studyWide(edits));
  const stamp = await storeDocument(service, document);
  return ended(service, one, { imageSetWorkflowStatus: 'UPDATED', document: stamp }, document);
}

/** Stores a document and returns its SHA-256. Throws RequestFailure when it is too large. */
export async function storeDocument(service: Service, document: ImageSetDocument): Promise<string> {
  const { bytes, plainBytes } = await packDocument(document);
  const limit = service.quotas.metadataBytesPerImageSet;
  if (plainBytes > limit) throw new RequestFailure(`The metadata exceed the maximum size of ${limit} bytes`);
  return service.store.blobs.put(bytes);
}

/** The set ACTIVE again, with the facts of the end. */
export function ended(
  service: Service,
  { set: before, version: locked }: ImageSetAt,
  facts: Pick<VersionRecord, 'imageSetWorkflowStatus'> & Partial<VersionRecord>,
  document?: ImageSetDocument,
): Changed {
  const updatedAt = service.clock.now();
  const version: VersionRecord = { ...locked, imageSetState: 'ACTIVE', updatedAt, ...facts };
  const tags = document ? tagsOf(document) : before.tags;
  return { before, set: { ...before, updatedAt, tags }, version };
}

async function end(service: Service, pending: PendingUpdate, all: readonly Changed[], type: DetailType) {
  const operations = all.flatMap(({ before, set, version }) => [
    ...putImageSet(before, set, version),
    ...putUse(set, version.document),
  ]);
  await service.store.database.write([...operations, forgetPending(pending)], { durable: true });
  for (const { set, version } of all) {
    service.access.touch(set);
    service.emit(imageSetEvent(type, eventContext(service), set, version));
  }
}
