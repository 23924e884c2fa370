/** What each panel says when there is nothing, when it is not answered, and when the server is gone; and that it recovers. */
import type { Locator, Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { startConsoleServer } from '../../local/console/server.ts';
import type { ImageSetPage } from '../../shared/console/api.ts';
import { ask } from './demonstration.ts';
import { PATIENCE, type Pages } from './pages.ts';

interface Panel {
  readonly parts: readonly string[];
  /** The request that is not answered. */
  readonly asks: string;
  /** What is on the page once it is. */
  readonly sign: string | RegExp;
  /** Opened by hand before the request is made. */
  readonly unfolds?: string;
  /** It asks again by itself. */
  readonly isPolling?: true;
}

/** The console's own deadline, and a second. */
const TOO_LONG_MS = 61_000;

export function describeEmptyPanels({ page, open }: Pages): void {
  it(
    'say of an empty world what is not there yet, and what to do',
    async () => {
      const panels: readonly (readonly [string[], readonly (string | RegExp)[]])[] = [
        [[], ['Nothing runs.', 'Nothing waits.', 'Nothing was refused', /Nothing yet\. Upload files/]],
        [['ingests'], ['Nothing was ingested yet.']],
        [['image-sets'], ['There is no image set yet.']],
        [['data-store'], ['No job ran yet.']],
        [['%E0%A4%A'], ['There is no']],
      ];
      for (const [parts, signs] of panels) {
        await open(...parts);
        for (const sign of signs) await page().getByText(sign).first().waitFor();
        expect(await page().getByRole('alert').count()).toBe(0);
      }
    },
    PATIENCE,
  );
}

export function describeStates({ page, demonstration, executionId, origins, open }: Pages): void {
  describe('without an answer', () => {
    async function panels(): Promise<readonly Panel[]> {
      const search = { seriesInstanceUID: '' };
      const { imageSets } = await ask<ImageSetPage>(demonstration().url, 'image-sets/search', search);
      const set = imageSets.find(({ DICOMTags }) => DICOMTags.DICOMSeriesModality === 'CT')?.imageSetId ?? '';
      const [execution, imageSet] = [`**/executions/${executionId()}`, `**/image-sets/${set}`];
      return [
        { parts: ['ingests'], asks: '**/executions/search', sign: /shown of/ },
        { parts: ['ingests', executionId()], asks: execution, sign: 'Download report' },
        { parts: ['ingests', executionId(), 'NotP10'], asks: `${execution}/objects`, sign: /broken\// },
        {
          parts: ['ingests', executionId()],
          asks: `${execution}/history`,
          sign: 'Execution started',
          unfolds: 'Execution history',
        },
        { parts: ['image-sets'], asks: '**/image-sets/search', sign: /[1-9]\d* image sets shown/ },
        // Before anything else shows a frame: frames are kept.
        { parts: ['image-sets', set], asks: `${imageSet}/frames/*`, sign: 'checksum matches' },
        { parts: ['image-sets', set], asks: imageSet, sign: /made/ },
        { parts: ['image-sets', set], asks: `${imageSet}/metadata`, sign: 'checksum matches' },
        {
          parts: ['image-sets', set],
          asks: `${imageSet}/versions`,
          sign: /^Show$/,
          unfolds: 'what changed, and when',
        },
        { parts: ['data-store'], asks: '**/data-store', sign: 'Addresses', isPolling: true },
      ];
    }
    /** Panels begin anew only when another was there before. */
    async function openAnew({ parts, unfolds }: Panel): Promise<void> {
      await open('upload');
      await page().getByRole('heading', { name: 'Upload' }).waitFor();
      await open(...parts);
      if (unfolds) await page().locator('summary', { hasText: unfolds }).click();
    }
    const problem = (says: string): Locator =>
      page().locator('.problem, .screen-problem').filter({ hasText: says }).locator('visible=true').first();

    const failures: readonly {
      how: string;
      says: string;
      answer: (route: Route) => unknown;
      isLate?: true;
    }[] = [
      {
        how: 'an error',
        says: 'the disk is full',
        answer: (route) => route.fulfill({ status: 500, json: { message: 'the disk is full' } }),
      },
      {
        how: 'an answer that is none',
        says: 'does not answer',
        answer: (route) => route.fulfill({ status: 200, body: '<html>' }),
      },
      {
        how: 'a line that breaks',
        says: 'does not answer',
        answer: (route) => route.abort('connectionreset'),
      },
      { how: 'silence', says: 'did not answer within 60 seconds', answer: () => {}, isLate: true },
    ];
    it.each(failures)(
      'every panel says so, and tries again when told: $how',
      async ({ how, says, answer, isLate }) => {
        if (isLate) await page().clock.install();
        for (const panel of await panels()) {
          if (/frames/.test(panel.asks) && isLate) continue;
          if (how === 'an answer that is none' && !panel.isPolling) continue; // told in one place for all
          const asked: Route[] = [];
          const failing = async (route: Route) => {
            asked.push(route);
            await answer(route);
          };
          await page().route(panel.asks, failing);
          await openAnew(panel);
          if (isLate) {
            await expect.poll(() => asked.length, { timeout: PATIENCE }).toBeGreaterThan(0);
            await page().clock.fastForward(TOO_LONG_MS);
          }
          await problem(says).waitFor();
          await page().unroute(panel.asks, failing);
          if (!panel.isPolling) await problem(says).getByRole('button', { name: 'Try again' }).click();
          await page().getByText(panel.sign).locator('visible=true').first().waitFor();
          // Time that is skipped is skipped for all.
          if (!isLate) expect([panel.asks, await problem('').count()]).toEqual([panel.asks, 0]);
        }
      },
      180_000,
    );

    it(
      'an ingest that never was is told as such',
      async () => {
        await open('ingests', 'no-such-ingest');
        await page().getByRole('heading', { name: 'There is no ingest no-such-ingest' }).waitFor();
      },
      PATIENCE,
    );

    it(
      'the first page says that its server cannot read its stores',
      async () => {
        const body = 'event: trouble\ndata: {}\n\n';
        const troubled = (route: Route) => route.fulfill({ contentType: 'text/event-stream', body });
        await page().route('**/api/live', troubled);
        await open();
        await page()
          .getByRole('alert')
          .filter({ hasText: /cannot read its stores|Disconnected/ })
          .waitFor();
        await page().getByText('Nothing is known yet').waitFor();
        await page().unroute('**/api/live', troubled);
        await page().getByText('Last troubles').waitFor();
        expect(await page().getByRole('alert').count()).toBe(0);
      },
      PATIENCE,
    );

    it('all go on where they were when the server is killed and comes back', async () => {
      const world = () => demonstration().world;
      let server = await startConsoleServer({ port: 0, world });
      const port = Number(new URL(server.url).port);
      origins.push(server.url);
      const go = (parts: readonly string[]) => page().evaluate(`location.hash = '#/${parts.join('/')}'`);
      try {
        const all = await panels();
        await page().goto(`${server.url}/#/upload`);
        await page().getByText('Live', { exact: true }).waitFor();
        await page().evaluate('window.isTheSame = true');
        let release = () => {};
        const isReleased = new Promise<void>((resolve) => {
          release = resolve;
        });
        await page().route('**/file', async (route) => {
          await isReleased;
          await route.continue();
        });
        const file = { mimeType: 'text/plain', buffer: Buffer.from('no DICOM') };
        const files = ['one.txt', 'two.txt'].map((name) => ({ name, ...file }));
        await page().getByLabel('Files', { exact: true }).setInputFiles(files);
        await page().getByText('Sending…').waitFor();
        await server.close();
        release();
        await page().getByRole('alert').getByText('Disconnected').waitFor();
        await page().getByText('it goes on when it is back').waitFor();
        for (const { parts } of all.filter(
          ({ unfolds, asks }) => !unfolds && !/objects|metadata|frames/.test(asks),
        )) {
          await go(parts);
          await problem('does not answer').waitFor();
        }
        server = await startConsoleServer({ port, world });
        await page().getByText('Addresses').waitFor();
        await page().getByText('Live', { exact: true }).waitFor();
        expect(await page().getByRole('alert').count()).toBe(0);
        await go(['upload']);
        await page().getByText('Finished.').waitFor();
        for (const { name } of files)
          expect(await page().getByRole('row', { name }).textContent()).toContain('NotP10');
        expect(await page().evaluate('window.isTheSame')).toBe(true);
      } finally {
        await server.close();
      }
    }, 120_000);
  });
}
