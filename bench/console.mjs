/**
 * The console with an execution of N objects (default 10,000), over the local S3-compatible store, in Chromium: what the
 * page weighs, when it can be used, its heap, how it scrolls and finds. `node bench/console.mjs [N]`; with 1,000,000 it
 * shows that no page reads the whole list: one reading makes an index, then ranged reads.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

const objects = Number(process.argv[2] ?? 10_000);
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(root, 'bench', '.console-'));
const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
const kilobytes = (bytes) => `${Math.round(bytes / 1000)} kB`;

async function load(name, path) {
  const outfile = join(folder, `${name}.mjs`);
  const options = { bundle: true, platform: 'node', format: 'esm', packages: 'external', logLevel: 'error' };
  await build({ ...options, entryPoints: [join(root, path)], outfile });
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

async function measureServer(url) {
  const path = 'executions/bench/objects';
  const first = await timed(() => ask(url, path, { from: 0 }));
  console.log(`index and first page of ${first.value.total} objects: ${seconds(first.ms)}`);
  const pages = [];
  for (let n = 0; n < 40; n++) {
    const from = Math.floor((first.value.total - 100) * ((n * 0.618) % 1));
    pages.push((await timed(() => ask(url, path, { from }))).ms);
  }
  pages.sort((a, b) => a - b);
  console.log(`any page of 100: median ${pages[20].toFixed(0)} ms, slowest ${pages[39].toFixed(0)} ms`);
  const rare = await timed(() => ask(url, path, { outcome: 'rejected', code: 'ElementTooLong' }));
  console.log(`the one object of a rare code: ${rare.ms.toFixed(0)} ms (${rare.value.objects.length} found)`);
  const wanted = `IM${String(objects - 2).padStart(7, '0')}`;
  const search = await timed(async () => {
    let from = 0;
    for (;;) {
      const page = await ask(url, path, { text: wanted, from });
      if (page.objects.length > 0 || page.next === undefined) return page.objects.length;
      from = page.next;
    }
  });
  console.log(`finding the last object but one by name: ${seconds(search.ms)} (${search.value} found)`);
  console.log(`memory of the process, with the store: ${Math.round(process.memoryUsage().rss / 1e6)} MB`);
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
    let weight = 0;
    page.on('response', async (response) => {
      if (!response.url().includes('/api/')) weight += (await response.body().catch(() => '')).length;
    });
    const ready = await timed(async () => {
      await page.goto(`${url}/#/ingests/bench`);
      await page.locator('details.group').first().waitFor();
    });
    const paint = await page.evaluate(
      "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0",
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

const dataDir = mkdtempSync(join(tmpdir(), 'isocenter-bench-'));
const closing = [];
try {
  const [{ startWorld }, { startConsoleServer }, { writeLargeExecution }, { s3ObjectStore }] =
    await Promise.all([
      load('world', 'local/world/world.ts'),
      load('server', 'local/console/server.ts'),
      load('large', 'test/console/large-execution.ts'),
      load('store', 'shared/adapters/s3-object-store.ts'),
    ]);
  const { S3Client } = await import('@aws-sdk/client-s3');
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
  console.log(new Date().toISOString());
  console.log(`writing the execution, its report by WriteReport: ${seconds(written.ms)}`);
  const server = await startConsoleServer({ port: 0, world: () => world });
  closing.unshift(() => server.close());
  await measureServer(server.url);
  await measurePage(server.url);
} finally {
  for (const close of closing) await close();
  rmSync(dataDir, { recursive: true, force: true });
  rmSync(folder, { recursive: true, force: true });
}
