/** Memory of the inspection for objects that are all elements: each in a process of its own, its largest size measured. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** The design's bound, MB. */
const BOUND = 256;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-memory-'));
  await build({
    entryPoints: [fileURLToPath(new URL('hostile-memory-main.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: join(folder, 'main.mjs'),
    logLevel: 'warning',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function inspected(...args: string[]): { verdict: string; residentMb: number } {
  return JSON.parse(
    execFileSync(process.execPath, [join(folder, 'main.mjs'), ...args], { encoding: 'utf8' }),
  );
}

const shapes = [
  'empty items',
  'items of one element',
  'items of five elements',
  'distinct elements',
  'long texts',
];

describe('the inspection of an object that is all elements', () => {
  it.each(shapes)('holds less than 256 MB and refuses: 48 MB of %s', { timeout: 120_000 }, (shape) => {
    const { verdict, residentMb } = inspected(shape);
    expect(verdict).toBe('MetadataTooLarge');
    expect(residentMb).toBeLessThan(BOUND);
  });

  it.each(shapes)('holds less than 256 MB where it accepts: 6 MB of %s', { timeout: 120_000 }, (shape) => {
    const { verdict, residentMb } = inspected(shape, 'within');
    expect(verdict).toBe('accepted');
    expect(residentMb).toBeLessThan(BOUND);
  });
});
