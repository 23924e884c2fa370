/** DeleteImageSet: LOCKED/DELETING at once, then DELETED: gone from searches, its properties still to be read. */
import { imageSetEvent } from '../events.ts';
import { eventContext, type Service } from '../service.ts';
import type { VersionRecord } from '../store/records.ts';
import { putImageSet } from '../store/store.ts';
import { checkConcurrency, lockSets, requireWritable } from '../writes/begin.ts';
import { finishDelete } from '../writes/finish-delete.ts';
import { notePending, type PendingDelete } from '../writes/pending.ts';

export async function deleteImageSet(
  service: Service,
  input: { readonly datastoreId: string; readonly imageSetId: string },
) {
  const { datastoreId, imageSetId } = input;
  return lockSets(service, [imageSetId], async () => {
    const { set, version } = await requireWritable(service, datastoreId, imageSetId);
    await checkConcurrency(service, datastoreId, 'DeleteImageSet');
    const locked: VersionRecord = {
      ...version,
      imageSetState: 'LOCKED',
      imageSetWorkflowStatus: 'DELETING',
      updatedAt: service.clock.now(),
    };
    const pending: PendingDelete = { kind: 'DeleteImageSet', datastoreId, imageSetId };
    await service.store.database.write([...putImageSet(set, set, locked), notePending(pending)], {
      durable: true,
    });
    service.emit(imageSetEvent('Image Set Deleting', eventContext(service), set, locked));
    finishDelete(service, pending);
    return { datastoreId, imageSetId, imageSetState: 'LOCKED', imageSetWorkflowStatus: 'DELETING' };
  });
}
