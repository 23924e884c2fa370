/**
 * How the pages look and whom they keep out: each panel, with what it unfolds, on a desk and on a phone, in light and
 * dark, with text of twice the size; held against the layout's own rules and against axe.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import type { ExecutionDetails, SeriesState } from '../../shared/console/api.ts';
import { ask, UPLOAD } from './demonstration.ts';
import { LAYOUT_TROUBLES } from './layout.ts';
import type { Pages } from './pages.ts';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** WCAG 2.2's size of targets is off unless one asks for it. */
const RUN_AXE = `axe.run(document, { rules: { 'target-size': { enabled: true } } }).then(({ violations }) =>
  violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' ')))`;
const TWICE_THE_TEXT = `(() => {
  const { style } = document.documentElement;
  style.fontSize = 2 * parseFloat(getComputedStyle(document.documentElement).fontSize) + 'px';
})()`;

const WIDTHS = [1280, 768, 390] as const;

/** Everything that is wrong with what the page shows now. Leaves it wide and light. */
export async function appearanceTroubles(page: Page): Promise<string[]> {
  const troubles: string[] = [];
  const look = async (name: string, script: string) =>
    troubles.push(...((await page.evaluate(script)) as string[]).map((one) => `${name}: ${one}`));
  for (const [colorScheme, axeWidth] of [
    ['dark', 390],
    ['light', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme });
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      await look(`${width} ${colorScheme}`, LAYOUT_TROUBLES);
      if (width !== axeWidth) continue;
      // Through the debugger, which the page's own policy does not bind.
      await page.evaluate(axeSource);
      await look(`axe ${width} ${colorScheme}`, RUN_AXE);
    }
  }
  await page.evaluate(TWICE_THE_TEXT);
  await page.setViewportSize({ width: 1280, height: 900 });
  await look('text of twice the size', LAYOUT_TROUBLES);
  await page.evaluate("document.documentElement.style.fontSize = ''");
  return troubles;
}

interface Shown {
  readonly name: string;
  readonly parts: readonly string[];
  /** What it shows when it is there. */
  readonly sign: string;
  readonly unfold?: (page: Page) => Promise<unknown>;
}

export function describeAppearance({ page, demonstration, executionId, open }: Pages): void {
  describe('are accessible in light and dark, and hold together on phone and desk, with text of twice the size', () => {
    const shown: readonly Shown[] = [
      { name: 'now', parts: [], sign: 'Last troubles' },
      { name: 'ingests', parts: ['ingests'], sign: 'looked at' },
      { name: 'refused', parts: ['refused', 'rejected', 'hours'], sign: 'Retry all' },
      {
        name: 'one ingest',
        parts: ['ingests', 'ID', 'MissingElement'],
        sign: 'What to do:',
        unfold: unfoldIngest,
      },
      { name: 'image sets', parts: ['image-sets'], sign: 'image sets shown' },
      { name: 'image set', parts: ['image-sets', 'SET'], sign: 'checksum matches', unfold: unfoldImageSet },
      { name: 'no such image set', parts: ['image-sets', 'none'], sign: 'There is no image set' },
      { name: 'upload', parts: ['upload'], sign: 'Drop files or folders here.' },
      { name: 'data store', parts: ['data-store'], sign: 'Addresses' },
      { name: 'problem', parts: ['ingests', 'never-was'], sign: 'There is no ingest' },
      { name: 'frame problem', parts: ['image-sets', 'SET'], sign: 'Try again', unfold: spoilFrames },
    ];

    it.each(shown)(
      '$name',
      async ({ name, parts, sign, unfold }) => {
        const { report } = await ask<ExecutionDetails>(demonstration().url, `executions/${executionId()}`);
        const set = report?.imageSets.find(({ modality }) => modality === 'MR')?.imageSetId ?? '';
        if (unfold === spoilFrames) await spoilFrames(page());
        await open(...parts.map((part) => ({ ID: executionId(), SET: set })[part] ?? part));
        await page().getByText(sign).locator('visible=true').first().waitFor();
        if (unfold !== spoilFrames) await unfold?.(page());
        expect([name, await appearanceTroubles(page())]).toEqual([name, []]);
      },
      60_000,
    );

    it('nothing moves for who asked for that', async () => {
      await page().emulateMedia({ reducedMotion: 'reduce' });
      await page().route('**/api/data-store', () => {}); // never answered
      await open('data-store');
      await page().locator('.spinner').waitFor();
      const moving = 'document.getAnimations().map((one) => one.animationName ?? one.transitionProperty)';
      expect(await page().evaluate(moving)).toEqual([]);
      await page().emulateMedia({ reducedMotion: 'no-preference' });
      expect(await page().evaluate(moving)).toEqual(['turn']);
    });
  });
}

const spoilFrames = (page: Page) =>
  page.route('**/frames/*', (route) => route.fulfill({ status: 500, json: { message: 'no frame' } }));

/** A chosen object, a retry that is done, the history, and a decision about to be made. */
async function unfoldIngest(page: Page): Promise<void> {
  // Another test tried the rest again: what is back in the inbox has no button.
  const group = page.locator('details.group', { hasText: 'MissingElement' });
  await group
    .getByRole('button', { name: /^broken\// })
    .first()
    .click();
  await page.getByLabel('Chosen object').waitFor();
  await page.route('**/retry', (route) =>
    route.fulfill({ json: { restored: 2, skipped: 0, upload: UPLOAD } }),
  );
  await group.getByRole('button', { name: /^Retry all/ }).click();
  await group.getByText('back in the inbox').waitFor();
  await page.locator('summary', { hasText: 'Execution history' }).click();
  await page.getByText('Execution started').waitFor();
  // What can be decided lasts for a week only on AWS: here the server is made to say that it can be.
  await page.route('**/series/view', (route) => route.fulfill({ json: UNDECIDED }));
  await page.locator('section[aria-labelledby=variants] button').first().click();
  await page
    .getByRole('button', { name: /^Merge into/ })
    .first()
    .click();
  await page.getByText('What will happen:').waitFor();
}

async function unfoldImageSet(page: Page): Promise<void> {
  for (const summary of ['each as DICOM P10', 'Metadata', 'what changed, and when'])
    await page.locator('summary', { hasText: summary }).click();
  await page
    .getByRole('button', { name: /Download instance/ })
    .first()
    .waitFor();
  await page.getByRole('table').last().waitFor();
}

const UNDECIDED: SeriesState = {
  seriesInstanceUID: '1.2.3',
  imageSets: ['a', 'b'].map((digit, n) => ({
    imageSetId: digit.repeat(32),
    instances: n + 1,
    isPrimary: n === 0,
  })),
  keywords: ['StudyDate', 'SeriesDescription'],
  identityKeywords: ['PatientID'],
  isKeptApart: false,
  undoable: [{ executionId: 'merge', until: '2026-12-01T00:00:00.000Z' }],
  history: [
    { decision: 'keep-apart', actor: 'operator', reason: 'two days', at: '2026-11-24T00:00:00.000Z' },
  ],
} as unknown as SeriesState;
