/** The frames of the very bytes that were imported: the staged copy, or the inbox object of a re-send. */
import { DicomError } from '../dicom/dicom-error.ts';
import { readP10 } from '../dicom/p10.ts';
import { type FrameSource, openFrames } from '../pixels/frames.ts';
import { NoSuchObject, type ObjectStore, PreconditionFailed } from '../ports/object-store.ts';
import { objectSource } from './object-source.ts';
import { workKeys } from './work-keys.ts';

/** Whole objects up to this size come in one read. */
const SOURCE_BLOCK_BYTES = 4 * 1024 * 1024;

export interface SourceObject {
  readonly bucket: string;
  readonly key: string;
  readonly etag?: string;
  readonly sizeBytes: number;
}

/** `gone`: removed or replaced. `unreadable`: no frames that we can read. The checksum alone is then proof. */
export type OpenedSource = FrameSource | 'gone' | 'unreadable';

export async function openSource(objects: ObjectStore, object: SourceObject): Promise<OpenedSource> {
  try {
    const block = Math.min(object.sizeBytes, SOURCE_BLOCK_BYTES);
    const p10 = await readP10(objectSource(objects, object, block));
    return p10.pixelData ? await openFrames(p10) : 'unreadable';
  } catch (error) {
    if (error instanceof DicomError) return 'unreadable';
    if (error instanceof PreconditionFailed || error instanceof NoSuchObject) return 'gone';
    throw error;
  }
}

/** A staged copy as it is now; a key elsewhere is none, and another size than was recorded is not the same object. */
export async function openStaged(
  objects: ObjectStore,
  workBucket: string,
  recorded: { readonly staged: string; readonly sizeBytes: number },
): Promise<OpenedSource> {
  if (!recorded.staged.startsWith(workKeys.executions)) return 'gone';
  const location = { bucket: workBucket, key: recorded.staged };
  const found = await objects.head(location);
  if (found?.sizeBytes !== recorded.sizeBytes) return 'gone';
  return openSource(objects, { ...location, etag: found.etag, sizeBytes: found.sizeBytes });
}
