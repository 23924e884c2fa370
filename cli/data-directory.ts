/** Where the local world keeps its things: `--data DIR`, else `$ISOCENTER_DATA`, else `./.isocenter`. */
import { accessSync, constants, existsSync, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { CommandFailed, oneLine, UsageError } from './errors.ts';

export function dataDirectory(option: string | undefined, env = process.env): string {
  const chosen = option ?? env.ISOCENTER_DATA;
  if (chosen === '') throw new UsageError('--data: expected a folder, got nothing');
  return resolve(chosen ?? '.isocenter');
}

/** Makes the folder where it is missing, and says plainly why it cannot be used. */
export function prepareDataDirectory(dir: string): void {
  try {
    makeFolder(dir);
  } catch (error) {
    throw new CommandFailed(`data directory ${dir}: ${reason(error)}`);
  }
  if (!statSync(dir).isDirectory()) throw new CommandFailed(`data directory ${dir}: is a file, not a folder`);
  try {
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw new CommandFailed(`data directory ${dir}: ${reason(error)}`);
  }
}

/** One folder at a time: Node's recursive mkdir says ENOENT where the disk is read-only. */
function makeFolder(dir: string): void {
  if (existsSync(dir)) return;
  if (dirname(dir) !== dir) makeFolder(dirname(dir));
  try {
    mkdirSync(dir);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || !statSync(dir).isDirectory()) throw error;
  }
}

export function dataDirectoryExists(dir: string): boolean {
  return existsSync(dir);
}

function reason(error: unknown): string {
  return oneLine(error).replace(/^.*: /, '');
}
