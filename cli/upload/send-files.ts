/**
 * Sends planned files to the inbox: several at a time, each read once, in bounded memory; a large one in parts. A file
 * that changes or vanishes while it is read is not sent, and is named.
 */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { ObjectStore } from '../../shared/ports/object-store.ts';
import { oneLine } from '../errors.ts';
import type { PlannedFile } from './plan-upload.ts';

/** Files up to this size go in one request, held in memory. */
const ONE_REQUEST_BYTES = 8 * 1024 * 1024;
const READ_BYTES = 1024 * 1024;
const AT_A_TIME = 8;

export interface SendProgress {
  readonly files: number;
  readonly bytes: number;
}

export interface Sent {
  readonly files: number;
  readonly bytes: number;
  /** Files that were planned and are not in the inbox, and why. */
  readonly problems: readonly { readonly path: string; readonly why: string }[];
}

/** The file cannot be read as it stands: gone, forbidden, broken, or not what it was when it was opened. */
class FileUnreadable extends Error {
  override readonly name = 'FileUnreadable';
}

/** Resolves when every file was tried. Throws only when the store refuses or is gone: then nothing more is sent. */
export async function sendFiles(
  store: ObjectStore,
  inboxBucket: string,
  files: readonly PlannedFile[],
  onProgress: (progress: SendProgress) => void,
): Promise<Sent> {
  const problems: { path: string; why: string }[] = [];
  let next = 0;
  let sentFiles = 0;
  let sentBytes = 0;
  let stopped = false;
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const file = files[next++];
      if (file === undefined) return;
      try {
        const sizeBytes = await sendFile(store, { bucket: inboxBucket, key: file.key }, file.path);
        sentBytes += sizeBytes;
        sentFiles += 1;
        onProgress({ files: sentFiles, bytes: sentBytes });
      } catch (error) {
        if (aboutFile(error) === undefined) {
          stopped = true;
          throw error;
        }
        problems.push({ path: file.path.toString(), why: aboutFile(error)?.message ?? 'unreadable' });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, files.length) }, worker));
  return { files: sentFiles, bytes: sentBytes, problems };
}

/** Sends one file and returns its size in bytes. */
async function sendFile(
  store: ObjectStore,
  to: { bucket: string; key: string },
  path: Buffer,
): Promise<number> {
  const handle = await onFile(open(path, 'r'));
  try {
    const { size } = await onFile(handle.stat());
    if (size <= ONE_REQUEST_BYTES) await store.write(to, await readWhole(handle, size));
    else await store.writeStream(to, chunksOf(handle, size));
    return size;
  } finally {
    await handle.close();
  }
}

async function readWhole(handle: FileHandle, sizeBytes: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(sizeBytes);
  const before = await stamp(handle);
  let at = 0;
  while (at < sizeBytes) {
    const { bytesRead } = await onFile(handle.read(bytes, at, sizeBytes - at, at));
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  await refuseChange(handle, before, at === sizeBytes);
  return bytes;
}

async function* chunksOf(handle: FileHandle, sizeBytes: number): AsyncGenerator<Uint8Array> {
  const before = await stamp(handle);
  let at = 0;
  while (at < sizeBytes) {
    const chunk = new Uint8Array(Math.min(READ_BYTES, sizeBytes - at));
    const { bytesRead } = await onFile(handle.read(chunk, 0, chunk.length, at));
    if (bytesRead === 0) break;
    at += bytesRead;
    // The last chunk is given only after the check: the store never completes an object of mixed content.
    if (at >= sizeBytes) await refuseChange(handle, before, true);
    yield chunk.subarray(0, bytesRead);
  }
  if (at < sizeBytes) await refuseChange(handle, before, false);
}

async function stamp(handle: FileHandle): Promise<string> {
  const { size, mtimeMs, ino } = await onFile(handle.stat());
  return `${size} ${mtimeMs} ${ino}`;
}

async function refuseChange(handle: FileHandle, before: string, complete: boolean): Promise<void> {
  if (!complete || (await stamp(handle)) !== before) throw new FileUnreadable('changed while it was read');
}

/** Any error of the local file system becomes a FileUnreadable, so that it is never taken for one of the store. */
async function onFile<T>(action: Promise<T>): Promise<T> {
  try {
    return await action;
  } catch (error) {
    throw new FileUnreadable(oneLine(error).replace(/^.*: /, ''), { cause: error });
  }
}

/** The file's own problem behind an error, however a store wrapped it; undefined where the store is to blame. */
function aboutFile(error: unknown): FileUnreadable | undefined {
  for (let at = error; at instanceof Error; at = at.cause) if (at instanceof FileUnreadable) return at;
  return undefined;
}
