/** The codec worker as a Lambda carries it: one file with the WebAssembly beside it, and no node_modules in reach. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { CODEC_ASSETS, locateAsset } from '../../shared/pixels/codec-assets.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const banner = {
  js:
    "import { createRequire as __createRequire } from 'node:module'; import { fileURLToPath as __fileURLToPath } from 'node:url'; " +
    'const require = __createRequire(import.meta.url); const __filename = __fileURLToPath(import.meta.url); ' +
    "const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
};

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-bundle-'));
  const common = { absWorkingDir: root, bundle: true, platform: 'node', format: 'esm', banner } as const;
  const pool = 'shared/pixels/codec-pool.ts';
  await build({ ...common, entryPoints: [pool], outfile: join(folder, 'index.mjs') });
  await build({
    ...common,
    entryPoints: ['shared/pixels/codec-worker.ts'],
    outfile: join(folder, 'codec-worker.mjs'),
  });
  for (const asset of CODEC_ASSETS) copyFileSync(locateAsset(asset, root)!, join(folder, basename(asset)));
  writeFileSync(join(folder, 'run.mjs'), program);
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const program = `
import { createCodecPool } from './index.mjs';
const pool = createCodecPool({ workers: 1 });
const description = { rows: 4, columns: 4, samplesPerPixel: 1, bitsAllocated: 8, bitsStored: 8, highBit: 7, signed: true,
  photometricInterpretation: 'MONOCHROME2', planarConfiguration: 0, frames: 1, transferSyntaxUID: '1.2.840.10008.1.2.1', pixelKeyword: 'PixelData' };
const { codestream, crc32 } = await pool.transcode(Uint8Array.from({ length: 16 }, (_, i) => i * 16), description.transferSyntaxUID, description);
const proof = await pool.verify(codestream);
const codes = [];
for (const syntax of ['50', '80', '90'])
  codes.push(await pool.decode(new Uint8Array(20), '1.2.840.10008.1.2.4.' + syntax, description).catch((error) => error.code));
await pool.close();
console.log(JSON.stringify({ same: proof.crc32 === crc32, codes }));
`;

it('encodes, verifies and refuses from a folder with nothing else in it', () => {
  const { stdout, stderr } = spawnSync(process.execPath, ['run.mjs'], { cwd: folder, encoding: 'utf8' });
  expect(stderr, 'the codecs are silent').toBe('');
  expect(JSON.parse(stdout)).toEqual({ same: true, codes: ['FrameCorrupt', 'FrameCorrupt', 'FrameCorrupt'] });
});
