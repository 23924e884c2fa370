/**
 * From paths to inbox keys, before anything is sent: a folder gives `<upload>/<path within the folder>`, a file
 * `<upload>/<its name>`. Every regular file counts, hidden ones too; symbolic links and devices are named, not sent.
 */
import { isUtf8 } from 'node:buffer';
import { type Dirent, lstatSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { oneLine, UsageError } from '../errors.ts';

export interface PlannedFile {
  /** As the system calls it; bytes, because a name need not be UTF-8. */
  readonly path: Buffer;
  /** The key in the inbox. */
  readonly key: string;
}

export interface UploadPlan {
  readonly files: readonly PlannedFile[];
  /** What is not sent, and why: links, devices, folders that cannot be read. */
  readonly skipped: readonly { readonly path: string; readonly why: string; readonly isProblem: boolean }[];
}

/** Amazon S3: a key has at most 1,024 bytes of UTF-8. */
const KEY_BYTES = 1024;

/** Walks the paths. Throws UsageError for a missing path, two files with one key, or a key that is too long. */
export function planUpload(paths: readonly string[], upload: string): UploadPlan {
  const files: PlannedFile[] = [];
  const skipped: { path: string; why: string; isProblem: boolean }[] = [];
  for (const path of paths) {
    const stat = statOrRefuse(path);
    if (stat.isSymbolicLink()) skipped.push({ path, why: 'a symbolic link', isProblem: false });
    else if (stat.isDirectory()) walk(Buffer.from(path), `${upload}/`, files, skipped);
    else if (stat.isFile()) files.push({ path: Buffer.from(path), key: `${upload}/${basename(path)}` });
    else skipped.push({ path, why: 'not a regular file', isProblem: false });
  }
  refuseBadKeys(files);
  return { files, skipped };
}

function statOrRefuse(path: string) {
  try {
    return lstatSync(path);
  } catch (error) {
    throw new UsageError(`${path}: ${oneLine(error).replace(/^.*: /, '')}`);
  }
}

function walk(
  folder: Buffer,
  prefix: string,
  files: PlannedFile[],
  skipped: { path: string; why: string; isProblem: boolean }[],
): void {
  let entries: Dirent<Buffer>[];
  try {
    entries = readdirSync(folder, { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    skipped.push({ path: folder.toString(), why: oneLine(error).replace(/^.*: /, ''), isProblem: true });
    return;
  }
  entries.sort((a, b) => Buffer.compare(a.name, b.name));
  for (const entry of entries) {
    const path = Buffer.concat([folder, Buffer.from('/'), entry.name]);
    const name = keyPart(entry.name);
    if (entry.isDirectory()) walk(path, `${prefix}${name}/`, files, skipped);
    else if (entry.isFile()) files.push({ path, key: prefix + name });
    else
      skipped.push({
        path: path.toString(),
        why: entry.isSymbolicLink() ? 'a symbolic link' : 'not a regular file',
        isProblem: false,
      });
  }
}

/** A name as part of a key; the bytes of a name that is not UTF-8 are written as %XX. */
function keyPart(name: Buffer): string {
  if (isUtf8(name)) return name.toString('utf8');
  return [...name]
    .map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase()}`))
    .join('');
}

function refuseBadKeys(files: readonly PlannedFile[]): void {
  const seen = new Map<string, Buffer>();
  for (const { path, key } of files) {
    if (Buffer.byteLength(key) > KEY_BYTES)
      throw new UsageError(
        `${path}: its key would have ${Buffer.byteLength(key)} bytes, ${KEY_BYTES} are allowed`,
      );
    const other = seen.get(key);
    if (other !== undefined)
      throw new UsageError(`${other} and ${path} would both become ${key}: ingest them one after the other`);
    seen.set(key, path);
  }
}

/** `2026-01-31T10-20-30Z-1a2b3c`: an upload's name when none is given. `random`: any hex text. */
export function defaultUploadName(now: Date, random: string): string {
  return `${now.toISOString().slice(0, 19).replaceAll(':', '-')}Z-${random}`;
}

/** An upload is the first segment of a key, so it has no slash and is short enough to leave room for the rest. */
export function parseUploadName(name: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what we refuse
  if (name === '' || /[/\x00-\x1f\x7f]/.test(name) || Buffer.byteLength(name) > 200)
    throw new UsageError(
      `--upload: expected 1 to 200 bytes without a slash or control characters, got ${JSON.stringify(name)}`,
    );
  return name;
}
