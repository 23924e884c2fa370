/** The console's own pages in a real browser, as they are deployed: signing in, sending, trying again, deciding. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ctInstance, type DemoPatient, type Place } from '../../local/demo/series.ts';
import type { ImageSetPage } from '../../shared/console/api.ts';
import { writeP10 } from '../../shared/dicom/write.ts';
import { hasChromium, openBrowser } from '../browser.ts';
import type { DeployedConsole } from './deployed-console.ts';

const PATIENT: DemoPatient = { id: 'PAGES-1', name: 'PHANTOM^PAGES', birthDate: '19700101', sex: 'O' };
const PATIENCE = 120_000;

/** One series whose last instance says another day of the study: it is kept apart. One file over 16 MB, in parts. */
async function writeFiles(folder: string): Promise<string[]> {
  const place = (instance: number): Place => ({
    patient: PATIENT,
    study: 'pages',
    series: 'ct',
    description: 'Two days',
    instance,
    ...(instance === 3 ? { studyDate: '20260202' } : {}),
  });
  const matrix = { rows: 64, columns: 64 };
  const files = [1, 2, 3].map((n) => ({
    name: `IM${n}.dcm`,
    bytes: writeP10(ctInstance(place(n), matrix, n / 3)),
  }));
  const paths = [
    ...files,
    { name: 'large.bin', bytes: Buffer.alloc(17 * 1024 * 1024, 'no DICOM') },
    { name: 'small.txt', bytes: Buffer.from('no DICOM') },
  ].map(async ({ name, bytes }) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return path;
  });
  return Promise.all(paths);
}

async function imageSetOf({ front, provider }: DeployedConsole, patientId: string): Promise<string> {
  const answer = await fetch(`${front.url}/api/image-sets/search`, {
    method: 'POST',
    headers: { authorization: `Bearer ${provider.idToken()}` },
    body: JSON.stringify({ patientId }),
  });
  return ((await answer.json()) as ImageSetPage).imageSets[0]?.imageSetId ?? '';
}

export function describePages(deployed: () => DeployedConsole): void {
  describe.skipIf(!hasChromium)('in a browser, the page', () => {
    let browser: Browser;
    let page: Page;
    let folder: string;
    const refusals: string[] = [];
    const open = (...parts: string[]) => page.goto(`${deployed().front.url}/#/${parts.join('/')}`);
    const article = () => page.locator('section[aria-labelledby=variants] article');

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'isocenter-pages-'));
      browser = await openBrowser();
      page = await browser.newPage();
      page.setDefaultTimeout(40_000);
      page.on('console', (message) => {
        if (/Content Security Policy|CORS/.test(message.text())) refusals.push(message.text());
      });
    }, PATIENCE);
    afterAll(async () => {
      await browser?.close();
      await rm(folder, { recursive: true, force: true });
    });

    it(
      'signs in at the provider and comes back to where it was meant to be',
      async () => {
        const before = deployed().provider.signIns();
        await open('ingests');
        await page.getByText('operator@example.org').waitFor();
        await page.getByRole('region', { name: 'Ingests' }).getByRole('link').first().waitFor();
        expect(page.url()).toBe(`${deployed().front.url}/#/ingests`);
        // A reload of the tab goes on with the token it has.
        await page.reload();
        await page.getByText('operator@example.org').waitFor();
        expect(deployed().provider.signIns()).toBe(before + 1);
      },
      PATIENCE,
    );

    it(
      'sends files to the inbox itself, a large one in parts, and tells what became of each',
      async () => {
        const sent: string[] = [];
        page.on('requestfinished', (request) => {
          if (request.method() === 'PUT') sent.push(new URL(request.url()).origin);
        });
        await open('upload');
        await page.getByLabel('Files', { exact: true }).setInputFiles(await writeFiles(folder));
        await page.getByText('Finished.').waitFor();
        for (const name of ['large.bin', 'small.txt'])
          expect(await page.getByRole('row', { name }).textContent()).toContain('NotP10');
        expect(await page.getByRole('row', { name: 'IM1.dcm' }).textContent()).not.toContain('NotP10');
        expect([sent.length, new Set(sent)]).toEqual([7, new Set([deployed().world.s3Url])]);
      },
      PATIENCE,
    );

    it(
      'decides about variants with a reason, draws a frame, and tries again what was refused',
      async () => {
        await open('');
        await page
          .getByRole('link', { name: /^console-/ })
          .first()
          .waitFor();
        await open('ingests');
        await page
          .getByRole('link', { name: /^console-/ })
          .first()
          .click();
        await article().getByText('StudyDate').first().waitFor();
        const ingest = page.url();
        await article().getByRole('button', { name: 'Resolve…' }).click();
        await article()
          .getByRole('button', { name: /Merge into .*2 instances/ })
          .click();
        await article().getByLabel('Why?').fill('the console was a day ahead');
        await article().getByRole('button', { name: 'Merge', exact: true }).click();
        await article().getByRole('status').getByText('Merged: ').waitFor();
        await open('image-sets', await imageSetOf(deployed(), PATIENT.id));
        await page.getByText('checksum matches').waitFor();
        await page.goto(ingest);
        const group = page.locator('details', { hasText: 'NotP10' }).first();
        await group.locator('summary').first().click();
        await group.getByRole('button', { name: /Retry all/ }).click();
        await page
          .getByText(/put back|back in the inbox|new ingest/i)
          .first()
          .waitFor();
      },
      2 * PATIENCE,
    );

    it('was refused nothing by its own policy, nor by the inbox', () => {
      expect(refusals).toEqual([]);
    });
  });
}
