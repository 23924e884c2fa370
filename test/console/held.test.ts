/**
 * What was refused until a person decides, in a real browser on the real local world: whose it is, which content is right.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExecutionDetails, HeldPage, ImageSetPage } from '../../shared/console/api.ts';
import { hasChromium, openBrowser } from '../browser.ts';
import { p10, uid } from '../ingest/objects.ts';
import { ask, type Demonstration, finished, startWorldWith } from './demonstration.ts';
import { LAYOUT_TROUBLES } from './layout.ts';

const axeSource = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
/** For machines that do much else. */
const PATIENCE = 150_000;
const SERIES = uid('study/series');
const COMMENT = 'Bemerkung-7';
const NAME = 'Kanarienvogel^Anna';
const anna = { PatientName: NAME };
const bornLater = { ...anna, PatientBirthDate: '19710101' };
const first = new Map(
  [0, 1, 2].map((n) => [`${n}.dcm`, p10({ sop: `${n}`, pixels: n, patient: anna })] as const),
);
const second = new Map([
  ['1.dcm', p10({ sop: '1', pixels: 1, patient: anna, elements: { ImageComments: COMMENT } })],
  ['2.dcm', p10({ sop: '2', pixels: 5, patient: anna })],
  ['x.dcm', p10({ sop: 'x', pixels: 6, patient: bornLater })],
  ['y.dcm', p10({ sop: 'y', pixels: 7, patient: bornLater })],
]);

