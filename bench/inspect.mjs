/**
 * Objects a second through inspectObject, beside a bare dicom-parser loop over the same heads read from the same files.
 * `node bench/inspect.mjs [--folder DIR] [--seconds N]`; the ratio is taken over interleaved rounds of
 * one run, by the clock and (steadier on a busy machine) by processor time.
 */
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import dicomParser from 'dicom-parser';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: {
    folder: { type: 'string', default: fileURLToPath(new URL('../../shared/dicom', import.meta.url)) },
    seconds: { type: 'string', default: '6' },
  },
});

const outfile = join(tmpdir(), `isocenter-bench-inspect-${process.pid}.mjs`);
await build({
  entryPoints: [fileURLToPath(new URL('../shared/ingest/inspect.ts', import.meta.url))],
  bundle: true,
  platform: 'node',
  format: 'esm',
  outfile,
});
const { inspectObject } = await import(pathToFileURL(outfile).href);

const paths = readdirSync(values.folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.dcm$/i.test(entry.name))
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

/** Reads of a file, as an S3 object's ranged reads would be; `asked` collects where each read ended. */
function fileSource(path, asked) {
  const descriptor = openSync(path, 'r');
  const sizeBytes = fstatSync(descriptor).size;
  const source = {
    sizeBytes,
    async read(start, end) {
      const length = Math.max(0, Math.min(end, sizeBytes) - start);
      const bytes = Buffer.allocUnsafe(length);
      readSync(descriptor, bytes, 0, length, start);
      asked.push(start + length);
      return bytes;
    },
  };
  return { source, close: () => closeSync(descriptor) };
}

async function inspectOne(path) {
  const asked = [];
  const { source, close } = fileSource(path, asked);
  const verdict = await inspectObject(source, { key: path, profile: 'current' });
  close();
  // The last look at the tail of a big file is no part of its head.
  const head = Math.max(...asked.filter((end) => end < source.sizeBytes || source.sizeBytes < 1e6), 0);
  return { verdict, head };
}

const heads = new Map();
for (const path of paths) heads.set(path, (await inspectOne(path)).head);

async function inspectAll() {
  let accepted = 0;
  for (const path of paths) if ((await inspectOne(path)).verdict.verdict === 'accepted') accepted++;
  return accepted;
}

function parseAll() {
  let parsed = 0;
  for (const path of paths) {
    const descriptor = openSync(path, 'r');
    const bytes = Buffer.allocUnsafe(Math.min(fstatSync(descriptor).size, heads.get(path)));
    readSync(descriptor, bytes, 0, bytes.length, 0);
    closeSync(descriptor);
    try {
      dicomParser.parseDicom(bytes, { untilTag: 'x7fe00010' });
      parsed++;
    } catch {
      // Broken files are part of the folder for both loops.
    }
  }
  return parsed;
}

const spent = { inspect: 0, parse: 0 };
const busy = { inspect: 0, parse: 0 };
const processorTime = () => {
  const { user, system } = process.cpuUsage();
  return user + system;
};
let rounds = 0;
let accepted = await inspectAll();
let parsed = parseAll();
const end = performance.now() + Number(values.seconds) * 1000;
while (performance.now() < end) {
  const start = performance.now();
  const startBusy = processorTime();
  accepted = await inspectAll();
  const middle = performance.now();
  const middleBusy = processorTime();
  parsed = parseAll();
  spent.inspect += middle - start;
  spent.parse += performance.now() - middle;
  busy.inspect += middleBusy - startBusy;
  busy.parse += processorTime() - middleBusy;
  rounds++;
}
const rate = (milliseconds) => Math.round((paths.length * rounds * 1000) / milliseconds);
console.log(
  JSON.stringify({
    files: paths.length,
    rounds,
    accepted,
    parsedBare: parsed,
    inspectPerSecond: rate(spent.inspect),
    dicomParserPerSecond: rate(spent.parse),
    ratio: Number((spent.parse / spent.inspect).toFixed(2)),
    processorRatio: Number((busy.parse / busy.inspect).toFixed(2)),
    peakMegabytes: Math.round(process.resourceUsage().maxRSS / 1024),
  }),
);
