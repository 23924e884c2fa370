/** `isocenter/verify` as others import it: on Node from the package, in a browser from the built module. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32 as zlibCrc32 } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { crc32 } from '../../shared/pixels/crc32.ts';
import { encodeFrame } from '../../shared/pixels/frame-operations.ts';
import type * as Verify from '../../shared/verify/index.ts';
import { hasChromium, openBrowser } from '../browser.ts';
import { describeImage, randomPixels, seeded } from './material.ts';
import { nodeTools } from './node-tools.ts';

const dist = fileURLToPath(new URL('../../dist', import.meta.url));
const description = describeImage({ rows: 300, columns: 260, bitsStored: 12, signed: true });
const pixels = randomPixels(description);
let stored: Awaited<ReturnType<typeof encodeFrame>>;
let library: typeof Verify;
beforeAll(async () => {
  stored = await encodeFrame(nodeTools(), pixels, description, { levels: true });
  library = (await import('isocenter/verify' as string)) as typeof Verify;
});

describe('isocenter/verify on Node', () => {
  const expectation = () => ({
    checksums: stored.checksums,
    rows: 300,
    columns: 260,
    samplesPerPixel: 1,
    bitsStored: 12,
    signed: true,
  });

  it('proves a frame at every listed level', async () => {
    expect(stored.checksums.map(({ Width, Height }) => [Width, Height])).toEqual([
      [130, 150],
      [260, 300],
    ]);
    expect(await library.verifyFrame(stored.codestream, expectation())).toMatchObject({
      verified: true,
      mismatches: [],
    });
  });

  it.each([
    ['exchanged rows and columns', { rows: 260, columns: 300 }, ['rows', 'columns']],
    ['another sign', { signed: false }, ['signed']],
    ['another precision', { bitsStored: 16 }, ['bitsStored']],
    ['more samples', { samplesPerPixel: 3 }, ['samplesPerPixel']],
    ['another checksum', { checksums: [{ Width: 260, Height: 300, Checksum: 1 }] }, ['checksum']],
    [
      'a level that is not there',
      {
        checksums: [
          { Width: 7, Height: 7, Checksum: 1 },
          { Width: 260, Height: 300, Checksum: 1 },
        ],
      },
      ['level', 'checksum'],
    ],
  ])('names %s', async (_name, wrong, what) => {
    const verdict = await library.verifyFrame(stored.codestream, { ...expectation(), ...wrong });
    expect(verdict.verified).toBe(false);
    expect(verdict.mismatches.map((mismatch) => mismatch.what)).toEqual(what);
  });

  it('gives a verdict on damage instead of throwing', async () => {
    const verdict = await library.verifyFrame(stored.codestream.subarray(0, 500), expectation());
    expect(verdict).toMatchObject({ verified: false, error: { code: 'FrameCorrupt' } });
  });

  it('compares with the source frame', async () => {
    const source = { encoded: pixels, transferSyntaxUID: description.transferSyntaxUID, description };
    const right = await library.verifyFrame(stored.codestream, expectation(), { source });
    expect(right.proof).toMatchObject({ source: 'equal', lossySource: false });
    const other = new Uint8Array(pixels);
    other[1000] = other[1000]! ^ 1;
    const wrong = await library.verifyFrame(stored.codestream, expectation(), {
      source: { ...source, encoded: other },
    });
    expect(wrong).toMatchObject({ verified: false, proof: { source: 'differs', maxDifference: 1 } });
  });

  it('decodes to the pixels, and to a thumbnail', async () => {
    const full = await library.decodeFrame(stored.codestream);
    expect(Buffer.compare(full.pixels, pixels)).toBe(0);
    const small = await library.decodeFrame(stored.codestream, { level: 2 });
    expect(small).toMatchObject({ rows: 75, columns: 65 });
  });
});

it('is what examples/verify-frame.mjs shows', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isocenter-example-'));
  const path = join(folder, 'frame.j2c');
  writeFileSync(path, stored.codestream);
  const example = fileURLToPath(new URL('../../examples/verify-frame.mjs', import.meta.url));
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [example, path, ...args], { encoding: 'utf8' });
  const right = run(String(stored.checksums.at(-1)?.Checksum));
  expect(right.stdout).toContain('260 × 300, 12 bits signed');
  expect(right.stdout).toContain('thumbnail 130 × 150');
  expect(right.status).toBe(0);
  const wrong = run('1');
  expect(wrong.stdout).toContain('NOT verified');
  expect(wrong.status).toBe(1);
  rmSync(folder, { recursive: true, force: true });
});

it('has a CRC-32 of its own that is the one of zlib', () => {
  const random = seeded(3);
  for (const length of [0, 1, 7, 8, 9, 1000, 4099]) {
    const bytes = Uint8Array.from({ length }, () => Math.floor(random() * 256));
    expect(crc32(bytes)).toBe(zlibCrc32(bytes));
  }
});

describe.skipIf(!hasChromium)('isocenter/verify in a browser', () => {
  let server: Server;
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  it('decodes and verifies the same frame', async () => {
    const page = `<!doctype html><title>waiting</title><body></body><script type="module">
      import { verifyFrame, decodeFrame } from '/browser.js';
      const bytes = new Uint8Array(await (await fetch('/frame')).arrayBuffer());
      const { verified } = await verifyFrame(bytes, { checksums: ${JSON.stringify(stored.checksums)}, signed: true });
      const { crc32, rows } = await decodeFrame(bytes);
      document.body.textContent = JSON.stringify({ verified, crc32, rows });
      document.body.className = 'done';
    </script>`;
    server = createServer((request, response) => {
      const path = request.url ?? '/';
      const types: Record<string, string> = { '.js': 'text/javascript', '.wasm': 'application/wasm' };
      const file = /^\/[\w-]+\.(js|wasm)$/.test(path) ? join(dist, 'verify', path) : undefined;
      response.setHeader('content-type', types[extname(path)] ?? 'text/html; charset=utf-8');
      response.end(file ? readFileSync(file) : path === '/frame' ? stored.codestream : page);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const browser = await openBrowser();
    try {
      const opened = await browser.newPage();
      await opened.goto(url);
      const answer = opened.locator('body.done');
      await answer.waitFor({ timeout: 60_000 });
      expect(JSON.parse((await answer.textContent()) ?? '')).toEqual({
        verified: true,
        crc32: stored.checksums.at(-1)?.Checksum,
        rows: 300,
      });
    } finally {
      await browser.close();
    }
  }, 120_000);
});
