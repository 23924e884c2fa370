/**
 * Puts files into the code blocks of Markdown pages that name them: a block after `<!-- file: PATH -->` holds that file.
 * `node scripts/include-examples.mjs` writes the pages; with `--check` it only says whether they are up to date.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('..', import.meta.url);
const PAGES = ['README.md', 'docs/verify-library.md'];
const BLOCK = /(<!-- file: (\S+) -->\n```\w*\n)[\s\S]*?(```\n)/g;

/** The page with every named file in its block. */
export function withExamples(page) {
  return page.replace(
    BLOCK,
    (_, open, path, close) => open + readFileSync(new URL(path, root), 'utf8') + close,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  let stale = 0;
  for (const name of PAGES) {
    const file = new URL(name, root);
    const page = readFileSync(file, 'utf8');
    const wanted = withExamples(page);
    if (wanted === page) continue;
    stale += 1;
    if (process.argv.includes('--check')) console.error(`${name}: examples are not up to date`);
    else writeFileSync(file, wanted);
  }
  process.exit(process.argv.includes('--check') && stale > 0 ? 1 : 0);
}
