import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultUploadName, parseUploadName, planUpload } from '../../cli/upload/plan-upload.ts';
import { unprivileged } from '../unprivileged.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-plan-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const put = (path: string, text = 'x') => {
  mkdirSync(join(folder, path, '..'), { recursive: true });
  writeFileSync(join(folder, path), text);
};
const keys = (...paths: string[]) =>
  planUpload(
    paths.map((path) => join(folder, path)),
    'up',
  ).files.map(({ key }) => key);

describe('keys of an upload', () => {
  it('a folder gives paths within it, a file its name', () => {
    put('a/b/one.dcm');
    put('a/two');
    put('three.dcm');
    expect(keys('a', 'three.dcm')).toEqual(['up/b/one.dcm', 'up/two', 'up/three.dcm']);
  });

  it('sends hidden files, empty files and odd names', () => {
    put('a/.hidden');
    put('a/.dir/x');
    put('a/empty', '');
    put('a/100% + ü 名.dcm');
    expect(keys('a')).toEqual(['up/.dir/x', 'up/.hidden', 'up/100% + ü 名.dcm', 'up/empty']);
  });

  it('writes the bytes of a name that is not UTF-8 as %XX', () => {
    mkdirSync(join(folder, 'a'));
    writeFileSync(Buffer.concat([Buffer.from(`${folder}/a/f`), Buffer.of(0xe9), Buffer.from('.dcm')]), 'x');
    expect(keys('a')).toEqual(['up/f%E9.dcm']);
  });

  it('skips symbolic links, names them, and never follows them', () => {
    put('a/real');
    symlinkSync(join(folder, 'a'), join(folder, 'a/loop'));
    symlinkSync('/nowhere', join(folder, 'a/broken'));
    const plan = planUpload([join(folder, 'a'), join(folder, 'a/loop')], 'up');
    expect(plan.files.map(({ key }) => key)).toEqual(['up/real']);
    expect(plan.skipped.map(({ why, isProblem }) => [why, isProblem])).toEqual(
      Array(3).fill(['a symbolic link', false]),
    );
  });

  it('refuses two files with one key, before anything is sent', () => {
    put('a/same.dcm');
    put('b/same.dcm');
    expect(() => keys('a/same.dcm', 'b/same.dcm')).toThrow(/would both become up\/same\.dcm/);
    expect(() => keys('a', 'b')).toThrow(expect.objectContaining({ exitCode: 64 }));
  });

  it('refuses a path that is not there', () => {
    expect(() => keys('nothing')).toThrow(/no such file or folder/);
  });

  it('refuses a key above 1,024 bytes', () => {
    const deep = Array(5).fill('d'.repeat(200)).join('/');
    put(`a/${deep}/${'f'.repeat(60)}`);
    expect(() => keys('a')).toThrow(/1024 are allowed/);
  });

  it('names a folder that it may not read as a problem', async () => {
    put('a/locked/x');
    chmodSync(folder, 0o755);
    chmodSync(join(folder, 'a/locked'), 0);
    const plan = await unprivileged(() => planUpload([join(folder, 'a')], 'up'));
    chmodSync(join(folder, 'a/locked'), 0o700);
    expect(plan.skipped).toEqual([
      { path: join(folder, 'a/locked'), why: 'permission denied', isProblem: true },
    ]);
  });
});

describe('names of uploads', () => {
  it('default: time and a random part, sortable', () => {
    expect(defaultUploadName(new Date('2026-01-31T10:20:30.400Z'), '1a2b3c')).toBe(
      '2026-01-31T10-20-30Z-1a2b3c',
    );
  });

  it.each(['', 'a/b', 'a\nb', 'x'.repeat(201)])('refuses %j', (name) => {
    expect(() => parseUploadName(name)).toThrow(expect.objectContaining({ exitCode: 64 }));
  });

  it('takes any other name', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }).filter((s) => !/[/\p{Cc}]/u.test(s)),
        (name) => Buffer.byteLength(name) > 200 || parseUploadName(name) === name,
      ),
    );
  });
});
