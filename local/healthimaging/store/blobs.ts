/**
 * Bytes on disk by their SHA-256: encoded frames and metadata documents. A file appears whole or not at all
 * (temporary name, then rename), equal bytes are stored once, and a name is always 64 hex digits, never a UID.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { type FileHandle, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ByteSource } from '../../../shared/dicom/byte-source.ts';

export interface Blobs {
  /** Stores the bytes and returns their SHA-256 (hex). Safe to repeat. */
  put(bytes: Uint8Array): Promise<string>;
  /** Stores all of a source's bytes, in bounded memory. */
  putSource(source: ByteSource): Promise<string>;
  get(sha256: string): Promise<Uint8Array>;
  sizeOf(sha256: string): Promise<number>;
  /** The bytes piece by piece. */
  stream(sha256: string): AsyncIterable<Uint8Array>;
  remove(sha256: string): Promise<void>;
}

const PIECE_BYTES = 1024 * 1024;
/**
 * Up to here a file is written and read at once, by the thread that asks: into and out of the system's cache that is
 * 0.1 ms, less than five trips to the thread pool cost.
 */
const SMALL_BYTES = 1024 * 1024;

/** `fsync`: each file reaches the disk before `put` returns; without it a power cut may lose it. */
export async function openBlobs(folder: string, options: { fsync: boolean }): Promise<Blobs> {
  const incoming = join(folder, 'incoming');
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const made = new Set<string>();
  const folderOf = (sha256: string) => join(folder, sha256.slice(0, 2));

  async function settle(temporary: string, file: FileHandle, sha256: string): Promise<void> {
    if (options.fsync) await file.datasync();
    if (!made.has(sha256.slice(0, 2))) {
      await mkdir(folderOf(sha256), { recursive: true });
      made.add(sha256.slice(0, 2));
    }
    await rename(temporary, join(folderOf(sha256), sha256));
  }

  async function withTemporary(write: (path: string, file: FileHandle) => Promise<void>): Promise<void> {
    const temporary = join(incoming, randomBytes(12).toString('hex'));
    const file = await open(temporary, 'wx');
    try {
      await write(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    } finally {
      await file.close();
    }
  }

  function putNow(bytes: Uint8Array, sha256: string): void {
    const temporary = join(incoming, randomBytes(12).toString('hex'));
    const file = openSync(temporary, 'wx');
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at, bytes.length - at);
      if (!made.has(sha256.slice(0, 2))) mkdirSync(folderOf(sha256), { recursive: true });
      made.add(sha256.slice(0, 2));
      renameSync(temporary, join(folderOf(sha256), sha256));
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    } finally {
      closeSync(file);
    }
  }

  return {
    async put(bytes) {
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      if (!options.fsync && bytes.length <= SMALL_BYTES) {
        putNow(bytes, sha256);
        return sha256;
      }
      // Equal bytes that are there already are replaced by themselves: cheaper than asking first.
      await withTemporary(async (temporary, file) => {
        await file.writeFile(bytes);
        await settle(temporary, file, sha256);
      });
      return sha256;
    },
    async putSource(source) {
      const hash = createHash('sha256');
      let sha256 = '';
      await withTemporary(async (temporary, file) => {
        for (let at = 0; at < source.sizeBytes; at += PIECE_BYTES) {
          const piece = await source.read(at, at + PIECE_BYTES);
          hash.update(piece);
          await file.write(piece);
        }
        sha256 = hash.digest('hex');
        await settle(temporary, file, sha256);
      });
      return sha256;
    },
    async get(sha256) {
      const path = join(folderOf(sha256), sha256);
      const { buffer, byteOffset, length } =
        statSync(path).size <= SMALL_BYTES ? readFileSync(path) : await readFile(path);
      return new Uint8Array(buffer, byteOffset, length);
    },
    sizeOf: async (sha256) => (await stat(join(folderOf(sha256), sha256))).size,
    stream: (sha256) => createReadStream(join(folderOf(sha256), sha256), { highWaterMark: PIECE_BYTES }),
    remove: (sha256) => rm(join(folderOf(sha256), sha256), { force: true }),
  };
}
