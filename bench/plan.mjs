/**
 * How snapshot and planning scale: N listed objects through TakeUpload, N inspected ones through PlanImport, over an
 * object store on disk. `node bench/plan.mjs [N]` prints the seconds and the resident memory for N and 2 N objects
 * (default 500,000: the larger run plans 1,000,000), and the ratio that design section 12 bounds by 2.2;
 * `node bench/plan.mjs take N` runs only the snapshot of N objects.
 */
import { execFileSync } from 'node:child_process';
import {
  createReadStream,
  createWriteStream,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const SERIES_SIZE = 200;
const SERIES_PER_STUDY = 4;

/** The least of an object store on disk: what PlanImport uses of the port. */
function diskStore(root, errors) {
  const pathOf = ({ bucket, key }) => join(root, bucket, key);
  const missing = (error) => {
    if (error.code === 'ENOENT') throw new errors.NoSuchObject('there is no such object');
    throw error;
  };
  const entryOf = (key, stats) => ({
    key,
    sizeBytes: stats.size,
    etag: `"${stats.size}"`,
    lastModified: stats.mtime.toISOString(),
  });
  const write = async (location, body, { ifNoneMatch } = {}) => {
    mkdirSync(dirname(pathOf(location)), { recursive: true });
    await writeFile(pathOf(location), body, { flag: ifNoneMatch ? 'wx' : 'w' }).catch((error) => {
      if (error.code === 'EEXIST') throw new errors.PreconditionFailed('it is there');
      throw error;
    });
    return { etag: '"1"' };
  };
  return {
    async *list(bucket, prefix) {
      const folder = join(root, bucket, dirname(`${prefix}x`));
      let names = [];
      try {
        names = readdirSync(folder).sort();
      } catch {}
      for (const name of names) {
        const key = `${dirname(`${prefix}x`)}/${name}`;
        if (key.startsWith(prefix)) yield entryOf(key, statSync(join(folder, name)));
      }
    },
    head: async (location) => {
      try {
        return entryOf(location.key, statSync(pathOf(location)));
      } catch {
        return undefined;
      }
    },
    read: async (location) => {
      const bytes = await readFile(pathOf(location)).catch(missing);
      return { bytes, etag: '"1"', totalBytes: bytes.length };
    },
    stream: async (location) => createReadStream(pathOf(location)),
    write,
    writeStream: async (location, chunks) => {
      mkdirSync(dirname(pathOf(location)), { recursive: true });
      const out = createWriteStream(pathOf(location));
      for await (const chunk of chunks) if (!out.write(chunk)) await new Promise((r) => out.once('drain', r));
      out.end();
      await finished(out);
      return { etag: '"1"', sizeBytes: out.bytesWritten };
    },
    remove: async (_, objects) => ({ removed: objects.map((o) => o.key), changed: [], failed: [] }),
  };
}

/** A million lines as InspectObjects writes them, a thousand a shard. */
async function writeInspected(store, executionId, count) {
  for (let from = 0; from < count; from += 1000) {
    const lines = [];
    for (let n = from; n < Math.min(count, from + 1000); n++) lines.push(JSON.stringify(inspectedLine(n)));
    const shard = String(from / 1000).padStart(5, '0');
    await store.write(
      { bucket: 'work', key: `executions/${executionId}/inspected/${shard}` },
      `${lines.join('\n')}\n`,
    );
  }
}

/** Objects of one series do not lie side by side: uploads of several senders mix. */
function inspectedLine(n) {
  const mixed = (n * 7919) % 1_000_003;
  const series = Math.floor(mixed / SERIES_SIZE);
  const study = Math.floor(series / SERIES_PER_STUDY);
  return {
    n,
    key: `night/batch/${n}/IM${mixed}.dcm`,
    sizeBytes: 526_000,
    etag: `"${n.toString(16).padStart(32, '0')}"`,
    lastModified: '2026-01-01T00:00:00.000Z',
    inspected: {
      verdict: 'accepted',
      sopInstanceUID: `1.2.826.0.1.3680043.9.${study}.${series}.${mixed}`,
      sopClassUID: '1.2.840.10008.5.1.4.1.1.2',
      studyInstanceUID: `1.2.826.0.1.3680043.9.${study}`,
      seriesInstanceUID: `1.2.826.0.1.3680043.9.${study}.${series}`,
      transferSyntaxUID: '1.2.840.10008.1.2.1',
      modality: 'CT',
      identity: {
        patientID: `P${study}`,
        issuerOfPatientID: '',
        birthDate: '19700101',
        sex: 'O',
        name: 'A^B',
      },
      grouping: { StudyDate: '20260101', AccessionNumber: `A${study}` },
      normalisedDigest: 'a'.repeat(64),
      datasetDigest: 'b'.repeat(64),
      frames: 1,
      hasPixelData: true,
      metadataBytes: 3000,
      warnings: [],
    },
  };
}

/** TakeUpload's snapshot: a listing of so many objects, streamed into inventory shards on disk. */
async function measureTake(store, takeUpload, count) {
  const lastModified = '2026-01-01T00:00:00.000Z';
  const objects = {
    ...store,
    async *list(bucket, prefix) {
      if (bucket !== 'inbox') return yield* store.list(bucket, prefix);
      for (let n = 0; n < count; n++)
        yield { key: `u/night/IM${n}.dcm`, sizeBytes: 526_000, etag: `"${n}"`, lastModified };
    },
  };
  await store.write({ bucket: 'work', key: 'uploads/u.json' }, JSON.stringify({ upload: 'u' }));
  const settings = { workBucket: 'work', inboxBucket: 'inbox', quietSeconds: 60, maxWaitSeconds: 0 };
  const executions = { status: async () => 'RUNNING' };
  const before = process.cpuUsage();
  const request = {
    executionId: 'take',
    uploadId: 'u',
    executionArn: 'arn:take',
    executionStartedAt: lastModified,
  };
  const taken = await takeUpload(
    { objects, executions, settings, clock: { now: () => Date.now() } },
    request,
  );
  if (taken.status !== 'taken') throw new Error(`TakeUpload: expected taken, got ${taken.status}`);
  const { user, system } = process.cpuUsage(before);
  return {
    cpuSeconds: (user + system) / 1e6,
    peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
  };
}

async function measure(count) {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
  const bundle = join(folder, 'plan.mjs');
  const root = fileURLToPath(new URL('..', import.meta.url));
  await build({
    stdin: {
      contents:
        "export { planImport } from './shared/ingest/plan-import.ts'; export { takeUpload } from './shared/ingest/take-upload.ts'; export * from './shared/ports/object-store.ts';",
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: bundle,
    logLevel: 'error',
  });
  const { planImport, takeUpload, ...errors } = await import(bundle);
  const store = diskStore(folder, errors);
  const executionId = 'bench';
  try {
    const taken = await measureTake(store, takeUpload, count);
    if (process.argv[2] === 'take') return { count, ...taken };
    await writeInspected(store, executionId, count);
    const deps = {
      objects: store,
      clock: { now: () => Date.now() },
      settings: {
        workBucket: 'work',
        inboxBucket: 'inbox',
        datastoreId: 'd'.repeat(32),
        constraintProfile: 'current',
      },
      executions: { status: async () => 'RUNNING' },
      imaging: { searchImageSets: async function* () {} },
    };
    const started = performance.now();
    const before = process.cpuUsage();
    await planImport(deps, { executionId, uploadId: 'u', executionArn: 'arn:bench' });
    const seconds = (performance.now() - started) / 1000;
    const { user, system } = process.cpuUsage(before);
    // ru_maxrss is in kilobytes: the largest resident size of this process so far.
    return {
      count,
      seconds,
      cpuSeconds: (user + system) / 1e6,
      takenCpuSeconds: taken.cpuSeconds,
      takenMB: taken.peakMB,
      peakMB: Math.round(process.resourceUsage().maxRSS / 1024),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[2] === 'one' || process.argv[2] === 'take')
  console.log(JSON.stringify(await measure(Number(process.argv[3]))));
else {
  const count = Number(process.argv[2] ?? 500_000);
  const runs = [count, 2 * count].map((n) => {
    const args = ['--max-old-space-size=900', fileURLToPath(import.meta.url), 'one', String(n)];
    const run = JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' }));
    console.log(
      `${run.count} objects taken: ${run.takenCpuSeconds.toFixed(1)} s of CPU, ${run.takenMB} MB resident`,
    );
    console.log(
      `${run.count} objects: ${run.seconds.toFixed(1)} s, ${run.cpuSeconds.toFixed(1)} s of CPU, ${run.peakMB} MB resident`,
    );
    return run;
  });
  const takenRatio = runs[1].takenCpuSeconds / runs[0].takenCpuSeconds;
  console.log(
    `twice the objects to take: ${takenRatio.toFixed(2)} times the CPU seconds (wanted at most 2.2)`,
  );
  const ratio = runs[1].cpuSeconds / runs[0].cpuSeconds;
  console.log(`twice the objects: ${ratio.toFixed(2)} times the CPU seconds (wanted at most 2.2)`);
}
