/** The console as an operator uses it: in a real browser, on the real local world, with the demonstration. */
import { readFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chestCt, dopplerFrame, headMr, plateRadiograph } from '../../local/demo/phantom.ts';
import type { ExecutionDetails, ObjectsPage, Overview } from '../../shared/console/api.ts';
import { hasChromium, openBrowser } from '../browser.ts';
import { appearanceTroubles, describeAppearance } from './appearance.ts';
import {
  ask,
  type Demonstration,
  demonstrationFiles,
  fillInbox,
  finished,
  startWorldWith,
  UPLOAD,
} from './demonstration.ts';
import { describeDrops } from './drops.ts';
import { LAYOUT_TROUBLES } from './layout.ts';
import { PATIENCE, type Pages } from './pages.ts';
import { describeEmptyPanels, describeStates } from './states.ts';
import { describeThumbnails } from './thumbnails.ts';

let demonstration: Demonstration;
let executionId: string;

beforeAll(async () => {
  demonstration = await startWorldWith(UPLOAD, new Map());
}, 120_000);
afterAll(() => demonstration?.close());

/** A request with headers that `fetch` does not let one set. */
function raw(
  method: string,
  path: string,
  headers: Record<string, string>,
): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = httpRequest(`${demonstration.url}${path}`, { method, headers }, async (response) => {
      let body = '';
      for await (const chunk of response) body += String(chunk);
      resolve({ status: response.statusCode ?? 0, body });
    });
    asked.once('error', reject);
    asked.end(method === 'GET' ? undefined : '{}');
  });
}

describe('the console server', () => {
  it('refuses a page whose name was rebound to this machine', async () => {
    for (const path of ['/', '/api/overview', '/health'])
      expect((await raw('GET', path, { host: 'evil.example:4080' })).status).toBe(403);
  });

  it('refuses a write that another page sends', async () => {
    const { host } = new URL(demonstration.url);
    const origins = ['http://evil.example', 'null', 'http://127.0.0.1:1', undefined];
    for (const origin of origins) {
      const headers = { host, 'content-type': 'text/plain', ...(origin === undefined ? {} : { origin }) };
      expect((await raw('POST', '/api/executions/x/cancel', headers)).status).toBe(403);
      expect((await raw('PUT', '/api/uploads/x/file', headers)).status).toBe(403);
    }
    expect((await raw('POST', '/api/executions/x/cancel', { host, origin: demonstration.url })).status).toBe(
      404,
    );
  });

  it('gives nothing of its API to what another page embeds', async () => {
    const headers = { host: new URL(demonstration.url).host, 'sec-fetch-site': 'cross-site' };
    expect((await raw('GET', '/api/overview', headers)).status).toBe(403);
  });

  it('serves its own files only, under a strict policy', async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/main.js.map', '/.sources'])
      expect((await raw('GET', path, {})).status).toBe(404);
    const response = await fetch(demonstration.url);
    const policy = response.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain('unsafe-inline');
    expect(policy).not.toContain("'unsafe-eval'");
  });

  it('answers ill-formed questions with what was wanted', async () => {
    const headers = { origin: demonstration.url, 'content-type': 'application/json' };
    const post = (path: string, body: string) =>
      fetch(`${demonstration.url}/api/${path}`, { method: 'POST', headers, body });
    expect((await post('executions/search', '[')).status).toBe(400);
    expect((await post('executions/search', '{"text":1}')).status).toBe(400);
    expect((await post('executions/search', `{"text":"${'a'.repeat(70_000)}"}`)).status).toBe(413);
    expect((await post('executions/a%2Fb/retry', '{}')).status).toBe(400);
    expect((await fetch(`${demonstration.url}/api/image-sets/xyz`)).status).toBe(400);
    expect((await fetch(`${demonstration.url}/api/nothing`)).status).toBe(404);
  });
});

