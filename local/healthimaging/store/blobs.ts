/**
 * Bytes on disk by their SHA-256: encoded frames and metadata documents. A file appears whole or not at all
 * (temporary name, then rename), equal bytes are stored once, and a name is always 64 hex digits, never a UID.
 */
import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { access, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

export interface Blobs {
  /** Stores the bytes and returns their SHA-256 (hex). Safe to repeat. */
  put(bytes: Uint8Array): Promise<string>;
  get(sha256: string): Promise<Uint8Array>;
  remove(sha256: string): Promise<void>;
}

/** `fsync`: each file reaches the disk before `put` returns; without it a power cut may lose it. */
export async function openBlobs(folder: string, options: { fsync: boolean }): Promise<Blobs> {
  const incoming = join(folder, 'incoming');
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const made = new Set<string>();
  const folderOf = (sha256: string) => join(folder, sha256.slice(0, 2));

  return {
    async put(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      const path = join(folderOf(sha256), sha256);
      if (await exists(path)) return sha256;
      if (!made.has(sha256.slice(0, 2))) {
        await mkdir(folderOf(sha256), { recursive: true });
        made.add(sha256.slice(0, 2));
      }
      const temporary = join(incoming, randomBytes(12).toString('hex'));
      const file = await open(temporary, 'wx');
      try {
        await file.writeFile(bytes);
        if (options.fsync) await file.datasync();
      } finally {
        await file.close();
      }
      await rename(temporary, path);
      return sha256;
    },
    get: async (sha256) => new Uint8Array(await readFile(join(folderOf(sha256), sha256))),
    remove: (sha256) => rm(join(folderOf(sha256), sha256), { force: true }),
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await access(path, constants.F_OK);
    return true;
  } catch {
    return false;
  }
}
