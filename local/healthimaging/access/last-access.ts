/**
 * When image sets were last touched, and the storage tier that follows (reference section 17): kept in memory,
 * written at most once a minute a set, so that reading frames does not write.
 */
import type { Clock } from '../../../shared/ports/clock.ts';
import { put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';
import type { ImageSetRecord } from '../store/records.ts';
import type { Store } from '../store/store.ts';

const ARCHIVE_AFTER_MS = 30 * 24 * 3600 * 1000;
const WRITE_EVERY_MS = 60_000;

export interface AccessFacts {
  readonly lastAccessedAt: number;
  readonly storageTier: 'FREQUENT_ACCESS' | 'ARCHIVE_INSTANT_ACCESS';
}

export interface Access {
  /** Reading metadata or frames, importing, copying and updating touch a set; listing and searching do not. */
  touch(set: ImageSetRecord): void;
  read(set: ImageSetRecord): Promise<AccessFacts>;
  /** The same for a page of sets, in one look-up. */
  readAll(sets: readonly ImageSetRecord[]): Promise<AccessFacts[]>;
}

export function createAccess(store: Store, clock: Clock): Access {
  const written = new Map<string, number>();
  const keyOfSet = (set: ImageSetRecord) => keyOf('accessed', set.datastoreId, set.imageSetId);

  function facts(set: ImageSetRecord, stored: number | undefined): AccessFacts {
    const lastAccessedAt = Math.max(set.updatedAt, stored ?? 0, written.get(keyOfSet(set)) ?? 0);
    const archived = clock.now() - lastAccessedAt > ARCHIVE_AFTER_MS;
    return { lastAccessedAt, storageTier: archived ? 'ARCHIVE_INSTANT_ACCESS' : 'FREQUENT_ACCESS' };
  }

  return {
    touch(set) {
      const key = keyOfSet(set);
      const now = clock.now();
      if (now - (written.get(key) ?? 0) < WRITE_EVERY_MS) return;
      if (written.size > 100_000) written.clear();
      written.set(key, now);
      // Losing a touch is harmless, so nobody waits for it.
      store.database.write([put(key, now)]).catch(() => written.delete(key));
    },
    read: async (set) => facts(set, await store.database.get<number>(keyOfSet(set))),
    async readAll(sets) {
      const stored = await store.database.getMany<number>(sets.map(keyOfSet));
      return sets.map((set, i) => facts(set, stored[i]));
    },
  };
}
