/** The pages: a fixed set of files of one folder, read once at the first request; no path ever reaches the disk. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface StaticFile {
  readonly body: Buffer;
  readonly contentType: string;
}

/** Files by URL path, `/` for the page itself. Empty when the console was not built. */
export function readStaticFiles(folder: string): Map<string, StaticFile> {
  const files = new Map<string, StaticFile>();
  const names = readdirIfThere(folder).filter((name) => TYPES[extname(name)] !== undefined);
  for (const name of names) {
    const contentType = TYPES[extname(name)] as string;
    files.set(name === 'index.html' ? '/' : `/${name}`, {
      body: readFileSync(join(folder, name)),
      contentType,
    });
  }
  return files;
}

function readdirIfThere(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
