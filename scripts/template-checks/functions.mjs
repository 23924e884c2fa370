/** Functions: their handlers are there, and how big each bundle is. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A bundle over this many bytes (zipped) starts noticeably slower: look what came in before raising it. */
const BUNDLE_LIMIT_BYTES = 3 * 1024 * 1024;

const functionsOf = ({ Resources }) =>
  Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function');

const kebab = (name) => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);

/** The files that the function's package carries (`dist/functions/files.json`, from the build). */
function packagedFiles(handler, root) {
  const folder = join(root, dirname(handler));
  if (!existsSync(folder)) return [];
  const listed =
    JSON.parse(readFileSync(join(root, 'dist/functions/files.json'), 'utf8'))[basename(folder)] ?? [];
  const chunks = listed.filter((file) => !file.endsWith('/**')).map((file) => join(root, file));
  const own = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return [...own.map(({ parentPath, name }) => join(parentPath, name)), ...chunks];
}

/** The pages that a function serves lie beside it: without them it would answer 404 to everything. */
function missingPages([logicalId, { Properties }], root) {
  const files = packagedFiles(Properties.Handler, root);
  const serves = files.some(
    (file) => basename(file) === 'index.mjs' && /["']\.\/console\/["']/.test(readFileSync(file, 'utf8')),
  );
  return serves && !files.some((file) => file.endsWith('console/index.html'))
    ? [`${logicalId}: serves the console, and the package has no pages`]
    : [];
}

/** Code that starts codec workers finds them beside itself: where the package lacks one, no frame is ever decoded. */
function missingWorkers([logicalId, { Properties }], root) {
  const files = packagedFiles(Properties.Handler, root);
  return files
    .filter((file) => file.endsWith('.mjs') && basename(file) !== 'codec-worker.mjs')
    .filter((file) => readFileSync(file, 'utf8').includes('codec-worker.mjs'))
    .filter((file) => !files.includes(join(dirname(file), 'codec-worker.mjs')))
    .map(
      (file) => `${logicalId}: ${basename(file)} starts codec workers, and the package has none beside it`,
    );
}

const zippedSizes = new Map();

/** Functions share chunks and codecs: each file is compressed once, and again only when it was built anew. */
function zippedSize(file) {
  const { size, mtimeMs } = statSync(file);
  const written = `${file} ${size} ${mtimeMs}`;
  const known = zippedSizes.get(written) ?? gzipSync(readFileSync(file)).length;
  zippedSizes.set(written, known);
  return known;
}

/** Per function: name, bytes on disk, bytes compressed. */
export function bundleSizes(template, root) {
  return functionsOf(template).map(([logicalId, { Properties }]) => {
    const files = packagedFiles(Properties.Handler, root);
    const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
    return {
      name: logicalId.replace(/LambdaFunction$/, ''),
      bytes: sum(files.map((file) => statSync(file).size)),
      zippedBytes: sum(files.map(zippedSize)),
    };
  });
}

/** One name everywhere: `TakeUploadLambdaFunction`, `dist/functions/take-upload`, `functions/take-upload.ts`. */
export function checkFunctions(template, root) {
  const listed = functionsOf(template);
  const problems = listed.flatMap(([logicalId, { Properties }]) => {
    const name = kebab(logicalId.replace(/LambdaFunction$/, '')).slice(1);
    const wanted = `dist/functions/${name}/index.handler`;
    if (Properties.Handler !== wanted)
      return [`${logicalId}: expected the handler ${wanted}, got ${Properties.Handler}`];
    return existsSync(join(root, 'functions', `${name}.ts`))
      ? []
      : [`${logicalId}: no file functions/${name}.ts`];
  });
  const handlers = new Set(listed.map(([, { Properties }]) => Properties.Handler.split('/')[2]));
  const files = existsSync(join(root, 'functions')) ? readdirSync(join(root, 'functions')) : [];
  const orphans = files.filter((file) => file.endsWith('.ts') && !handlers.has(file.slice(0, -3)));
  const large = bundleSizes(template, root).filter(({ zippedBytes }) => zippedBytes > BUNDLE_LIMIT_BYTES);
  return [
    ...problems,
    ...listed.flatMap((listing) => missingWorkers(listing, root)),
    ...listed.flatMap((listing) => missingPages(listing, root)),
    ...orphans.map((file) => `functions/${file}: no function of the template runs it`),
    ...large.map(
      ({ name, zippedBytes }) => `${name}: ${zippedBytes} bytes zipped, over ${BUNDLE_LIMIT_BYTES}`,
    ),
  ];
}
