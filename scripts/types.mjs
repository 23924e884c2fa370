/**
 * Writes `dist/types/`: the declarations that `isocenter/local` and `isocenter/verify` need, and no others. The sources
 * import each other as `.ts`; whoever installs the package gets `.js`, which every resolution of TypeScript knows.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const ENTRIES = ['local/index', 'shared/verify/index', 'shared/verify/browser'];
/** JavaScript of ours has its declarations beside it. */
const SCRIPT = /(?:from|import)\s*\(?\s*["'](\.{1,2}\/[^"']+)\.mjs["']/g;
const SPECIFIER = /((?:from|import)\s*\(?\s*["'])(\.{1,2}\/[^"']+)\.ts(["'])/g;

const out = join(root, 'dist/types');
mkdirSync(join(root, 'dist'), { recursive: true });
const emitted = mkdtempSync(join(root, 'dist/.types-'));
try {
  emit(emitted);
  rmSync(out, { recursive: true, force: true });
  const done = new Set();
  for (const entry of ENTRIES) copy(entry, done);
  console.log(`dist/types: ${done.size} declarations`);
} finally {
  rmSync(emitted, { recursive: true, force: true });
}

function emit(folder) {
  const config = join(folder, 'tsconfig.json');
  const compilerOptions = {
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    outDir: folder,
    rootDir: root,
  };
  const files = [...ENTRIES.map((entry) => `${entry}.ts`), 'shared/pixels/codec-packages.d.ts'];
  writeFileSync(
    config,
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions,
      include: [],
      files: files.map((file) => join(root, file)),
    }),
  );
  const manifest = createRequire(import.meta.url).resolve('typescript/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8'));
  execFileSync(process.execPath, [join(dirname(manifest), bin.tsc), '-p', config], { stdio: 'inherit' });
}

/** The declaration and all that it imports. */
function copy(module, done) {
  if (done.has(module)) return;
  done.add(module);
  const text = readFileSync(join(emitted, `${module}.d.ts`), 'utf8');
  const target = join(out, `${module}.d.ts`);
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, text.replace(SPECIFIER, '$1$2.js$3'));
  for (const [, path] of text.matchAll(SCRIPT)) {
    const declarations = join(dirname(module), `${path}.d.mts`);
    copyFileSync(join(root, declarations), join(out, declarations));
  }
  for (const [, , path] of text.matchAll(SPECIFIER)) copy(join(dirname(module), path), done);
}
