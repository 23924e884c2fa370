/**
 * Builds `dist/` from the TypeScript sources, in about a second, so that nothing needs a compiler at run time:
 *  - `dist/cli/main.js`, `dist/local/index.js`: the programs, sharing chunks; packages stay outside;
 *  - `dist/workers/<name>.mjs`: every `*-worker.ts`, whole in one file;
 *  - `dist/console/`: the pages of the console;
 *  - `dist/functions/<name>/index.mjs`: every Lambda function, sharing `dist/functions/chunks/`, with the codec workers beside
 *    those that decode, and the pages beside the function that serves them. The very files that deploy are the ones that the local world runs.
 * Up to date is decided by a digest of the sources; `--force` builds all the same.
 */
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const SOURCE_FOLDERS = ['functions', 'shared', 'local', 'cli', 'console'];
/** CommonJS packages inside an ESM bundle ask for these. */
const REQUIRE_BANNER =
  "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; " +
  'const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); ' +
  "const __dirname = __fileURLToPath(new URL('.', import.meta.url));";

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  logLevel: 'warning',
  legalComments: 'none',
};

/** Every source file below the folders, sorted: `['cli/main.ts', …]`. */
function sources() {
  const files = [];
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = `${folder}/${entry.name}`;
      if (entry.isDirectory()) walk(path);
      else if (/\.(tsx?|json|mjs|html|css|svg)$/.test(entry.name)) files.push(path);
    }
  };
  for (const folder of SOURCE_FOLDERS) if (existsSync(join(root, folder))) walk(folder);
  return files.sort();
}