describe.skipIf(!hasChromium)('the pages', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  const requests: string[] = [];
  const troubles: string[] = [];

  beforeAll(async () => {
    browser = await openBrowser();
  }, 60_000);
  afterAll(() => browser?.close());
  beforeEach(async () => {
    context = await browser.newContext({ acceptDownloads: true, viewport: { width: 1280, height: 900 } });
    page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on('request', (request) => requests.push(request.url()));
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => {
      // What the network says is on the page as well.
      if (message.type() === 'error' && !/^Failed to load resource/.test(message.text()))
        troubles.push(message.text());
    });
  });
  afterEach(async () => {
    await context.close();
    expect(troubles.splice(0)).toEqual([]);
  });
  const open = (...parts: string[]) => page.goto(`${demonstration.url}/#/${parts.join('/')}`);
  const pages: Pages = {
    page: () => page,
    demonstration: () => demonstration,
    executionId: () => executionId,
    origins: [],
    open,
  };

  describeEmptyPanels(pages);

  it('show an ingest while it runs, and that it has finished, by themselves', async () => {
    await fillInbox(demonstration, UPLOAD, demonstrationFiles());
    await open();
    await page.locator('.stages li.running').first().waitFor();
    expect(await page.locator('article.card').first().textContent()).toContain(UPLOAD);
    await page.locator('.troubles').getByText('NotP10').waitFor();
    expect(await page.locator('.figure', { hasText: 'Rejected' }).textContent()).toContain('12');
    executionId = (await finished(demonstration.url, UPLOAD)).executionId;
  }, 180_000);

  it(
    'say why nobody can sign in, and go on when that is over',
    async () => {
      const message = 'signing in is not possible now: https://issuer.example/: HTTP 503';
      await page.route('**/api/session', (route) => route.fulfill({ status: 502, json: { message } }));
      await open('upload');
      await page.getByRole('alert').getByText(message).waitFor();
      await page.unroute('**/api/session');
      await page.getByRole('heading', { name: 'Upload' }).waitFor();
    },
    PATIENCE,
  );

  it(
    'say when they are disconnected, and come back',
    async () => {
      await page.route('**/api/live', (route) => route.abort());
      await open();
      await page.getByRole('alert').getByText('Disconnected').waitFor();
      await page.unroute('**/api/live');
      await page.getByText('Live', { exact: true }).waitFor();
      expect(await page.getByRole('alert').count()).toBe(0);
    },
    PATIENCE,
  );

  it(
    'find an ingest by code, by UID and by patient, whose ID is in no address',
    async () => {
      const { report } = await ask<ExecutionDetails>(demonstration.url, `executions/${executionId}`);
      await open('ingests');
      const rows = page.getByRole('region', { name: 'Ingests' }).getByRole('link');
      await rows.first().waitFor();
      await page.getByLabel('Code').selectOption('ChecksumMismatch');
      await page.getByText('No ingest is like that.').waitFor();
      await page.getByLabel('Code').selectOption('NotP10');
      await rows.first().waitFor();
      await page.getByRole('button', { name: 'Clear' }).click();
      for (const [label, value] of [
        ['Upload, execution', report?.imageSets[0]?.seriesInstanceUID],
        ['Patient ID', 'DEMO-1'],
        ['Accession number', 'CHEST'],
        ['Upload, execution', report?.imageSets[0]?.studyInstanceUID],
      ] as const) {
        await page.getByLabel(label).fill(value ?? '');
        await page.getByRole('button', { name: 'Search' }).click();
        await rows.first().waitFor();
        await page.getByRole('button', { name: 'Clear' }).click();
      }
      await page.getByLabel('Patient ID').fill('NOBODY-7');
      await page.getByRole('button', { name: 'Search' }).click();
      await page.getByText('No ingest is like that.').waitFor();
      expect(requests.filter((url) => /DEMO-1|NOBODY-7/.test(url))).toEqual([]);
    },
    PATIENCE,
  );

  it('tell of each refused file why, what to do, and put it back', async () => {
    await open('ingests', executionId);
    const group = page.locator('details.group', { hasText: 'NotP10' });
    await group.locator('summary').click();
    await group.getByText('What to do:').waitFor();
    await group.getByRole('row').nth(2).waitFor();
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download report' }).click();
    expect((await download).suggestedFilename()).toBe(`${executionId}.report.json`);
    await group.getByRole('button', { name: /Retry all/ }).click();
    await group.getByText('back in the inbox').waitFor();
    const next = group.getByRole('status').getByRole('link', { name: 'the new ingest' });
    await next.waitFor();
    expect(await next.getAttribute('href')).not.toContain(executionId);
    const again = await finished(demonstration.url, UPLOAD, [executionId]);
    expect(again.counts).toMatchObject({ received: 2, rejected: 2 });
  }, 120_000);

  it('draw the very pixels of the source: CT, signed MR, colour in many frames, a 12-bit plate', async () => {
    for (const { path, index, columns, rows, shown } of KNOWN) {
      await open('image-sets', await imageSetOf(path));
      await page.getByText('checksum matches').waitFor();
      if (index > 0) await page.getByLabel('Frame', { exact: true }).fill(String(index));
      await page.locator(`canvas[data-frame="${index}"]`).waitFor();
      for (const [u, v] of POINTS) {
        const [x, y] = [Math.floor(u * columns), Math.floor(v * rows)];
        expect([path, x, y, await pixelAt(page, x, y)]).toEqual([path, x, y, shown(x, y)]);
      }
    }
    expect(await page.getByText('Not for diagnosis').isVisible()).toBe(true);
  }, 180_000);

  it(
    'play many frames, round and round, until they are stopped',
    async () => {
      await open('image-sets', await imageSetOf('us-doppler/loop.dcm'));
      await page.getByText('checksum matches').waitFor();
      const shown = () => page.locator('.screen canvas').getAttribute('data-frame');
      const before = await shown();
      await page.getByRole('button', { name: 'Play' }).click();
      await expect.poll(shown, { timeout: PATIENCE }).not.toBe(before);
      await page.getByRole('button', { name: 'Stop' }).click();
      await page.getByText('checksum matches').waitFor();
      const stopped = await page.locator('output').textContent();
      await page.waitForTimeout(400);
      expect(await page.locator('output').textContent()).toBe(stopped);
    },
    PATIENCE,
  );

  it('change window and level by drag and keys, scroll, and find a keyword in the metadata', async () => {
    await open('image-sets', await imageSetOf('ct-chest/IM0013.dcm'));
    await page.getByText('checksum matches').waitFor();
    const note = page.locator('.screen-note');
    const before = await note.textContent();
    const box = await page.locator('.screen canvas').boundingBox();
    if (!box) throw new Error('the canvas has no box');
    await page.mouse.move(box.x + 200, box.y + 200);
    await page.mouse.down();
    await page.mouse.move(box.x + 260, box.y + 230, { steps: 4 });
    await page.mouse.up();
    expect(await note.textContent()).not.toBe(before);
    await page.locator('.screen canvas').focus();
    await page.keyboard.press('Home');
    await page.locator('output').getByText(/^1\//).waitFor();
    await page.locator('summary', { hasText: 'Metadata' }).click();
    await page.getByLabel('Find a keyword or a value').fill('PhotometricInterpretation');
    await page.getByRole('rowheader', { name: 'PhotometricInterpretation' }).first().waitFor();
    await page.locator('summary', { hasText: 'each as DICOM P10' }).click();
    const download = page.waitForEvent('download');
    await page
      .getByRole('button', { name: /Download instance/ })
      .first()
      .click();
    const file = await readFile((await (await download).path()) ?? '');
    expect(file.subarray(128, 132).toString('latin1')).toBe('DICM');
  }, 120_000);

  it(
    'say once, in words, that an image set is gone or never was',
    async () => {
      for (const id of ['0123456789abcdef0123456789abcdef', 'no-such-set']) {
        await open('image-sets', id);
        await page.getByText('It may have been merged into another or deleted.').waitFor();
        expect(await page.getByRole('alert').count()).toBe(0);
        expect(await page.getByRole('main').getByRole('link', { name: 'Image sets' }).count()).toBe(1);
      }
    },
    PATIENCE,
  );

  it(
    'keep the list of instances within a phone',
    async () => {
      await page.setViewportSize({ width: 390, height: 844 });
      await open('image-sets', await imageSetOf('ct-chest/IM0013.dcm'));
      await page.locator('summary', { hasText: 'each as DICOM P10' }).click();
      await page
        .getByRole('button', { name: /Download instance/ })
        .first()
        .waitFor();
      expect(await page.evaluate(LAYOUT_TROUBLES)).toEqual([]);
    },
    PATIENCE,
  );

  it('send chosen files and give each its outcome', async () => {
    await open('upload');
    const file = (name: string, bytes: Uint8Array) => ({
      name,
      mimeType: 'application/octet-stream',
      buffer: Buffer.from(bytes),
    });
    await page
      .getByLabel('Files', { exact: true })
      .setInputFiles([
        file('again.dcm', demonstrationFiles().get('ct-chest/IM0001.dcm') ?? new Uint8Array()),
        file('späte Notiz+1%.txt', new TextEncoder().encode('no DICOM at all')),
        file('empty.dcm', new Uint8Array()),
      ]);
    await page.getByText('Finished.').waitFor();
    const row = (name: string) => page.getByRole('row', { name });
    expect(await row('again.dcm').textContent()).toContain('Duplicate');
    expect(await row('späte').textContent()).toContain('NotP10');
    expect(await row('empty.dcm').textContent()).toContain('Empty');
    expect(await appearanceTroubles(page)).toEqual([]);
  }, 120_000);

  describeThumbnails(pages);
  describeStates(pages);
  describeDrops(pages);

  describeAppearance(pages);

  it(
    'are walked through by keyboard alone, with a ring around what has the focus',
    async () => {
      await open();
      await page.getByText('Last troubles').waitFor();
      const focused = () =>
        page.evaluate(
          '(() => { const e = document.activeElement; return { name: (e?.textContent ?? "").trim(), ring: parseFloat(getComputedStyle(e).outlineWidth) }; })()',
        ) as Promise<{ name: string; ring: number }>;
      const tabTo = async (name: string | RegExp, key = 'Tab') => {
        for (let presses = 0; presses < 60; presses++) {
          await page.keyboard.press(key);
          const now = await focused();
          if (!(typeof name === 'string' ? now.name === name : name.test(now.name))) continue;
          expect([now.name, now.ring > 1]).toEqual([now.name, true]);
          return;
        }
        throw new Error(`${key} never comes to ${name}`);
      };
      await tabTo('Skip to the content');
      await tabTo('Ingests');
      await page.keyboard.press('Enter');
      await page
        .getByRole('region', { name: 'Ingests' })
        .getByRole('link', { name: UPLOAD })
        .first()
        .waitFor();
      await tabTo(UPLOAD);
      await page.keyboard.press('Enter');
      await page.locator('details.group').first().waitFor();
      await tabTo(/^\d*\s*NotP10/);
      await page.keyboard.press('Enter');
      await tabTo(/^Retry all .* of NotP10/);
      await tabTo(/^broken\//);
      await page.keyboard.press('Enter');
      await page.getByLabel('Chosen object').getByText('What to do').waitFor();
      await tabTo(/^Retry all .* of NotP10/, 'Shift+Tab');
      await page.keyboard.press('Enter');
      await page.getByText('back in the inbox').waitFor();
    },
    PATIENCE,
  );

  it('ask nobody but their own server', () => {
    const { origin } = new URL(demonstration.url);
    expect(requests.length).toBeGreaterThan(50);
    expect(requests.filter((url) => ![origin, ...pages.origins].includes(new URL(url).origin))).toEqual([]);
  });
});

