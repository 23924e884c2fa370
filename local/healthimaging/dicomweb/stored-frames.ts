/** The stored frames of an instance, one after the other, with a few in work ahead of the one that is due. */
import type { Service } from '../service.ts';
import { keyOf } from '../store/keys.ts';
import type { FrameRecord } from '../store/records.ts';
import type { FoundInstance } from './find-instance.ts';

const FRAMES_AHEAD = 8;

export interface StoredFrame {
  readonly bytes: Uint8Array;
  readonly transferSyntaxUID: string;
}

/** In the order of `ImageFrames`. Throws when one is gone, which the store never lets happen. */
export async function frameRecords(
  service: Service,
  { set, instance }: FoundInstance,
): Promise<FrameRecord[]> {
  const keys = instance.ImageFrames.map(({ ID }) => keyOf('frame', set.datastoreId, set.imageSetId, ID));
  const records = await service.store.database.getMany<FrameRecord>(keys);
  return records.map((record) => {
    if (!record) throw new Error(`a frame of image set ${set.imageSetId} is gone`);
    return record;
  });
}

/** What `make` gives for each frame, in order. */
export async function* eachStoredFrame<T>(
  service: Service,
  records: readonly FrameRecord[],
  make: (frame: StoredFrame) => Promise<T>,
): AsyncIterable<T> {
  const running: Promise<T>[] = [];
  const start = async ({ blob, transferSyntaxUID }: FrameRecord) =>
    make({ bytes: await service.store.blobs.get(blob), transferSyntaxUID });
  let next = 0;
  while (next < records.length || running.length > 0) {
    while (next < records.length && running.length < FRAMES_AHEAD) {
      const task = start(records[next++]!);
      // It is awaited in its turn; a reader that goes before leaves it alone.
      task.catch(() => {});
      running.push(task);
    }
    yield await running.shift()!;
  }
}

/** The first item, taken in advance, and all of them. Throws what making the first one throws. */
export async function peek<T>(
  items: AsyncIterable<T>,
): Promise<{ readonly first: T; readonly all: AsyncIterable<T> }> {
  const iterator = items[Symbol.asyncIterator]();
  const { value, done } = await iterator.next();
  if (done) throw new Error('there is no frame');
  async function* all(): AsyncIterable<T> {
    try {
      yield value;
      for (;;) {
        const next = await iterator.next();
        if (next.done) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  }
  return { first: value, all: all() };
}
