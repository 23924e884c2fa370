/**
 * The console with an execution of N objects (default 10,000), over the local S3-compatible store, in Chromium: what the
 * page weighs, when it can be used, its heap, how it scrolls and finds. `node bench/console.mjs [N]`. `node
 * bench/console.mjs --lines [N]` (default 1,000,000) asks the server's half alone, over a list of N lines on disk: one
 * reading makes an index, after that any page is ranged reads.
 */
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { finished } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const isLines = process.argv[2] === '--lines';
const objects = Number(process.argv[isLines ? 3 : 2] ?? (isLines ? 1_000_000 : 10_000));
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(root, 'bench', '.console-'));
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;

/** One bundle of all that is needed, so that each class of error is one. */
async function load() {
  const outfile = join(folder, 'parts.mjs');
  const contents = `
    export { readObjects } from './shared/console/objects.ts';
    export { startWorld } from './local/world/world.ts';
    export { startConsoleServer } from './local/console/server.ts';
    export { writeLargeExecution } from './test/console/large-execution.ts';
    export { s3ObjectStore } from './shared/adapters/s3-object-store.ts';`;
  await build({
    stdin: { contents, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
    outfile,
  });
  return import(outfile);
}

async function timed(work) {
  const started = performance.now();
  const value = await work();
  return { ms: performance.now() - started, value };
}

async function ask(url, path, body) {
  const headers = { origin: url, 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** `query`: asks for a page of the objects. */
async function measureServer(query) {
  const first = await timed(() => query({ from: 0 }));
  console.log(`index and first page of ${first.value.total} objects: ${seconds(first.ms)}`);
  const pages = [];
  for (let n = 0; n < 40; n++) {
    const from = Math.floor((first.value.total - 100) * ((n * 0.618) % 1));
    pages.push((await timed(() => query({ from }))).ms);
  }
  pages.sort((a, b) => a - b);
  console.log(`any page of 100: median ${pages[20].toFixed(0)} ms, slowest ${pages[39].toFixed(0)} ms`);
  const rare = await timed(() => query({ outcome: 'rejected', code: 'ElementTooLong' }));
  console.log(`the one object of a rare code: ${rare.ms.toFixed(0)} ms (${rare.value.objects.length} found)`);
  const wanted = `IM${String(objects - 2).padStart(7, '0')}`;
  const search = await timed(async () => {
    let from = 0;
    for (;;) {
      const page = await query({ text: wanted, from });
      if (page.objects.length > 0 || page.next === undefined) return page.objects.length;
      from = page.next;
    }
  });
  console.log(`finding the last object but one by name: ${seconds(search.ms)} (${search.value} found)`);
  console.log(`memory of the process: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
}

/** A list of N lines on disk, and just enough of an object store to read it. */
async function measureLines({ readObjects }) {
  const path = join(folder, 'objects.ndjson');
  const out = createWriteStream(path);
  for (let n = 0; n < objects; n++)
    if (!out.write(`${JSON.stringify(lineOf(n))}\n`))
      await new Promise((resolve) => out.once('drain', resolve));
  out.end();
  await finished(out);
  console.log(`${objects} lines, ${Math.round(out.bytesWritten / 1e6)} MB`);
  const file = await open(path);
  const read = async (_location, { start, end }) => {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(end - start), 0, end - start, start);
    return { bytes: buffer.subarray(0, bytesRead), etag: '', totalBytes: out.bytesWritten };
  };
  const store = { read, stream: async () => createReadStream(path) };
  const backend = { workBucket: '', deps: { objects: store } };
  await measureServer((query) => readObjects(backend, 'bench', query));
  await file.close();
}

function lineOf(n) {
  const key = `bench/study ${Math.floor(n / 400)}/series ${Math.floor(n / 100) % 4}/IM${String(n).padStart(7, '0')}.dcm`;
  const uid = (kind, of) => `1.2.826.0.1.3680043.10.999.${kind}.${of}`;
  const uids = {
    sopInstanceUID: uid(3, n),
    seriesInstanceUID: uid(2, Math.floor(n / 100)),
    studyInstanceUID: uid(1, Math.floor(n / 400)),
  };
  if (n === 777) return { key, sizeBytes: 1, outcome: 'rejected', code: 'ElementTooLong', ...uids };
  if (n % 50 === 49)
    return { key, sizeBytes: 1, outcome: 'rejected', code: 'NotP10', message: 'no DICM marker' };
  const sha256 = n.toString(16).padStart(64, '0');
  return {
    key,
    sizeBytes: 525_000,
    outcome: 'ingested',
    proof: 'source',
    frames: 1,
    framesVerified: 1,
    sha256,
    ...uids,
  };
}

/** What `dist/console` weighs, by kind: as it is served, and packed. The decoder comes only with the first frame. */
function weigh() {
  const kinds = new Map();
  const pages = join(root, 'dist', 'console');
  for (const name of readdirSync(pages)) {
    const bytes = readFileSync(join(pages, name));
    const kind = /worker/.test(name) ? 'decoder .js' : extname(name);
    const { plain = 0, packed = 0 } = kinds.get(kind) ?? {};
    kinds.set(kind, { plain: plain + bytes.length, packed: packed + gzipSync(bytes).length });
  }
  for (const [kind, { plain, packed }] of kinds)
    console.log(`${kind}: ${kilobytes(plain)}, ${kilobytes(packed)} by gzip`);
}

async function measurePage(url) {
  const browser = await chromium.launch({
    executablePath: process.env.ISOCENTER_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
    ],
  });
  try {
    const page = await browser.newPage();
    const ready = await timed(async () => {
      await page.goto(`${url}/#/ingests/bench`);
      await page.locator('details.group').first().waitFor();
    });
    const paint = await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0",
    );
    const weight = await page.evaluate(
      "performance.getEntries().reduce((sum, e) => sum + (e.name.includes('/api/') ? 0 : (e.encodedBodySize ?? 0)), 0)",
    );
    console.log(
      `page weight: ${kilobytes(weight)}; first paint ${paint.toFixed(0)} ms; usable ${ready.ms.toFixed(0)} ms`,
    );
    const group = page.locator('details.group', { hasText: 'without remark' }).first();
    const opened = await timed(async () => {
      await group.locator('summary').click();
      await group.locator('.long-table th button').first().waitFor();
    });
    console.log(`opening the list: ${opened.ms.toFixed(0)} ms`);
    const middle = await timed(async () => {
      await page.evaluate(TO_THE_MIDDLE);
      // Through the debugger: the page's own policy lets nothing else evaluate a text.
      while (!(await page.evaluate(HAS_ALL_ROWS))) await page.waitForTimeout(10);
    });
    console.log(`scrolling to the middle, until its rows are there: ${middle.ms.toFixed(0)} ms`);
    const frames = await page.evaluate(SCROLL);
    console.log(
      `scrolling through it in 200 steps: median frame ${frames.median.toFixed(1)} ms, slowest ${frames.slowest.toFixed(0)} ms; ${frames.rows} rows on the page`,
    );
    const session = await page.context().newCDPSession(page);
    await session.send('HeapProfiler.collectGarbage');
    const { usedSize } = await session.send('Runtime.getHeapUsage');
    console.log(`heap of the page: ${(usedSize / 1e6).toFixed(1)} MB`);
  } finally {
    await browser.close();
  }
}

