/**
 * `node scripts/screenshots.mjs [URL]`: takes docs/console.png, the picture in the README, and with `--all FOLDER` every
 * panel on a desk and on a phone, light and dark. Of the world at URL (default http://127.0.0.1:4080), which should hold
 * the demonstration: `npm start`.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { all: { type: 'string' } } });
const url = positionals[0] ?? 'http://127.0.0.1:4080';
const readmePicture = fileURLToPath(new URL('../docs/console.png', import.meta.url));

const FORMS = {
  'desk-light': { viewport: { width: 1280, height: 860 }, colorScheme: 'light' },
  'desk-dark': { viewport: { width: 1280, height: 860 }, colorScheme: 'dark' },
  'phone-light': { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
  'phone-dark': { viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
};

async function ask(path, body) {
  const headers = { origin: url, 'content-type': 'application/json' };
  const response = await fetch(`${url}/api/${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  return response.json();
}

/** The demonstration's ingest and its chest. */
const { executions } = await ask('executions/search', { text: 'demo' });
const [execution] = executions.filter(({ counts }) => counts.received > 50);
if (!execution) throw new Error(`${url} holds no demonstration: start it with npm start`);
const { objects } = await ask(`executions/${execution.executionId}/objects`, { text: 'ct-chest/IM0013' });

const PANELS = {
  now: '',
  ingests: 'ingests',
  ingest: `ingests/${execution.executionId}`,
  refused: 'refused/rejected/hours',
  held: 'held',
  'image-sets': 'image-sets',
  'image-set': `image-sets/${objects[0].imageSetId}`,
  upload: 'upload',
  'data-store': 'data-store',
};

const browser = await chromium.launch({
  executablePath: process.env.ISOCENTER_CHROMIUM ?? '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync'],
});

async function take(form, panel, path, fullPage) {
  const context = await browser.newContext(FORMS[form]);
  const page = await context.newPage();
  await page.goto(`${url}/#/${PANELS[panel]}`);
  await page.locator('h1').waitFor();
  if (panel === 'image-set') await page.getByText('checksum matches').waitFor();
  if (panel === 'ingest') await page.locator('details.group summary').first().click();
  await page.waitForTimeout(1500);
  await page.screenshot({ path, fullPage });
  await context.close();
  console.log(path);
}

try {
  await take('desk-light', 'ingest', readmePicture, false);
  if (values.all !== undefined) {
    mkdirSync(values.all, { recursive: true });
    for (const form of Object.keys(FORMS))
      for (const panel of Object.keys(PANELS))
        await take(form, panel, join(values.all, `${form}-${panel}.png`), true);
  }
} finally {
  await browser.close();
}
