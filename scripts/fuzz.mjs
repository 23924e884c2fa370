/**
 * Throws seeded broken objects at a target and says what came out:
 * `node scripts/fuzz.mjs --target inspect --runs 100000 --seed 1 [--only RUN | --from RUN] [--deadline SECONDS]`.
 * Targets: inspect, metadata, frames; import goes through real servers, a job for each 200 objects.
 * A watchdog looks at the loop from outside: a run that takes longer than the deadline is a hang. Exit 1 on any finding.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const root = fileURLToPath(new URL('..', import.meta.url));

async function main() {
  const { build } = await import('esbuild');
  const { values } = parseArgs({
    options: {
      target: { type: 'string', default: 'inspect' },
      runs: { type: 'string', default: '10000' },
      seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
      only: { type: 'string' },
      from: { type: 'string', default: '0' },
      deadline: { type: 'string', default: '60' },
      corpus: {
        type: 'string',
        default: process.env.ISOCENTER_SHARED_DICOM ?? join(root, '../shared/dicom'),
      },
    },
  });
  // Beside dist/: the importer's codecs look for their workers from the package that they run in.
  const { buildAll } = await import('./build.mjs');
  if (values.target === 'import') await buildAll();
  const folder = join(root, 'dist', `fuzz-${process.pid}`);
  const module = join(folder, 'fuzz.mjs');
  await build({
    entryPoints: [join(root, 'test/fuzz/fuzz.ts')],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: module,
    packages: 'external',
    logLevel: 'warning',
  });
  const corpus = existsSync(values.corpus) ? values.corpus : undefined;
  if (!corpus) console.error(`no corpus at ${values.corpus}: generated objects only`);
  const seed = Number(values.seed);
  const range = values.only
    ? { from: Number(values.only), runs: 1 }
    : { from: Number(values.from), runs: Number(values.runs) };
  console.error(
    `target ${values.target}, seed ${seed}, runs ${range.from} to ${range.from + range.runs - 1}`,
  );
  const shared = new BigInt64Array(new SharedArrayBuffer(16));
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { module, shared, options: { target: values.target, seed, corpus, ...range } },
  });
  const finish = (exitCode) => {
    rmSync(folder, { recursive: true, force: true });
    process.exit(exitCode);
  };
  const watchdog = setInterval(() => {
    const since = Number(BigInt(Date.now()) - Atomics.load(shared, 1)) / 1000;
    if (Atomics.load(shared, 1) === 0n || since < Number(values.deadline)) return;
    console.error(`run ${Atomics.load(shared, 0)} of seed ${seed} has been running for ${since} s: a hang`);
    finish(1);
  }, 500);
  worker.on('error', (error) => {
    console.error(`run ${Atomics.load(shared, 0)} of seed ${seed} ended the worker: ${error.stack ?? error}`);
    finish(1);
  });
  worker.on('message', (report) => {
    clearInterval(watchdog);
    console.log(JSON.stringify(report, null, 2));
    finish(report.findings.length > 0 ? 1 : 0);
  });
}

async function work() {
  const { module, shared, options } = workerData;
  const { fuzz } = await import(pathToFileURL(module).href);
  const onRun = (run) => {
    Atomics.store(shared, 0, BigInt(run));
    Atomics.store(shared, 1, BigInt(Date.now()));
  };
  parentPort.postMessage(await fuzz({ ...options, onRun }));
}

await (isMainThread ? main() : work());