describe.skipIf(!hasChromium)('what is held for a decision', () => {
  let world: Demonstration;
  let browser: Browser;
  let page: Page;
  const asked: string[] = [];
  const troubles: string[] = [];

  const put = async (upload: string, files: ReadonlyMap<string, Uint8Array>) => {
    const bucket = world.world.inboxBucket;
    for (const [name, bytes] of files) await world.store.write({ bucket, key: `${upload}/${name}` }, bytes);
    return finished(world.url, upload);
  };
  const open = async (...parts: readonly string[]) => {
    await page.goto(`${world.url}/#/${parts.join('/')}`);
    await page.reload();
  };
  const held = () => ask<HeldPage>(world.url, 'held');
  const look = async (title: string) => {
    await open('held');
    await page.getByRole('region', { name: title }).getByRole('button', { name: 'Look and decide' }).click();
  };
  const decide = async (reason: string, button: string) => {
    await page.getByLabel('Why?').fill(reason);
    await page.getByRole('form', { name: 'Decision' }).getByRole('button', { name: button }).click();
  };
  const metadataOf = async (series: string) => {
    const { imageSets } = await ask<ImageSetPage>(world.url, 'image-sets/search', {
      seriesInstanceUID: series,
    });
    const all = imageSets.map(({ imageSetId }) =>
      ask<{
        Patient: { DICOM: Record<string, string> };
        Study: { Series: Record<string, { Instances: Record<string, { DICOM: Record<string, string> }> }> };
      }>(world.url, `image-sets/${imageSetId}/metadata`),
    );
    return Promise.all(all);
  };

  beforeAll(async () => {
    world = await startWorldWith('first', first);
    await finished(world.url, 'first');
    expect(await put('second', second)).toMatchObject({
      rejects: { IdentityConflict: 2, InstanceConflict: 2 },
    });
    browser = await openBrowser();
    page = await browser.newPage();
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => troubles.push(error.message));
    page.on('console', (message) => message.type() === 'error' && troubles.push(message.text()));
  }, PATIENCE);
  afterAll(async () => {
    await browser?.close();
    await world?.close();
  });

  it(
    'is counted on the first page, and one click away from there and from its ingest',
    async () => {
      await open();
      await page.getByRole('link', { name: /^2 Held for a decision/ }).click();
      await page.getByRole('heading', { name: 'Held for a decision' }).waitFor();
      await page.getByRole('region', { name: 'Whose are they?' }).waitFor();
      const { executionId } = await finished(world.url, 'second');
      await open('ingests', executionId, 'InstanceConflict');
      await page.getByRole('link', { name: 'Look and decide' }).locator('visible=true').first().click();
      await page.getByRole('link', { name: 'The ingest' }).waitFor();
      await page.getByRole('region', { name: 'Which content is right?' }).waitFor();
      // Another ingest refused nothing.
      await open('held', (await finished(world.url, 'first')).executionId);
      await page.getByText('Nothing waits for a decision.').waitFor();
    },
    PATIENCE,
  );

  it(
    'shows keywords, and values only to who asks for them; fits any page; is labelled',
    async () => {
      await open('held');
      for (let left = 2; left > 0; left--)
        await page.getByRole('button', { name: 'Look and decide' }).first().click();
      const patients = page.getByRole('region', { name: 'Whose are they?' });
      await patients.getByText('PatientBirthDate').first().waitFor();
      const found: string[] = [];
      for (const nth of [0, 1]) {
        await page.getByRole('button', { name: 'Compare' }).nth(nth).click();
        const instance = page.getByRole('list', { name: 'Instances' }).getByRole('listitem').nth(nth);
        const comments = instance.getByText('ImageComments');
        await instance.getByText('All elements agree').or(comments).waitFor();
        const text = (await page.locator('main').textContent()) ?? '';
        for (const value of [NAME, '19710101', '19700101', COMMENT, 'N-1']) expect(text).not.toContain(value);
        if ((await comments.count()) === 0) continue;
        await instance.getByRole('button', { name: 'Show the values' }).click();
        await instance.getByRole('cell', { name: COMMENT }).waitFor();
        await instance.getByRole('button', { name: 'Hide the values' }).click();
        await instance.getByRole('cell', { name: COMMENT }).waitFor({ state: 'detached' });
        found.push(text);
      }
      expect(found).toHaveLength(1);
      await page.getByRole('button', { name: 'Show who they are' }).click();
      await patients.getByRole('cell', { name: '19710101' }).waitFor();
      expect(await patients.textContent()).toContain(NAME);
      await page
        .getByRole('button', { name: /is right…/ })
        .first()
        .click();
      await page.getByRole('button', { name: 'Replace all 2 stored ones…' }).click();
      for (const [colorScheme, width] of [
        ['light', 1280],
        ['dark', 375],
      ] as const) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize({ width, height: 900 });
        expect([width, await page.evaluate(LAYOUT_TROUBLES)]).toEqual([width, []]);
        await page.evaluate(axeSource);
        const violations = await page.evaluate(
          `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes.map(({ html }) => html.slice(0, 120)).join(' ')))`,
        );
        expect([colorScheme, violations]).toEqual([colorScheme, []]);
      }
      await page.emulateMedia({ colorScheme: 'light' });
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.getByRole('button', { name: 'Hide who they are' }).click();
      await patients.getByText(NAME).waitFor({ state: 'detached' });
      expect(asked.join()).not.toMatch(/Kanarien|19710101|Bemerkung/);
    },
    PATIENCE,
  );

  it(
    'comes in as the content that a person found right',
    async () => {
      await look('Which content is right?');
      const before = await held();
      await page.getByRole('button', { name: 'Replace all 2 stored ones…' }).click();
      await page.getByText('goes back into the inbox').waitFor();
      // Nothing happens by opening, nor by going away.
      await page.keyboard.press('Escape');
      await page.getByText('What will happen').waitFor({ state: 'detached' });
      expect(await held()).toEqual(before);
      const { executionId } = await finished(world.url, 'second');
      await page.getByRole('button', { name: 'Replace all 2 stored ones…' }).click();
      await decide('the scanner was repaired', 'Replace');
      await page.getByText('2 objects back in the inbox as upload second').waitFor();
      await page.getByRole('region', { name: 'Which content is right?' }).waitFor({ state: 'detached' });
      const taken = await finished(world.url, 'second', [executionId]);
      expect(taken.counts).toMatchObject({ received: 2, ingested: 2 });
      const comments = (await metadataOf(SERIES)).flatMap(({ Study }) =>
        Object.entries(Study.Series[SERIES]?.Instances ?? {})
          .filter(([sop]) => sop === uid('series/1'))
          .map(([, { DICOM }]) => DICOM.ImageComments),
      );
      expect(comments).toEqual([COMMENT]);
      expect((await held()).cases.map(({ code }) => code)).toEqual(['IdentityConflict']);
    },
    PATIENCE,
  );

  it(
    'comes in as one patient after a second yes, under the identity that is right',
    async () => {
      await look('Whose are they?');
      await page.getByRole('button', { name: 'Show who they are' }).click();
      const right = page.getByRole('row').filter({ hasText: '19710101' });
      const label = ((await right.getByRole('rowheader').textContent()) ?? '').trim();
      await page.getByRole('button', { name: `One patient, ${label} is right…` }).click();
      await page.getByText('1 stored image set gets the identity').waitFor();
      const earlier = (
        await ask<{ executions: { executionId: string }[] }>(world.url, 'executions/search', {
          text: 'second',
        })
      ).executions;
      await decide('asked the ward', 'One patient');
      // The browser itself asks for the second yes, and the server would refuse.
      const isAccepted = await page.evaluate(
        `document.querySelector('input[name=isOnePatient]').validity.valid`,
      );
      expect(isAccepted).toBe(false);
      const body = { series: SERIES, study: uid('study'), action: 'one-patient', label, reason: 'no' };
      const { decisionId } = await ask<{ decisionId: string }>(world.url, 'series/resolve', body);
      await expect
        .poll(() => ask(world.url, `decisions/${decisionId}`), { timeout: PATIENCE })
        .toMatchObject({ state: 'refused', says: expect.stringContaining('say that it is one patient') });
      await page.getByLabel('I have looked').check();
      await decide('asked the ward', 'One patient');
      await page.getByText('2 objects back in the inbox').waitFor();
      await page.getByText('Nothing waits for a decision.').waitFor();
      const taken = await finished(
        world.url,
        'second',
        earlier.map((one) => one.executionId),
      );
      expect(taken.counts).toMatchObject({ received: 2, ingested: 2 });
      const documents = await metadataOf(SERIES);
      expect(documents.map(({ Patient }) => Patient.DICOM.PatientBirthDate)).toEqual(['19710101']);
      const instances = documents.flatMap(({ Study }) => Object.keys(Study.Series[SERIES]?.Instances ?? {}));
      expect(instances.sort()).toEqual(['0', '1', '2', 'x', 'y'].map((sop) => uid(`series/${sop}`)).sort());
    },
    PATIENCE,
  );

  it(
    'is left out with a reason, and held again when it comes again',
    async () => {
      const born = { ...anna, PatientBirthDate: '19720101' };
      const third = new Map([['z.dcm', p10({ sop: 'z', pixels: 3, patient: born })]]);
      const { executionId } = await put('third', third);
      await look('Whose are they?');
      // What was decided before is told, with who and why.
      await page.getByRole('list', { name: 'Decisions' }).getByText('asked the ward').waitFor();
      await page.getByRole('button', { name: 'Leave out…' }).click();
      await decide('a phantom', 'Leave out');
      await page.getByText('Nothing waits for a decision.').waitFor();
      expect((await held()).cases).toEqual([]);
      const { groups } = await ask<ExecutionDetails>(world.url, `executions/${executionId}`);
      expect(groups).toMatchObject([{ code: 'IdentityConflict', count: 1 }]);
      await ask(world.url, `executions/${executionId}/retry`, {});
      await finished(world.url, 'third', [executionId]);
      expect((await held()).cases).toMatchObject([{ code: 'IdentityConflict', objects: 1 }]);
      expect(troubles).toEqual([]);
    },
    PATIENCE,
  );
});
