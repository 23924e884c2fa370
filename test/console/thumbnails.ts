/** Thumbnails: of the low resolutions of a frame, asked for when they come into view, and told apart where there are none. */
import type { Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { framesOf, type MetadataDocument } from '../../console/image-sets/document.ts';
import { lookOf, toRgba, windowOfValues } from '../../console/viewer/pixels.ts';
import type { ObjectsPage } from '../../shared/console/api.ts';
import { decodeFrame } from '../../shared/verify/index.ts';
import { ask } from './demonstration.ts';
import { PATIENCE, type Pages } from './pages.ts';

/** Of the demonstration: a file of the series, and how often its frames are halved. */
const DRAWN = [
  { path: 'ct-chest/IM0013.dcm', level: 2 },
  { path: 'mr-head/IM0009.dcm', level: 1 },
  { path: 'us-doppler/loop.dcm', level: 1 },
  { path: 'cr-hand/plate.dcm', level: 2 },
] as const;

export function describeThumbnails({ page, demonstration, executionId, open }: Pages): void {
  describe('draw thumbnails', () => {
    const thumbnail = (set: string) =>
      page()
        .locator('.one-set')
        .filter({ has: page().locator(`a[href$="${set}"]`) })
        .locator('.thumbnail');
    async function setOf(path: string): Promise<string> {
      const wanted = { text: path };
      const { objects } = await ask<ObjectsPage>(
        demonstration().url,
        `executions/${executionId()}/objects`,
        wanted,
      );
      return objects.find(({ imageSetId }) => imageSetId)?.imageSetId ?? '';
    }
    /** The middle frame as it is stored. */
    async function middleOf(set: string) {
      const document = await ask<MetadataDocument>(demonstration().url, `image-sets/${set}/metadata`);
      const frames = framesOf(document);
      const shown = frames[Math.floor(frames.length / 2)];
      if (!shown) throw new Error(`${set} has no frames`);
      const response = await fetch(`${demonstration().url}/api/image-sets/${set}/frames/${shown.frame.ID}`);
      return { shown, bytes: new Uint8Array(await response.arrayBuffer()) };
    }

    it(
      'pixel by pixel as the frame is at that resolution, for a part of its bytes',
      async () => {
        const got = new Map<string, number>();
        page().on('response', async (response) => {
          const [, frame] = /frames\/(\w+)$/.exec(response.url()) ?? [];
          const length = Number(response.headers()['content-length']);
          if (frame) got.set(frame, (got.get(frame) ?? 0) + length);
        });
        await open('image-sets');
        for (const { path, level } of DRAWN) {
          const set = await setOf(path);
          await thumbnail(set).scrollIntoViewIfNeeded();
          await thumbnail(set).and(page().locator('.drawn')).waitFor();
          const { shown, bytes } = await middleOf(set);
          const frame = await decodeFrame(bytes, { level });
          const look = lookOf(shown.instance.DICOM);
          const rgba = toRgba(frame, look, look.window ?? windowOfValues(frame, look));
          const drawn = (await thumbnail(set)
            .locator('canvas')
            .evaluate(
              // biome-ignore lint/suspicious/noExplicitAny: it runs in the page
              (canvas: any) => [
                canvas.width,
                ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data,
              ],
            )) as number[];
          expect([path, drawn[0]]).toEqual([path, frame.columns]);
          expect(Buffer.from(drawn.slice(1)).equals(Buffer.from(rgba))).toBe(true);
          expect(got.get(shown.frame.ID)).toBeGreaterThan(0);
          // Of a small frame the first bytes are soon all.
          const most = bytes.length > 64 * 1024 ? bytes.length / 2 : bytes.length;
          expect([path, (got.get(shown.frame.ID) ?? 0) < most]).toEqual([path, true]);
        }
      },
      PATIENCE,
    );

    it(
      'and say what has none, what cannot be decoded, and what did not come',
      async () => {
        const [report, broken, lost] = [
          await setOf('sr-report/report.dcm'),
          await setOf('ct-chest/IM0001.dcm'),
          await setOf('mr-head/IM0001.dcm'),
        ];
        await page().route(`**/image-sets/${broken}/frames/*`, (route) =>
          route.fulfill({ status: 200, body: Buffer.alloc(2_000, 7) }),
        );
        const failing = (route: Route) => route.fulfill({ status: 500, json: { message: 'broken' } });
        await page().route(`**/image-sets/${lost}/metadata`, failing);
        await open('image-sets');
        for (const [set, says] of [
          [report, 'no image'],
          [broken, 'this frame cannot be shown'],
          [lost, 'not loaded'],
        ] as const) {
          await thumbnail(set).scrollIntoViewIfNeeded();
          await thumbnail(set).getByText(says, { exact: true }).waitFor();
        }
        // What did not come is asked for again when somebody looks again.
        await page().unroute(`**/image-sets/${lost}/metadata`, failing);
        await page().evaluate('document.body.style.paddingBottom = "3000px"; scrollTo(0, 1e6)');
        await thumbnail(lost).scrollIntoViewIfNeeded();
        await thumbnail(lost).and(page().locator('.drawn')).waitFor();
      },
      PATIENCE,
    );

    it(
      'only in view, and stop when the page is left',
      async () => {
        await page().setViewportSize({ width: 390, height: 300 });
        const asked: string[] = [];
        const aborted: string[] = [];
        page().on('request', (request) => {
          if (/image-sets\/\w+\/metadata/.test(request.url())) asked.push(request.url());
        });
        page().on('requestfailed', (request) => aborted.push(request.url()));
        await page().route('**/image-sets/*/metadata', () => {}); // never answered
        await open('image-sets');
        await page().locator('.thumbnail').first().scrollIntoViewIfNeeded();
        await expect.poll(() => asked.length, { timeout: PATIENCE }).toBeGreaterThan(0);
        const all = await page().locator('.thumbnail').count();
        expect(asked.length).toBeLessThan(all);
        expect(aborted).toEqual([]);
        await page().evaluate('location.hash = "#/upload"');
        await expect.poll(() => aborted.length, { timeout: PATIENCE }).toBe(asked.length);
      },
      PATIENCE,
    );
  });
}
