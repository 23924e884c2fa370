/** Renders the tables that have a page: docs/outcomes.md, docs/constraints.md, docs/behaviour.md, docs/notifications.md. `--check` only says whether they are up to date. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const PAGES = [
  { page: 'docs/outcomes.md', module: 'scripts/pages/outcomes-page.ts', render: 'outcomesPage' },
  { page: 'docs/constraints.md', module: 'scripts/pages/constraints-page.ts', render: 'constraintsPage' },
  {
    page: 'docs/notifications.md',
    module: 'scripts/pages/notifications-page.ts',
    render: 'notificationsPage',
  },
  { page: 'docs/behaviour.md', module: 'scripts/pages/behaviour-page.ts', render: 'behaviourPage' },
];
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-docs-'));
for (const { page, module, render } of PAGES) {
  const outfile = join(folder, `${render}.mjs`);
  const entryPoints = [join(root, module)];
  await build({ entryPoints, bundle: true, platform: 'node', format: 'esm', outfile, logLevel: 'warning' });
  const wanted = (await import(pathToFileURL(outfile).href))[render]();
  if (!process.argv.includes('--check')) writeFileSync(join(root, page), wanted);
  else if (readFileSync(join(root, page), 'utf8') !== wanted) {
    console.error(`${page} is not what ${module} says: node scripts/render-docs.mjs`);
    process.exitCode = 1;
  }
}
rmSync(folder, { recursive: true });
