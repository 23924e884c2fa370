/**
 * Writes that go on after their reply: noted durably when the image sets are LOCKED, removed in the batch that ends
 * them. A server that was killed in between does them again at start.
 */

import type { Edit } from '../metadata/edits.ts';
import { del, type Operation, put } from '../store/database.ts';
import { below, keyOf } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

interface PendingBase {
  readonly datastoreId: string;
  /** The image set that is written: the destination of a copy. */
  readonly imageSetId: string;
}

export interface PendingUpdate extends PendingBase {
  readonly kind: 'UpdateImageSetMetadata';
  readonly edits?: readonly Edit[];
  readonly revertToVersion?: number;
  /** Other primaries of the study that take over the patient and study edits. */
  readonly studyImageSetIds: readonly string[];
}

export interface PendingCopy extends PendingBase {
  readonly kind: 'CopyImageSet';
  readonly sourceImageSetId: string;
  readonly sourceVersion: number;
  /** The source's status before the copy, to go back to. */
  readonly sourceStatus: string;
  readonly isNew: boolean;
  /** Series UID to SOP Instance UIDs; absent: everything. */
  readonly subset?: Readonly<Record<string, readonly string[]>>;
  readonly force: boolean;
  readonly promoteToPrimary: boolean;
}

export interface PendingDelete extends PendingBase {
  readonly kind: 'DeleteImageSet';
}

export type PendingWrite = PendingUpdate | PendingCopy | PendingDelete;

const pendingKey = ({ datastoreId, imageSetId }: PendingBase) => keyOf('pending', datastoreId, imageSetId);

export const notePending = (write: PendingWrite): Operation => put(pendingKey(write), write);
export const forgetPending = (write: PendingWrite): Operation => del(pendingKey(write));

/** All writes that are under way, of one data store or of all. */
export async function* pendingWrites(store: Store, datastoreId?: string): AsyncIterable<PendingWrite> {
  const range = datastoreId === undefined ? below('pending') : below('pending', datastoreId);
  for await (const [, write] of store.database.entries<PendingWrite>(range)) yield write;
}