const TO_THE_MIDDLE = `(() => {
  const list = document.querySelector('.long-table');
  list.scrollTop = list.scrollHeight / 2;
})()`;
/** No row that is in view waits for its page. */
const HAS_ALL_ROWS = `(() => {
  const list = document.querySelector('.long-table');
  const { top, bottom } = list.getBoundingClientRect();
  const rows = [...list.querySelectorAll('tbody tr:not(.space)')].filter((row) => {
    const box = row.getBoundingClientRect();
    return box.bottom > top && box.top < bottom;
  });
  return rows.length > 0 && rows.every((row) => row.querySelector('button') !== null);
})()`;

const SCROLL = `(async () => {
  const list = document.querySelector('.long-table');
  const times = [];
  let last = performance.now();
  for (let step = 1; step <= 200; step++) {
    list.scrollTop = (list.scrollHeight * step) / 200;
    await new Promise(requestAnimationFrame);
    const now = performance.now();
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  return { median: times[100], slowest: times[199], rows: list.querySelectorAll('tr').length };
})()`;

async function measureWorld({ startWorld, startConsoleServer, writeLargeExecution, s3ObjectStore }) {
  const { S3Client } = await import('@aws-sdk/client-s3');
  const dataDir = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
  const closing = [];
  try {
    const world = await startWorld({ dataDir, basePort: 0 });
    closing.push(() => world.close());
    const s3 = new S3Client({
      region: world.region,
      endpoint: world.s3Url,
      forcePathStyle: true,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    const wanted = { executionId: 'bench', upload: 'bench', objects };
    const written = await timed(() => writeLargeExecution(s3ObjectStore(s3), world.workBucket, wanted));
    console.log(`writing the execution, its report by WriteReport: ${seconds(written.ms)}`);
    const server = await startConsoleServer({ port: 0, world: () => world });
    closing.unshift(() => server.close());
    await measureServer((query) => ask(server.url, 'executions/bench/objects', query));
    await measurePage(server.url);
  } finally {
    for (const close of closing) await close();
    rmSync(dataDir, { recursive: true, force: true });
  }
}

try {
  if (!isLines) weigh();
  const parts = await load();
  await (isLines ? measureLines(parts) : measureWorld(parts));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
