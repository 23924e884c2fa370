import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { demoFiles } from '../../local/demo/demo.ts';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-demo-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const digest = () => {
  const hash = createHash('sha256');
  for (const { path, bytes } of demoFiles('current')) hash.update(path).update(bytes);
  return hash.digest('hex');
};
const hasDcmtk = spawnSync('dcmdump', ['--version']).status === 0;
if (!hasDcmtk) console.warn('skipped: dcmdump is not installed (package dcmtk)');

describe('the demonstration', () => {
  it('is the same every time', () => {
    expect(digest()).toBe(digest());
  });

  it('holds what the README promises, and nothing fails', () => {
    const byFolder: Record<string, number> = {};
    for (const { path, expected } of demoFiles('current')) {
      const name = path.split('/')[0] ?? '';
      byFolder[name] = (byFolder[name] ?? 0) + 1;
      expect(expected.outcome).not.toBe('failed');
    }
    expect(byFolder).toEqual({
      'ct-chest': 24,
      'mr-head': 16,
      'us-doppler': 1,
      'cr-hand': 1,
      'sr-report': 1,
      'ct-two-spellings': 6,
      'ct-two-patients': 5,
      'ct-chest-other-patient': 1,
      broken: 10,
    });
  });

  it('holds back today what the service would mix; in 2024 each patient gets an image set', () => {
    const held = (behaviour: 'current' | '2024') =>
      [...demoFiles(behaviour)].filter(({ expected }) => expected.code === 'IdentityConflict').length;
    expect(held('current')).toBe(3);
    expect(held('2024')).toBe(0);
  });

  it.skipIf(!hasDcmtk)('every sound instance is read by dcmtk without a word of complaint', () => {
    const files: string[] = [];
    for (const { bytes, expected } of demoFiles('2024')) {
      if (expected.outcome !== 'ingested') continue;
      const file = join(folder, `${files.length}.dcm`);
      writeFileSync(file, bytes);
      files.push(file);
    }
    const { status, stderr } = spawnSync('dcmdump', ['--quiet', ...files], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    expect(`${status} ${stderr}`).toBe('0 ');
  });
});
