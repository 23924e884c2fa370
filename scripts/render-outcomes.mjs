/** Renders shared/ingest/outcomes.ts to docs/outcomes.md; `--check` only says whether it is up to date. */
import { readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const page = fileURLToPath(new URL('../docs/outcomes.md', import.meta.url));
const outfile = join(tmpdir(), `isocenter-outcomes-${process.pid}.mjs`);
const entry = fileURLToPath(new URL('../shared/ingest/outcomes-page.ts', import.meta.url));
await build({
  entryPoints: [entry],
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile,
  logLevel: 'warning',
});
const { outcomesPage } = await import(pathToFileURL(outfile).href);
const wanted = outcomesPage();
if (!process.argv.includes('--check')) writeFileSync(page, wanted);
else if (readFileSync(page, 'utf8') !== wanted) {
  console.error(
    'docs/outcomes.md is not what shared/ingest/outcomes.ts says: node scripts/render-outcomes.mjs',
  );
  process.exitCode = 1;
}
