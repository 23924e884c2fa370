/**
 * What an operator does when something is not as it should be, in a real browser on the real local world: deciding about
 * variants, stopping an ingest, sending large files over breaks, finding one object in ten thousand.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startConsoleServer } from '../../local/console/server.ts';
import { ctInstance, type DemoPatient, type Place, SYNTAX } from '../../local/demo/series.ts';
import type {
  ExecutionDetails,
  ExecutionPage,
  ObjectsPage,
  Overview,
  RefusalPage,
  SeriesState,
} from '../../shared/console/api.ts';
import { writeP10 } from '../../shared/dicom/write.ts';
import { holdUpload, releaseHold } from '../../shared/ingest/holds.ts';
import { hasChromium, openBrowser } from '../browser.ts';
import { ask, type Demonstration, finished, startWorldWith } from './demonstration.ts';
import { writeLargeExecution } from './large-execution.ts';
import { LAYOUT_TROUBLES } from './layout.ts';

/** For machines that do much else. */
const PATIENCE = 150_000;
const LARGE = 10_000;
const PATIENT: DemoPatient = { id: 'OPERATOR-1', name: 'PHANTOM^VARIANT', birthDate: '19700101', sex: 'O' };

/** Three instances of one series; the last says another day of the study, so that it stays an image set of its own. */
function variants(): Map<string, Uint8Array> {
  const place = (instance: number): Place => ({
    patient: PATIENT,
    study: 'operator',
    series: 'ct',
    description: 'Two days',
    instance,
    ...(instance === 3 ? { studyDate: '20260202' } : {}),
  });
  const file = (n: number) => writeP10(ctInstance(place(n), { rows: 64, columns: 64 }, n / 3));
  return new Map([1, 2, 3].map((n) => [`IM${n}.dcm`, file(n)]));
}

const SIDE = 64;
const COLOURS = [
  [255, 0, 0],
  [0, 255, 0],
  [0, 0, 255],
  [128, 128, 128],
] as const;

/** Two files that are no DICOM, and one that nobody would miss. */
const junk = () =>
  new Map(
    ['notes.txt', 'more notes.txt', 'Thumbs.db'].map((path) => [path, new TextEncoder().encode(`${path}!`)]),
  );

/** Eight bits a sample, drawn by a palette of four colours, or light where values are low. */
function look(series: string, photometric: string, sample: (x: number, y: number) => number, more: object) {
  const place = { patient: PATIENT, study: 'looks', series, description: series, instance: 1 };
  const { WindowCenter, WindowWidth, ...elements } = ctInstance(
    place,
    { rows: SIDE, columns: SIDE },
    0.5,
  ).elements;
  const pixels = Uint8Array.from({ length: SIDE * SIDE }, (_, n) => sample(n % SIDE, Math.floor(n / SIDE)));
  const bits = { BitsAllocated: 8, BitsStored: 8, HighBit: 7, PixelRepresentation: 0 };
  return writeP10({
    transferSyntaxUID: SYNTAX.explicitLittle,
    elements: {
      ...elements,
      ...bits,
      StudyID: 'of more than sixteen',
      PhotometricInterpretation: photometric,
      ...more,
    },
    pixelData: pixels,
  });
}

function looks(): Map<string, Uint8Array> {
  const table = (channel: 0 | 1 | 2) =>
    new Uint8Array(Uint16Array.from(COLOURS, (colour) => colour[channel] << 8).buffer);
  const descriptor = [COLOURS.length, 0, 16];
  const palette = {
    RedPaletteColorLookupTableDescriptor: descriptor,
    GreenPaletteColorLookupTableDescriptor: descriptor,
    BluePaletteColorLookupTableDescriptor: descriptor,
    RedPaletteColorLookupTableData: table(0),
    GreenPaletteColorLookupTableData: table(1),
    BluePaletteColorLookupTableData: table(2),
  };
  const window = { WindowCenter: '128', WindowWidth: '256' };
  return new Map([
    ['palette.dcm', look('palette', 'PALETTE COLOR', (x, y) => (x + y) % 4, palette)],
    ['mono1.dcm', look('mono1', 'MONOCHROME1', (x) => x * 4, window)],
  ]);
}

let world: Demonstration;
/** A console of its own over the same world, which can be stopped and started again on its port. */
let server: Awaited<ReturnType<typeof startConsoleServer>>;

const startServer = (port: number) => startConsoleServer({ port, world: () => world.world });
const portOf = (url: string) => Number(new URL(url).port);