it('the overview counts what the report counts', async () => {
  const { recent } = await ask<Overview>(demonstration.url, 'overview');
  for (const { counts } of recent)
    expect(counts?.received).toBe(
      (counts?.ingested ?? 0) + (counts?.duplicate ?? 0) + (counts?.rejected ?? 0) + (counts?.failed ?? 0),
    );
});

const POINTS = [
  [0.1, 0.1],
  [0.5, 0.5],
  [0.5, 0.3],
  [0.35, 0.6],
  [0.62, 0.41],
  [0.7, 0.7],
  [0.25, 0.5],
] as const;

async function imageSetOf(path: string): Promise<string> {
  const { objects } = await ask<ObjectsPage>(demonstration.url, `executions/${executionId}/objects`, {
    text: path,
  });
  return objects[0]?.imageSetId ?? '';
}

async function pixelAt(page: Page, x: number, y: number): Promise<number[]> {
  const script = `[...document.querySelector('.screen canvas').getContext('2d').getImageData(${x}, ${y}, 1, 1).data].slice(0, 3)`;
  return (await page.evaluate(script)) as number[];
}

/** The shade of a value in the linear window of PS3.3 C.11.2.1.2.1. */
function shade(value: number, centre: number, width: number): number {
  if (value <= centre - 0.5 - (width - 1) / 2) return 0;
  if (value > centre - 0.5 + (width - 1) / 2) return 255;
  return Math.round(((value - (centre - 0.5)) / (width - 1) + 0.5) * 255);
}

