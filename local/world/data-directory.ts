/**
 * The data directory of a world: one process at a time, and a small durable map for what the world itself remembers
 * (its data store, its queues). The lock is the database's own: it ends with the process, however that ends.
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ClassicLevel } from 'classic-level';

export type WorldDatabase = ClassicLevel<string, unknown>;

/** The data directory cannot be used; one line for the user. */
export class DataDirectoryError extends Error {
  override readonly name = 'DataDirectoryError';
}

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'is not writable',
  EPERM: 'is not writable',
  EROFS: 'is on a read-only file system',
  ENOSPC: 'is on a full disk',
  ENOTDIR: 'is not a folder',
  EEXIST: 'is not a folder',
};

/** Makes `directory` where needed and locks it. Throws DataDirectoryError. */
export async function openDataDirectory(directory: string): Promise<WorldDatabase> {
  try {
    await mkdir(join(directory, 'world'), { recursive: true });
    const database: WorldDatabase = new ClassicLevel(join(directory, 'world'), { valueEncoding: 'json' });
    await database.open();
    return database;
  } catch (error) {
    throw new DataDirectoryError(`data directory ${directory} ${await reasonOf(error, directory)}`, {
      cause: error,
    });
  }
}

async function reasonOf(error: unknown, directory: string): Promise<string> {
  const codes = [error, (error as { cause?: unknown }).cause].map(
    (e) => (e as { code?: string })?.code ?? '',
  );
  if (codes.includes('LEVEL_LOCKED')) return `is in use by another process${await holder(directory)}`;
  const known = codes.map((code) => REASONS[code]).find(Boolean);
  return known ?? `cannot be opened: ${error instanceof Error ? error.message : String(error)}`;
}

async function holder(directory: string): Promise<string> {
  try {
    const { pid } = JSON.parse(await readFile(join(directory, 'world.json'), 'utf8')) as { pid: number };
    return ` (process ${pid})`;
  } catch {
    return '';
  }
}
