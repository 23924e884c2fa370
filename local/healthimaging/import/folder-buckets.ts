/** A folder of files in place of an S3 prefix, for seeding a server: read like a bucket, with no output written. */
import { createHash } from 'node:crypto';
import { open, readdir, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { Buckets, InputObject } from './s3-bucket.ts';

export function folderBuckets(folder: string): Buckets {
  return {
    async *list() {
      for (const path of (await filesBelow(folder)).sort()) {
        const { size, mtimeMs } = await stat(path);
        const key = relative(folder, path).split(sep).join('/');
        const etag = createHash('sha256').update(`${key} ${size} ${mtimeMs}`).digest('hex');
        yield { key, sizeBytes: size, etag };
      }
    },
    source: (_, object: InputObject) => ({
      sizeBytes: object.sizeBytes,
      read: (start, end) => readRange(join(folder, object.key), start, Math.min(end, object.sizeBytes)),
    }),
    write: async () => {},
    close: () => {},
  };
}

async function filesBelow(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  // `parentPath` came with Node 20.12; symbolic links are not followed.
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

async function readRange(path: string, start: number, end: number): Promise<Uint8Array> {
  const file = await open(path);
  try {
    const bytes = new Uint8Array(Math.max(0, end - start));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, start);
    return bytes.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