/** Grey values of a phantom; without a window, over its lowest to its highest value. */
function greyPhantom(samples: Int16Array, columns: number, window?: readonly [number, number]) {
  const low = samples.reduce((least, value) => Math.min(least, value), 32_767);
  const high = samples.reduce((most, value) => Math.max(most, value), -32_768);
  const [centre, width] = window ?? [(low + high) / 2 + 0.5, high - low + 1];
  return (x: number, y: number) => {
    const value = shade(samples[y * columns + x] as number, centre, width);
    return [value, value, value];
  };
}

/** What the demonstration drew, before it became DICOM. */
const KNOWN = [
  {
    path: 'ct-chest/IM0013.dcm',
    index: 12,
    columns: 512,
    rows: 512,
    shown: greyPhantom(chestCt({ rows: 512, columns: 512 }, 13 / 24, 13), 512, [40, 400]),
  },
  {
    path: 'mr-head/IM0009.dcm',
    index: 8,
    columns: 256,
    rows: 256,
    shown: greyPhantom(headMr({ rows: 256, columns: 256 }, 9 / 18, 9), 256),
  },
  { path: 'us-doppler/loop.dcm', index: 10, columns: 320, rows: 240, shown: colourPhantom(10) },
  {
    path: 'cr-hand/plate.dcm',
    index: 0,
    columns: 512,
    rows: 640,
    shown: greyPhantom(plateRadiograph({ rows: 640, columns: 512 }, 1), 512),
  },
] as const;

function colourPhantom(frame: number) {
  const pixels = dopplerFrame({ rows: 240, columns: 320 }, frame / 20, frame + 1);
  return (x: number, y: number) => [...pixels.subarray((y * 320 + x) * 3, (y * 320 + x) * 3 + 3)];
}
