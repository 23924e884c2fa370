/**
 * SearchImageSets over 10,000 and 1,000,000 synthetic instances, loaded straight into the store (ten instances an image
 * set): p95 of each kind of search over HTTP, memory, and the time to start. `node bench/search.mjs [instances…]`.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const PER_SET = 10;
const SETS_PER_STUDY = 4;
const SEARCHES = 200;
const DATASTORE = '0'.repeat(32);

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-search-'));
mkdirSync(join(root, 'dist'), { recursive: true });
const bundle = join(root, 'dist', `bench-search.${process.pid}.mjs`);
await build({
  stdin: {
    contents: `export { startHealthImaging } from './local/healthimaging/server.ts';
      export { openStore, putImageSet } from './local/healthimaging/store/store.ts';
      export { put } from './local/healthimaging/store/database.ts';
      export { keyOf } from './local/healthimaging/store/keys.ts';`,
    resolveDir: root,
    loader: 'ts',
  },
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  logLevel: 'error',
});
const { startHealthImaging, openStore, putImageSet, put, keyOf } = await import(bundle);

/** One synthetic image set; no patient, only numbers. */
function imageSet(index) {
  const study = Math.floor(index / SETS_PER_STUDY);
  const at = 1_700_000_000_000 + index;
  const day = new Date(Date.UTC(2000, 0, 1 + (study % 9_000)));
  return {
    datastoreId: DATASTORE,
    imageSetId: index.toString(16).padStart(32, '0'),
    latestVersion: 1,
    createdAt: at,
    updatedAt: at,
    isPrimary: true,
    tags: {
      DICOMPatientId: `P${study % 20_000}`,
      DICOMStudyInstanceUID: `1.2.${study}`,
      DICOMSeriesInstanceUID: `1.2.${study}.${index}`,
      DICOMAccessionNumber: `A${study}`,
      DICOMStudyId: `S${study % 1_000}`,
      DICOMStudyDate: day.toISOString().slice(0, 10).replaceAll('-', ''),
      DICOMStudyTime: '120000',
      DICOMSeriesModality: 'CT',
      DICOMNumberOfStudyRelatedSeries: 1,
      DICOMNumberOfStudyRelatedInstances: PER_SET,
    },
  };
}

async function load(dataDir, sets) {
  const store = await openStore(dataDir, { fsync: false });
  const now = 1_700_000_000_000;
  const datastore = {
    datastoreId: DATASTORE,
    datastoreName: 'bench',
    datastoreStatus: 'ACTIVE',
    datastoreArn: `arn:aws:medical-imaging:us-east-1:000000000000:datastore/${DATASTORE}`,
    createdAt: now,
    updatedAt: now,
  };
  await store.database.write([put(keyOf('datastore', DATASTORE), datastore)]);
  let batch = [];
  for (let index = 0; index < sets; index++) {
    const set = imageSet(index);
    const version = {
      version: 1,
      imageSetState: 'ACTIVE',
      imageSetWorkflowStatus: 'CREATED',
      createdAt: set.createdAt,
      isPrimary: true,
      document: '0'.repeat(64),
    };
    batch.push(...putImageSet(undefined, set, version));
    if (batch.length > 5_000) {
      await store.database.write(batch);
      batch = [];
    }
  }
  await store.database.write(batch);
  await store.close();
}

/** The kinds of search that clients make, each with another value every time. */
function kinds(sets) {
  const study = (i) => (i * 7_919) % Math.ceil(sets / SETS_PER_STUDY);
  const equal = (value) => ({ filters: [{ operator: 'EQUAL', values: [value] }] });
  return {
    'newest first': () => ({}),
    'one patient': (i) => equal({ DICOMPatientId: `P${study(i) % 20_000}` }),
    'one study': (i) => equal({ DICOMStudyInstanceUID: `1.2.${study(i)}` }),
    'one series': (i) => equal({ DICOMSeriesInstanceUID: `1.2.${study(i)}.${study(i) * SETS_PER_STUDY}` }),
    'primary, by creation': () => ({
      ...equal({ isPrimary: true }),
      sort: { sortField: 'createdAt', sortOrder: 'ASC' },
    }),
    'a week of studies': (i) => ({
      filters: [
        {
          operator: 'BETWEEN',
          values: [`200${i % 9}0301`, `200${i % 9}0307`].map((DICOMStudyDate) => ({
            DICOMStudyDateAndTime: { DICOMStudyDate },
          })),
        },
      ],
      sort: { sortField: 'DICOMStudyDateAndTime', sortOrder: 'DESC' },
    }),
  };
}

async function measure(instances) {
  const dataDir = join(folder, String(instances));
  const sets = instances / PER_SET;
  const loading = performance.now();
  await load(dataDir, sets);
  const loadSeconds = (performance.now() - loading) / 1000;
  const starting = performance.now();
  const server = await startHealthImaging({ dataDir, fsync: false });
  const startMilliseconds = performance.now() - starting;
  const p95 = {};
  for (const [name, criteria] of Object.entries(kinds(sets))) {
    const times = [];
    for (let i = 0; i < SEARCHES; i++) {
      const started = performance.now();
      const response = await fetch(`${server.endpoint}/datastore/${DATASTORE}/searchImageSets`, {
        method: 'POST',
        body: JSON.stringify(criteria(i)),
      });
      await response.json();
      if (response.status !== 200) throw new Error(`${name}: ${response.status}`);
      times.push(performance.now() - started);
    }
    p95[name] = times.sort((a, b) => a - b)[Math.floor(SEARCHES * 0.95)];
  }
  const megabytes = process.memoryUsage().rss / 1e6;
  await server.close();
  return { instances, sets, loadSeconds, startMilliseconds, megabytes, p95 };
}

const counts = process.argv.slice(2).map(Number);
try {
  const results = [];
  for (const instances of counts.length > 0 ? counts : [10_000, 1_000_000])
    results.push(await measure(instances));
  for (const { instances, sets, loadSeconds, startMilliseconds, megabytes } of results) {
    console.log(
      `${instances} instances in ${sets} image sets: loaded in ${loadSeconds.toFixed(1)} s, ` +
        `started in ${startMilliseconds.toFixed(0)} ms, ${megabytes.toFixed(0)} MB resident`,
    );
  }
  for (const name of Object.keys(results[0].p95)) {
    const figures = results.map(({ p95 }) => `${p95[name].toFixed(1)} ms`);
    const ratio = results.at(-1).p95[name] / results[0].p95[name];
    console.log(`${name.padEnd(22)} p95 ${figures.join(' → ')}  (× ${ratio.toFixed(1)})`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
  rmSync(bundle, { force: true });
}
