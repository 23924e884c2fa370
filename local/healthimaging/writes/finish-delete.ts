/**
 * The second half of DeleteImageSet. Bytes that no other image set uses are noted as garbage and removed at the next
 * start, when nothing can be about to use them again.
 */
import { imageSetEvent } from '../events.ts';
import { eventContext, type Service } from '../service.ts';
import { del, type Operation, put } from '../store/database.ts';
import { below, keyOf, partsOf } from '../store/keys.ts';
import type { FrameRecord, ImageSetRecord, VersionRecord } from '../store/records.ts';
import { isUsed, putDeletedImageSet, type Store } from '../store/store.ts';
import { at } from './finish-update.ts';
import { forgetPending, type PendingDelete } from './pending.ts';

export function finishDelete(service: Service, pending: PendingDelete): void {
  service.background.start(`deletion of ${pending.imageSetId}`, service.delays.write ?? 0, async () => {
    const { set, version } = await at(service, pending.datastoreId, pending.imageSetId);
    const now = service.clock.now();
    const deleted: VersionRecord = {
      ...version,
      imageSetState: 'DELETED',
      imageSetWorkflowStatus: 'DELETED',
      updatedAt: now,
      deletedAt: now,
    };
    await service.store.database.write(
      [
        ...putDeletedImageSet(set, { ...set, updatedAt: now }, deleted),
        ...(await release(service.store, set)),
        forgetPending(pending),
      ],
      { durable: true },
    );
    service.emit(imageSetEvent('Image Set Deleted', eventContext(service), set, deleted));
  });
}

/** Takes away the set's frames, tags and its use of blobs; each blob is garbage until somebody else is found to use it. */
async function release(store: Store, set: ImageSetRecord): Promise<Operation[]> {
  const { datastoreId, imageSetId } = set;
  const operations: Operation[] = [
    del(keyOf('tags', datastoreId, imageSetId)),
    del(keyOf('accessed', datastoreId, imageSetId)),
  ];
  const blobs = new Set<string>();
  for await (const [key, frame] of store.database.entries<FrameRecord>(
    below('frame', datastoreId, imageSetId),
  )) {
    operations.push(del(key));
    blobs.add(frame.blob);
  }
  for await (const [key, blob] of store.database.entries<string>(below('whole', datastoreId, imageSetId))) {
    operations.push(del(key));
    blobs.add(blob);
  }
  for await (const key of store.database.keys(below('vrs', datastoreId, imageSetId)))
    operations.push(del(key));
  for await (const [, { document }] of store.database.entries<VersionRecord>(
    below('version', datastoreId, imageSetId),
  )) {
    if (document) blobs.add(document);
  }
  for (const blob of blobs) {
    operations.push(del(keyOf('use', blob, datastoreId, imageSetId)), put(keyOf('garbage', blob), 0));
  }
  return operations;
}

/** Removes what nobody uses any more. Only while nothing runs: at start, and only when no import job is left over. */
export async function collectGarbage(store: Store): Promise<void> {
  for (const kind of ['running-job', 'ended-job']) {
    for await (const _ of store.database.keys({ ...below(kind), limit: 1 })) return;
  }
  for await (const key of store.database.keys(below('garbage'))) {
    const [, blob = ''] = partsOf(key);
    if (!(await isUsed(store.database, blob))) await store.blobs.remove(blob);
    await store.database.write([del(key)]);
  }
}
