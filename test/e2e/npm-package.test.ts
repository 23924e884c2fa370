/** The packed package, installed elsewhere without a network: its types and its entries work for a user's program. */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-package-'));
const { resolve } = createRequire(import.meta.url);

const PROGRAM = `
import { type CodecPool, CodecError, createCodecPool, decodeFrame, type FrameVerdict, verifyFrame } from 'isocenter/verify';
import { type HealthImaging, startHealthImaging } from 'isocenter/local';

const verdict: FrameVerdict = await verifyFrame(new Uint8Array([1, 2, 3]), { checksums: [] });
if (verdict.verified || verdict.error?.code !== 'FrameCorrupt') throw new Error('expected a refusal');
const pool: CodecPool = createCodecPool({ workers: 1 });
await pool.verify(new Uint8Array(9)).catch((error: unknown) => {
  if (!(error instanceof CodecError)) throw error;
});
await pool.close();
const server: HealthImaging = await startHealthImaging({ port: 0, behaviour: '2024' });
await server.close();
console.log('works', decodeFrame.length);
`;
const BROWSER = `
import { decodeFrame, setCodecUrl } from 'isocenter/verify';
setCodecUrl('/codecs/');
export const pixels = async (frame: Uint8Array): Promise<Uint8Array> => (await decodeFrame(frame)).pixels;
`;

beforeAll(() => {
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: root, stdio: 'pipe' });
  const [tarball = ''] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
  execFileSync('tar', ['xzf', tarball], { cwd: folder });
  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  symlinkSync(join(folder, 'package'), join(modules, 'isocenter'));
  const { dependencies } = JSON.parse(readFileSync(join(folder, 'package/package.json'), 'utf8'));
  const installed = dirname(dirname(resolve('typescript/package.json')));
  for (const name of [...Object.keys(dependencies), '@types/node']) {
    for (const place of [modules, join(folder, 'package/node_modules')]) {
      mkdirSync(dirname(join(place, name)), { recursive: true });
      symlinkSync(join(installed, name), join(place, name));
    }
  }
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  writeFileSync(join(folder, 'use.ts'), PROGRAM);
  writeFileSync(join(folder, 'page.ts'), BROWSER);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compile(file: string, options: Record<string, unknown>): string {
  const compilerOptions = { strict: true, skipLibCheck: false, target: 'es2022', outDir: 'out', ...options };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }));
  const manifest = resolve('typescript/package.json');
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { tsc: string } };
  try {
    execFileSync(process.execPath, [join(dirname(manifest), bin.tsc), '-p', folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return '';
  } catch (error) {
    return String((error as { stdout?: string }).stdout);
  }
}

it.each([
  ['nodenext', { module: 'nodenext', moduleResolution: 'nodenext' }],
  ['bundler', { module: 'esnext', moduleResolution: 'bundler' }],
])(
  'a program with both entries compiles by %s, and runs',
  (_, options) => {
    expect(compile('use.ts', { ...options, types: ['node'] })).toBe('');
    const printed = execFileSync(process.execPath, [join(folder, 'out/use.js')], { encoding: 'utf8' });
    expect(printed).toMatch(/works/);
  },
  120_000,
);

it('a page compiles with the browser entry', () => {
  const browser = { module: 'esnext', moduleResolution: 'bundler', customConditions: ['browser'] };
  expect(compile('page.ts', { ...browser, lib: ['es2022', 'dom'], types: [] })).toBe('');
}, 120_000);