function digestOf(files) {
  const hash = createHash('sha256');
  for (const file of [...files, 'scripts/build.mjs', 'package.json']) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(root, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** Builds when needed. Returns whether it did. Safe to call from several processes: the swap is one rename. */
export async function buildAll({ force = false } = {}) {
  const files = sources();
  const digest = digestOf(files);
  const stamp = join(root, 'dist', '.sources');
  if (!force && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return false;

  const out = join(root, `dist.${process.pid}`);
  rmSync(out, { recursive: true, force: true });
  const programs = ['cli/main.ts', 'local/index.ts', 'shared/verify/index.ts'].filter((f) =>
    files.includes(f),
  );
  const workers = files.filter((f) => f.endsWith('-worker.ts') && !f.startsWith('console/'));
  const functions = files.filter((f) => /^functions\/[^/]+\.ts$/.test(f));

  await build({
    ...common,
    entryPoints: programs,
    outdir: out,
    outbase: '.',
    splitting: true,
    packages: 'external',
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
  });
  const workerFiles = [];
  for (const worker of workers) {
    const name = `${basename(worker, '.ts')}.mjs`;
    await build({
      ...common,
      entryPoints: [worker],
      outfile: join(out, 'workers', name),
      banner: { js: REQUIRE_BANNER },
      packages: 'external',
    });
    workerFiles.push(name);
  }
  // One call for all, sharing chunks: a package carries the handler's folder and the chunks that it imports.
  const { metafile } = await build({
    ...common,
    entryPoints: functions.map((fn) => ({ in: fn, out: `${basename(fn, '.ts')}/index` })),
    outdir: join(out, 'functions'),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    banner: { js: REQUIRE_BANNER },
    // The SDK as ES modules: what a function does not call is left out (a third less to load at a cold start).
    mainFields: ['module', 'main'],
    minifySyntax: true,
    metafile: true,
  });
  const codecFiles = await copyCodecs(metafile, out);
  writeFileSync(
    join(out, 'functions', 'files.json'),
    JSON.stringify(filesOfFunctions(metafile, out, codecFiles), null, 1),
  );
  if (files.includes('shared/verify/browser.ts')) await buildForBrowsers(join(out, 'verify'));
  if (files.includes('console/main.tsx')) {
    await buildConsole(join(out, 'console'));
    // The function that serves the pages on AWS carries them.
    cpSync(join(out, 'console'), join(out, 'functions', 'serve-console', 'console'), { recursive: true });
  }
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, '.sources'), digest);
  const old = join(root, `dist.old.${process.pid}`);
  if (existsSync(join(root, 'dist'))) renameSync(join(root, 'dist'), old);
  renameSync(out, join(root, 'dist'));
  rmSync(old, { recursive: true, force: true });
  return true;
}

/** `isocenter/verify` for browsers: one module, the WebAssembly beside it. Node's modules are named but never reached. */
async function buildForBrowsers(folder) {
  await build({
    ...common,
    platform: 'browser',
    target: 'es2022',
    entryPoints: ['shared/verify/browser.ts'],
    outfile: join(folder, 'browser.js'),
    external: ['fs', 'path', 'crypto', 'url', 'module'],
    minifySyntax: true,
  });
  await copyAssets(folder);
}

/** The console's pages: one script (and one for signing in), one style sheet, one worker with the WebAssembly that it decodes frames with. */
async function buildConsole(folder) {
  await build({
    ...common,
    platform: 'browser',
    target: 'es2022',
    entryPoints: [
      'console/main.tsx',
      'console/sign-in/oidc.ts',
      'console/viewer/decode-worker.ts',
      'console/styles/styles.css',
    ],
    entryNames: '[name]',
    outdir: folder,
    external: ['fs', 'path', 'crypto', 'url', 'module'],
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
  });
  for (const file of ['index.html', 'icon.svg'])
    copyFileSync(join(root, 'console', file), join(folder, file));
  await copyAssets(folder);
}

/** What each function's package carries: `{ 'verify-frames': ['dist/functions/verify-frames/**', 'dist/functions/chunks/…'] }`. */
function filesOfFunctions(metafile, out, codecFiles) {
  const inDist = (path) => join('dist', relative(out, resolve(root, path)));
  const chunksOf = (path, found = new Set()) => {
    for (const imported of metafile.outputs[path].imports)
      if (!imported.external && !found.has(imported.path)) chunksOf(imported.path, found.add(imported.path));
    return found;
  };
  const entries = Object.entries(metafile.outputs).filter(([, output]) =>
    output.entryPoint?.startsWith('functions/'),
  );
  return Object.fromEntries(
    entries.map(([path, { entryPoint }]) => [
      basename(entryPoint, '.ts'),
      [
        `${dirname(inDist(path))}/**`,
        ...[...chunksOf(path)]
          .flatMap((chunk) => [chunk, ...(codecFiles.get(chunk) ?? [])])
          .map(inDist)
          .sort(),
      ],
    ]),
  );
}

/**
 * A function that decodes frames carries the codec worker, bundled whole, and the WebAssembly it loads: beside the
 * output that holds the codec pool, a chunk where several functions decode. Gives these files by that output.
 */
async function copyCodecs(metafile, out) {
  const decoding = Object.entries(metafile.outputs)
    .filter(([, output]) => Object.keys(output.inputs).some((i) => i.endsWith('shared/pixels/codec-pool.ts')))
    .map(([path]) => path);
  const files = new Map();
  if (decoding.length === 0) return files;
  const worker = join(out, 'codec-worker.mjs');
  await build({
    ...common,
    entryPoints: ['shared/pixels/codec-worker.ts'],
    outfile: worker,
    banner: { js: REQUIRE_BANNER },
    minifySyntax: true,
  });
  for (const path of decoding) {
    const folder = dirname(resolve(root, path));
    copyFileSync(worker, join(folder, 'codec-worker.mjs'));
    files.set(path, [join(folder, 'codec-worker.mjs'), ...(await copyAssets(folder))]);
  }
  rmSync(worker);
  return files;
}

/** Gives the paths of the copies. */
async function copyAssets(folder) {
  const assets = pathToFileURL(join(root, 'shared/pixels/codec-assets.mjs')).href;
  const { CODEC_ASSETS, locateAsset } = await import(assets);
  return CODEC_ASSETS.map((asset) => {
    const copy = join(folder, basename(asset));
    copyFileSync(locateAsset(asset, root), copy);
    return copy;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const started = performance.now();
  const built = await buildAll({ force: process.argv.includes('--force') });
  console.error(
    built ? `built dist/ in ${Math.round(performance.now() - started)} ms` : 'dist/ is up to date',
  );
}
