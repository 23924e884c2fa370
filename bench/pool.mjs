/** Our codec pool, bundled from the sources for a benchmark; its worker is the one in dist/. */
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { buildAll } from '../scripts/build.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Builds dist/ when it is stale, then imports `source` (relative to the repository) as one module. */
export async function load(source) {
  await buildAll();
  const outfile = `${root}dist/bench/${source.replaceAll('/', '-').replace(/\.ts$/, '')}.mjs`;
  await build({
    absWorkingDir: root,
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
  return import(pathToFileURL(outfile).href);
}
