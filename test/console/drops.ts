/** Files and folders given to the page: dropped as a file manager does, from the disk, and chosen. */
import { mkdir, mkdtemp, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { CDPSession, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusalOf } from '../../console/upload/refusal.ts';
import type { ObjectsPage } from '../../shared/console/api.ts';
import { ask, finished } from './demonstration.ts';
import { PATIENCE, type Pages } from './pages.ts';

/** More than the hundred that a browser gives of a folder at once. */
const MANY = Array.from({ length: 120 }, (_, n) => `many/${String(n).padStart(3, '0')}.txt`);
const ODD = [
  '.hidden',
  '.dir/.in it',
  'a+b 100%.txt',
  '%2e%2e%2fup.txt',
  'späte Notiz 放射.txt',
  'deep/er/and deeper/IM1.dcm',
  'no extension',
];

export function describeDrops({ page, demonstration, open }: Pages): void {
  describe('take what is dropped and chosen', () => {
    let folder: string;
    const debuggers = new WeakMap<Page, CDPSession>();
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'isocenter-drops-'));
    });
    afterAll(() => rm(folder, { recursive: true, force: true }));

    async function write(paths: readonly string[], root: string): Promise<void> {
      for (const path of paths) {
        await mkdir(dirname(join(folder, root, path)), { recursive: true });
        await writeFile(join(folder, root, path), `no DICOM: ${path}`);
      }
    }

    /** As the operating system hands it over: the paths of files and folders, or text. */
    async function drop(what: { files?: string[]; items?: object[] }, on: string): Promise<void> {
      const box = await page().locator(on).boundingBox();
      if (!box) throw new Error(`${on} has no box`);
      // One for the page: a drag does not outlive its debugger.
      const debuggerOf = debuggers.get(page()) ?? (await page().context().newCDPSession(page()));
      debuggers.set(page(), debuggerOf);
      const files = what.files?.map((path) => join(folder, path)) ?? [];
      for (const type of ['dragEnter', 'dragOver', 'drop'])
        await debuggerOf.send('Input.dispatchDragEvent', {
          type: type as 'drop',
          x: box.x + box.width / 2,
          y: box.y + box.height / 2,
          data: { items: (what.items ?? []) as never[], files, dragOperationsMask: 1 },
        });
    }

    /** The keys of an upload below its name, as its report has them. */
    async function pathsOf(upload: string): Promise<string[]> {
      const { executionId } = await finished(demonstration().url, upload);
      const { objects } = await ask<ObjectsPage>(demonstration().url, `executions/${executionId}/objects`, {
        limit: 500,
      });
      return objects.map(({ key }) => key.slice(upload.length + 1)).sort();
    }
    const upload = async () => (await page().locator('section code').first().textContent()) ?? '';

    it('folders within folders, and each file under its own name', async () => {
      await write([...MANY, ...ODD], 'study 1');
      await write(['plain.txt'], '.');
      await mkdir(join(folder, 'study 1', 'empty'));
      await symlink('nowhere', join(folder, 'study 1', 'broken link'));
      await open('upload');
      await drop({ files: ['study 1', 'plain.txt'] }, '.drop');
      await page().getByText('Finished.').waitFor();
      const sent = [...MANY, ...ODD].map((path) => `study 1/${path}`);
      expect(await pathsOf(await upload())).toEqual([...sent, 'plain.txt'].sort());
    }, 120_000);

    it('and of a file that is gone or changed meanwhile say so, and send the rest', async () => {
      await write(
        ['kept 1.txt', 'kept 2.txt', 'kept 3.txt', 'gone.txt', 'changed.txt', 'large.bin', 'last.txt'],
        'moving',
      );
      await truncate(join(folder, 'moving/large.bin'), 17 * 1024 * 1024);
      await open('upload');
      // The first ones wait at the door until the disk has changed.
      let release = () => {};
      const isReleased = new Promise<void>((resolve) => {
        release = resolve;
      });
      await page().route('**/api/uploads', async (route) => {
        await isReleased;
        await route.continue();
      });
      await drop({ files: ['moving'] }, '.drop');
      await page().getByText('7 files').waitFor();
      for (const path of ['gone.txt', 'large.bin']) await rm(join(folder, 'moving', path));
      await writeFile(join(folder, 'moving/changed.txt'), 'another, longer text than before');
      // Browsers look at whole seconds.
      await utimes(join(folder, 'moving/changed.txt'), 1, 1);
      release();
      await page().getByText('Finished.').waitFor();
      await page().getByText('3 files not sent').waitFor();
      for (const name of ['gone.txt', 'changed.txt', 'large.bin'])
        expect(await page().getByRole('row', { name }).textContent()).toMatch(/Not sent.*cannot be read/);
      expect(await page().getByRole('row', { name: 'last.txt' }).textContent()).toContain('NotP10');
      expect(await pathsOf(await upload())).toEqual(
        ['kept 1.txt', 'kept 2.txt', 'kept 3.txt', 'last.txt'].map((path) => `moving/${path}`),
      );
    }, 120_000);

    it('a folder that is chosen, hidden files and all', async () => {
      await write(['IM1', 'series 1/.hidden', 'series 1/IM+2%'], 'chosen');
      await open('upload');
      await page().getByLabel('Folder', { exact: true }).setInputFiles(join(folder, 'chosen'));
      await page().getByText('Finished.').waitFor();
      expect(await pathsOf(await upload())).toEqual([
        'chosen/IM1',
        'chosen/series 1/.hidden',
        'chosen/series 1/IM+2%',
      ]);
    }, 120_000);

    it('and refuse two files of one path, as the command line does', () => {
      // Chromium gives files of one name names of their own; others may not.
      const twice = ['a', 'b', 'a'].map((path) => ({ path }));
      expect(refusalOf({ files: twice.slice(0, 2), unread: [] })).toBeUndefined();
      expect(refusalOf({ files: twice, unread: [] })).toContain('Two of the files would be a');
    });

    it(
      'and stay where they are for anything else',
      async () => {
        await write(['one.txt'], 'beside');
        await mkdir(join(folder, 'nothing/in/it'), { recursive: true });
        await open('upload');
        const address = page().url();
        await page().evaluate('window.isTheSame = true');
        const texts = [
          { mimeType: 'text/plain', data: 'http://evil.example/' },
          { mimeType: 'text/uri-list', data: 'http://evil.example/' },
        ];
        // What headless Chromium does not do by itself, others do: leave the page for what nobody has taken.
        await page().evaluate(
          `window.notTaken = 0; addEventListener('dragover', (event) => { window.notTaken += event.defaultPrevented ? 0 : 1; })`,
        );
        for (const on of ['.drop', 'h1']) {
          await drop({ items: texts }, on);
          await drop({ files: ['beside/one.txt'] }, on === 'h1' ? on : 'header.top');
        }
        expect(await page().evaluate('window.notTaken')).toBe(0);
        await drop({ files: ['nothing'] }, '.drop');
        await page().getByRole('alert').getByText('There is no file in it').waitFor({ timeout: 20_000 });
        expect([page().url(), await page().evaluate('window.isTheSame')]).toEqual([address, true]);
        expect(await page().getByText('Sending…').count()).toBe(0);
      },
      PATIENCE,
    );
  });
}