describe.skipIf(!hasChromium)('an operator', () => {
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let folder: string;
  const requests: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'isocenter-operator-'));
    [world, browser] = await Promise.all([startWorldWith('variants', variants()), openBrowser()]);
    server = await startServer(0);
    for (const [path, bytes] of looks())
      await world.store.write({ bucket: world.world.inboxBucket, key: `looks/${path}` }, bytes);
    for (const [path, bytes] of junk())
      await world.store.write({ bucket: world.world.inboxBucket, key: `junk/${path}` }, bytes);
    await writeLargeExecution(world.store, world.world.workBucket, {
      executionId: 'large-console',
      upload: 'large',
      objects: LARGE,
    });
  }, 240_000);
  afterAll(async () => {
    await browser?.close();
    await server?.close();
    await world?.close();
    await rm(folder, { recursive: true, force: true });
  }, 60_000);
  beforeEach(async () => {
    context = await browser.newContext({ acceptDownloads: true });
    context.setDefaultTimeout(PATIENCE);
    page = await context.newPage();
    page.on('request', (request) => requests.push(request.url()));
  });
  afterEach(() => context.close());
  const open = (...parts: string[]) => page.goto(`${server.url}/#/${parts.join('/')}`);

  it('sees at once when the server is gone, and that it is back', async () => {
    await open();
    await page.getByText('Live', { exact: true }).waitFor();
    const port = portOf(server.url);
    await server.close();
    await page.getByRole('alert').getByText('Disconnected').waitFor();
    server = await startServer(port);
    await page.getByText('Live', { exact: true }).waitFor();
    expect(await page.getByRole('alert').count()).toBe(0);
  }, 180_000);

  it(
    'finds one object among ten thousand, scrolls to the last, and reads why it was refused',
    async () => {
      await open('ingests', 'large-console', 'ElementTooLong');
      const group = (code: string) => page.locator('details.group', { hasText: code });
      await group('ElementTooLong')
        .getByRole('button', { name: /IM0000777/ })
        .click();
      await page.getByLabel('Chosen object').getByText('StudyID: 17 of 16 characters').waitFor();
      const ingested = group('without remark').first();
      await ingested.locator('summary').click();
      const list = ingested.locator('.long-table');
      await list.getByRole('row').nth(5).waitFor();
      expect(await page.locator('.long-table tr').count()).toBeLessThan(120);
      await list.evaluate((element) => element.scrollTo(0, element.scrollHeight));
      await ingested.getByRole('button', { name: 'IM0009998' }).waitFor();
      await ingested.getByLabel('Find in keys').fill('IM0004321');
      await ingested.getByRole('button', { name: 'Find' }).click();
      await ingested.getByText('1 object found').waitFor();
      await ingested.getByRole('button', { name: 'IM0004321' }).waitFor();
    },
    PATIENCE,
  );

  it('decides about variants: looks at what differs, merges with a reason, and undoes it', async () => {
    const { executionId } = await finished(world.url, 'variants');
    const { report } = await ask<ExecutionDetails>(world.url, `executions/${executionId}`);
    const series = report?.merges[0]?.seriesInstanceUID ?? '';
    const view = () => ask<SeriesState>(server.url, 'series/view', { series });
    expect((await view()).imageSets).toHaveLength(2);
    await open('ingests', executionId);
    const variant = page.locator('section[aria-labelledby=variants] article');
    await variant.getByText('StudyDate').first().waitFor();
    expect(await variant.textContent()).not.toContain('20260202');
    await variant.getByRole('button', { name: 'Show the values' }).click();
    await variant.getByRole('cell', { name: '20260202' }).waitFor();
    await variant.getByRole('button', { name: 'Resolve…' }).click();
    await variant.getByRole('button', { name: /Merge into .*2 instances/ }).click();
    await variant.getByText('What will happen:').waitFor();
    expect(await variant.getByRole('form', { name: 'Decision' }).textContent()).toContain(
      '1 instance of 1 image set',
    );
    // Without a reason nothing is sent.
    await variant.getByRole('button', { name: 'Merge', exact: true }).click();
    expect((await view()).history).toEqual([]);
    await variant.getByLabel('Why?').fill('the console was a day ahead');
    await variant.getByRole('button', { name: 'Merge', exact: true }).click();
    await variant.getByRole('status').getByText('Merged: ').waitFor();
    const merged = await view();
    expect(merged.history.map(({ decision, reason }) => [decision, reason])).toEqual([
      ['merge-into', 'the console was a day ahead'],
    ]);
    await variant.getByRole('button', { name: /Undo the merge/ }).click();
    await variant.getByLabel('Why?').fill('it was not');
    await variant.getByRole('button', { name: 'Undo the merge', exact: true }).click();
    await variant.getByRole('status').getByText('Undone: ').waitFor();
    const undone = await view();
    expect(undone.imageSets.map(({ instances }) => instances).sort()).toEqual([1, 2]);
    expect(undone.isKeptApart).toBe(true);
    expect(requests.filter((url) => /a%20day|20260202|OPERATOR/.test(url))).toEqual([]);
  }, 240_000);

  it(
    'compares the versions that the merge and its undo made',
    async () => {
      const { executionId } = await finished(world.url, 'variants');
      const { report } = await ask<ExecutionDetails>(world.url, `executions/${executionId}`);
      const set = report?.imageSets.find(({ instances }) => instances === 2)?.imageSetId ?? '';
      await open('image-sets', set);
      await page.locator('summary', { hasText: 'Versions' }).click();
      const second = page
        .getByRole('row')
        .filter({ has: page.getByRole('rowheader', { name: '2', exact: true }) });
      await second.getByRole('button', { name: /Compare with 1/ }).click();
      await second.locator('.changes li').first().waitFor();
      expect(await second.textContent()).toContain('Instance 3');
    },
    PATIENCE,
  );

  it(
    'sees palette colours and MONOCHROME1 as they are meant, sample for sample',
    async () => {
      const { executionId } = await finished(world.url, 'looks');
      const { objects } = await ask<ObjectsPage>(world.url, `executions/${executionId}/objects`, {});
      const shown: Readonly<Record<string, (x: number, y: number) => readonly number[]>> = {
        'looks/palette.dcm': (x, y) => COLOURS[(x + y) % 4] ?? [],
        'looks/mono1.dcm': (x) => [255 - x * 4, 255 - x * 4, 255 - x * 4],
      };
      expect(objects.map(({ key, outcome }) => [key, outcome]).sort()).toEqual(
        Object.keys(shown)
          .sort()
          .map((key) => [key, 'ingested']),
      );
      for (const { key, imageSetId = '' } of objects) {
        await open('image-sets', imageSetId);
        await page.getByText('checksum matches').waitFor();
        const data = (await page.evaluate(
          `[...document.querySelector('.screen canvas').getContext('2d').getImageData(0, 0, ${SIDE}, ${SIDE}).data]`,
        )) as number[];
        for (let n = 0; n < SIDE * SIDE; n++)
          expect([key, n, data.slice(n * 4, n * 4 + 3)]).toEqual([
            key,
            n,
            shown[key]?.(n % SIDE, Math.floor(n / SIDE)),
          ]);
      }
    },
    PATIENCE,
  );

  it('is asked for a reason, and a second time across patients, by the server itself', async () => {
    const post = (body: object) => ask<{ decisionId: string }>(server.url, 'series/resolve', body);
    await expect(post({ series: '1.2.3', action: 'merge-into' })).rejects.toThrow(/400.*reason/);
    await expect(post({ series: 'x', action: 'undo', reason: 'r' })).rejects.toThrow(/400.*series/);
    await expect(post({ series: '1.2.3', action: 'delete', reason: 'r' })).rejects.toThrow(/400.*action/);
    const { decisionId } = await post({ series: '1.2.3', action: 'undo', reason: 'r', executionId: 'x' });
    await expect
      .poll(() => ask(server.url, `decisions/${decisionId}`), { timeout: PATIENCE })
      .toEqual({ state: 'refused', says: 'this merge can no longer be undone: its sources are gone' });
    await expect(ask(server.url, 'decisions/..%2Fx')).rejects.toThrow(/400/);
  });

  it('sends a large file over a break of the server and a reload, and no part twice', async () => {
    const files = ['large.bin', 'small.txt'].map((name) => join(folder, name));
    await writeFile(files[0] ?? '', randomBytes(24 * 1024 * 1024));
    await writeFile(files[1] ?? '', 'no DICOM');
    const parts = new Map<string, number>();
    page.on('requestfinished', (request) => {
      const part = request.headers()['x-isocenter-part'];
      if (part) parts.set(part, (parts.get(part) ?? 0) + 1);
    });
    await open('upload');
    // The second part hangs: the first is there, and the page is left in the middle.
    let isHeld = true;
    await page.route('**/part', async (route) => {
      if (isHeld && route.request().headers()['x-isocenter-part'] === '2') return;
      await route.continue();
    });
    await page.getByLabel('Files', { exact: true }).setInputFiles(files);
    await expect.poll(() => [...parts.keys()].sort(), { timeout: PATIENCE }).toEqual(['1']);
    const port = portOf(server.url);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto('about:blank');
    await server.close();
    server = await startServer(port);
    isHeld = false;
    await open('upload');
    await page.getByText('An upload was interrupted').waitFor();
    expect(await page.locator('section[aria-labelledby=interrupted]').textContent()).toContain(
      '1 large one in part',
    );
    // And the line breaks once more: the page tries again by itself.
    await page.route('**/part', (route) => route.abort('connectionreset'), { times: 1 });
    await page.getByLabel('Files', { exact: true }).setInputFiles(files);
    await page.getByText('Finished.').waitFor();
    for (const name of ['large.bin', 'small.txt'])
      expect(await page.getByRole('row', { name }).textContent()).toContain('NotP10');
    expect([...parts].sort()).toEqual([
      ['1', 1],
      ['2', 1],
      ['3', 1],
    ]);
    expect(await page.evaluate('localStorage.getItem("isocenter-upload")')).toBeNull();
  }, 300_000);

  it('throws away the parts of a large file whose upload is given up', async () => {
    const path = join(folder, 'given-up.bin');
    await writeFile(path, randomBytes(24 * 1024 * 1024));
    const s3 = new S3Client({
      region: world.world.region,
      endpoint: world.world.s3Url,
      forcePathStyle: true,
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    });
    const unfinished = async () => {
      const { Uploads = [] } = await s3.send(
        new ListMultipartUploadsCommand({ Bucket: world.world.inboxBucket }),
      );
      return Uploads.length;
    };
    await open('upload');
    await page.route('**/part', async (route) => {
      if (route.request().headers()['x-isocenter-part'] !== '2') await route.continue();
    });
    await page.getByLabel('Files', { exact: true }).setInputFiles(path);
    await expect.poll(unfinished, { timeout: PATIENCE }).toBe(1);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.goto('about:blank');
    await open('upload');
    await page.getByText('An upload was interrupted').waitFor();
    await page.getByRole('button', { name: 'Begin anew' }).click();
    await expect.poll(unfinished, { timeout: PATIENCE }).toBe(0);
    s3.destroy();
  }, 180_000);

  it('stops a running ingest: nothing is lost, everything is still in the inbox', async () => {
    const held = { objects: world.store, workBucket: world.world.workBucket };
    await holdUpload(held, 'stopped'); // as of an uploader that is still busy: the ingest waits, however quick the machine
    for (const [path, file] of variants())
      await world.store.write({ bucket: world.world.inboxBucket, key: `stopped/${path}` }, file);
    await open();
    const card = page.locator('article.card', { hasText: 'stopped' });
    await card.getByRole('link').first().click();
    await page.getByRole('button', { name: 'Cancel…' }).click();
    await page.getByText('Nothing is lost').waitFor();
    await page.getByRole('button', { name: 'Stop it' }).click();
    await page.locator('h1 .badge', { hasText: 'Aborted' }).waitFor();
    const stillThere = async () =>
      (await ask<Overview>(server.url, 'overview')).waiting.find(({ upload }) => upload === 'stopped')
        ?.objects;
    await expect.poll(stillThere, { timeout: PATIENCE }).toBe(3);
    await releaseHold(held, 'stopped');
  }, 180_000);

  it('tells studies and series apart, and who the patients are only when asked', async () => {
    const main = page.getByRole('main');
    await finished(world.url, 'looks');
    await open('image-sets');
    const study = (text: string) => page.locator('.study-card', { hasText: text });
    await study('accession LOOKS').getByText('2026-01-31 09:30').waitFor();
    await study('accession LOOKS').getByText('mono1').waitFor();
    const variant = study('accession OPERATOR').locator('.series > li').filter({ hasText: 'Two days' });
    await variant.getByText('one series in 2 image sets').waitFor();
    await variant.scrollIntoViewIfNeeded();
    await variant.getByText(/2 instances · .*primary/).waitFor();
    expect(await main.textContent()).not.toMatch(/PHANTOM|OPERATOR-1/);
    await page.getByRole('button', { name: 'Show patients' }).click();
    await study('accession LOOKS').getByText('PHANTOM^VARIANT · ID OPERATOR-1 · born 1970-01-01').waitFor();
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 900 });
      expect(await page.evaluate(LAYOUT_TROUBLES)).toEqual([]);
      const boxes = (await page.evaluate(
        '[...document.querySelectorAll(".study-card")].map((e) => e.getBoundingClientRect()).map(({ x, width }) => [x, Math.round(width)])',
      )) as [number, number][];
      expect(new Set(boxes.map(([, wide]) => wide)).size).toBe(1);
      expect(new Set(boxes.map(([x]) => x)).size).toBe(width === 390 ? 1 : boxes.length);
    }
    await page.getByLabel(/Only with variants \(1 of 2 studies\)/).check();
    await study('accession LOOKS').waitFor({ state: 'detached' });
    expect(await study('accession OPERATOR').count()).toBe(1);
    await page.reload();
    await study('accession LOOKS').waitFor();
    expect(await main.textContent()).not.toContain('PHANTOM');
    expect(
      await page.evaluate('JSON.stringify(localStorage) + JSON.stringify(sessionStorage)'),
    ).not.toContain('PHANTOM');
  }, 180_000);

  it(
    'sees what happened in the data store: the same many times as one row, errors alone, itself only on request',
    async () => {
      await finished(world.url, 'junk');
      const missing = 'a'.repeat(32);
      const path = `datastore/${world.world.datastoreId}/imageSet/${missing}/getImageSet`;
      await fetch(`${world.world.healthImagingUrl}/${path}`, { method: 'POST' });
      // The world's own console, which hears of its events.
      await page.goto(`${world.url}/#/data-store`);
      const rows = page.getByRole('region', { name: 'Events and API calls' }).locator('tbody tr');
      const created = rows.filter({ hasText: 'aws.s3: Object Created' }).filter({ hasText: /× \d/ });
      await created.first().waitFor();
      const texts = await rows.allTextContents();
      expect(texts.filter((text) => /junk|looks|notes|default/.test(text))).toEqual([]);
      expect(texts.filter((text, n) => text === texts[n + 1])).toEqual([]);
      await page.setViewportSize({ width: 390, height: 844 });
      // No word is broken into a column of letters.
      expect((await created.first().boundingBox())?.height).toBeLessThan(120);
      expect(texts.join()).not.toContain('ListDICOMImportJobs');
      await page.getByLabel('and what this console asks').check();
      await rows.filter({ hasText: 'ListDICOMImportJobs' }).first().waitFor();
      await page.getByLabel('and what this console asks').uncheck();
      await page.getByLabel('Show').selectOption('error');
      await rows.filter({ hasText: 'ResourceNotFoundException' }).filter({ hasText: missing }).waitFor();
      expect(await rows.count()).toBe(1);
    },
    PATIENCE,
  );

  it(
    'sees the last day hour by hour: by pointer, by keys, as a table, and as many as the refusals say',
    async () => {
      await finished(world.url, 'junk');
      await open();
      const slider = page.getByRole('slider', { name: /Objects per hour/ });
      const said = () => slider.getAttribute('aria-valuetext');
      await expect.poll(said).toMatch(/^\d\d:\d\d–\d\d:\d\d: .*[\d,]+ ingested, .*[\d,]+ rejected$/);
      const last = await said();
      await slider.focus();
      await page.keyboard.press('ArrowLeft');
      expect(await said()).not.toBe(last);
      await page.keyboard.press('Home');
      await page.locator('.hour').last().hover();
      expect(await said()).toBe(last);
      const pattern =
        'getComputedStyle(document.querySelector(".hour.chosen .bar.rejected")).backgroundImage';
      expect(await page.evaluate(pattern)).toContain('gradient');
      await page.getByText('As a table').click();
      const since = new Date(Date.now() - 86_400_000).toISOString();
      const { ingests } = await ask<RefusalPage>(server.url, 'refusals', { since });
      const total = ingests
        .flatMap(({ rejects }) => Object.values(rejects))
        .reduce((sum, one) => sum + one, 0);
      const tile = page.getByRole('link', { name: /Rejected, 24 h/ });
      await expect.poll(() => tile.locator('.value').textContent()).toBe(String(total));
      const cells = await page
        .getByRole('region', { name: 'Objects per hour' })
        .locator('tbody td')
        .allTextContents();
      expect(cells.filter((_, n) => n % 4 === 2).reduce((sum, one) => sum + Number(one), 0)).toBe(total);
    },
    PATIENCE,
  );

  it(
    'is told what a warning means, where an address leads to nothing, and lands on the reason that was clicked',
    async () => {
      const main = page.getByRole('main');
      const { executionId } = await finished(world.url, 'looks');
      await open('ingests', executionId);
      await page
        .locator('details.group', { hasText: 'B202' })
        .getByText('longer than the standard')
        .waitFor();
      await open('ingests', 'never-was');
      await page.getByRole('heading', { name: 'There is no ingest never-was' }).waitFor();
      expect(await page.getByRole('alert').count()).toBe(0);
      expect(await page.title()).toBe('Ingests · Isocenter');
      await main.getByRole('link', { name: 'Ingests' }).click();
      await page.getByRole('heading', { name: 'Ingests' }).waitFor();
      for (const address of ['nonsense', '%E0%A4%A']) {
        await open(address);
        await page.getByRole('heading', { name: 'There is no such page' }).waitFor();
      }
      await main.getByRole('link', { name: 'Now' }).click();
      await finished(world.url, 'junk');
      const junk = page.locator('.troubles li', { hasText: 'junk' }).first();
      const codes = async () =>
        (await junk.locator('.codes a').allTextContents()).map((text) => text.split(' ')[0]);
      await expect.poll(codes, { timeout: PATIENCE }).toEqual(['NotP10', 'SystemFile']);
      await junk.getByRole('link', { name: 'NotP10' }).click();
      await page.locator('details.group[open] summary:focus', { hasText: 'NotP10' }).waitFor();
    },
    PATIENCE,
  );

  it('reads from the first page which files were refused, why, and has them tried again', async () => {
    const { upload } = await refusedYesterday();
    const first = await finished(world.url, 'junk');
    await open();
    await page.getByRole('link', { name: /Rejected, 24 h/ }).click();
    const code = page.getByRole('region', { name: 'NotP10' });
    await code.getByText('What to do:').waitFor();
    const nothingToDo = page.locator('details', { hasText: 'Nothing to do' });
    expect(await nothingToDo.textContent()).toContain('SystemFile');
    expect(await page.getByRole('main').getByRole('region', { name: 'SystemFile' }).count()).toBe(0);
    await page.getByRole('link', { name: 'yesterday' }).click();
    await code.getByRole('link', { name: upload }).waitFor();
    expect(await code.getByRole('link').allTextContents()).toEqual([upload]);
    await code.getByRole('button', { name: 'Show 4 files' }).click();
    await code.getByRole('button', { name: /IM0000049/ }).waitFor();
    await page.getByRole('link', { name: 'today' }).click();
    const ingest = code.getByRole('listitem').filter({ hasText: 'junk' });
    await ingest.getByRole('button', { name: 'Show 2 files' }).click();
    await ingest.getByRole('button', { name: 'notes.txt', exact: true }).click();
    await ingest.getByRole('button', { name: 'Retry all 2 of NotP10' }).click();
    await ingest.getByRole('link', { name: 'the new ingest' }).click();
    await page.locator('h1', { hasText: 'junk' }).waitFor();
    const second = await finished(world.url, 'junk', [first.executionId]);
    // Both reasons of the first ingest: one was put back, the other can still be.
    await open('ingests', first.executionId, 'NotP10');
    const group = (name: string) => page.locator('details.group', { hasText: name });
    await group('NotP10').getByText('2 objects put back at').waitFor();
    const taken = group('NotP10').getByRole('link', { name: 'the ingest that took them' });
    expect(await taken.getAttribute('href')).toContain(second.executionId);
    expect(
      await group('NotP10')
        .getByRole('button', { name: /^Retry/ })
        .count(),
    ).toBe(0);
    await page.getByRole('button', { name: 'Retry the other 1', exact: true }).waitFor();
    // What somebody removed cannot come back.
    await open('ingests', 'yesterday-1', 'NotP10');
    await group('NotP10').getByText('Nothing of it is left').waitFor();
    expect(await page.getByRole('button', { name: /^Retry/ }).count()).toBe(0);
    const { executions } = await ask<ExecutionPage>(server.url, 'executions/search', { code: 'NotP10' });
    expect(executions.map((one) => one.upload)).toContain('junk');
  }, 180_000);
});

/** A report that was written a day ago: the same lines under yesterday's key. */
async function refusedYesterday(): Promise<{ upload: string; executionId: string }> {
  const { store } = world;
  const { workBucket: bucket } = world.world;
  const executionId = 'yesterday-1';
  const finishedAt = new Date(Date.now() - 86_400_000).toISOString();
  const wanted = { executionId, upload: 'refused-yesterday', objects: 200 };
  await writeLargeExecution(store, bucket, wanted, Date.parse(finishedAt));
  return wanted;
}
