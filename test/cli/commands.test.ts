import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main } from '../../cli/main.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { demoFiles } from '../../local/demo/demo.ts';
import { unprivileged } from '../unprivileged.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'isocenter-commands-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a command line as the bin does, and gives what it wrote and its exit code. */
async function run(...args: string[]) {
  const written = { out: '', err: '' };
  const terminal = createTerminal({
    stdout: { write: (text: string) => (written.out += text) },
    stderr: { write: (text: string) => (written.err += text) },
  });
  const code = await main(['node', 'isocenter', ...args], terminal);
  return { code, ...written };
}

describe('wrong usage is exit 64 and one line on stderr', () => {
  it.each([
    ['an unknown option', ['ingest', '.', '--colour'], /unknown option '--colour'/],
    ['an unknown command', ['ingets'], /unknown command 'ingets' \(Did you mean ingest\?\)/],
    ['no path', ['ingest'], /missing required argument 'path'/],
    ['a path that is not there', ['ingest', '/no/such/folder'], /\/no\/such\/folder: no such file or folder/],
    ['a port that is none', ['up', '--port', 'http'], /expected a port, 0 to 65535/],
    ['an unknown behaviour', ['up', '--behaviour', '1999'], /Allowed choices are current, 2024/],
    ['an upload name with a slash', ['ingest', '.', '--upload', 'a/b'], /--upload: expected 1 to 200 bytes/],
    ['two kinds of source', ['ingest', '.', 's3://bucket/x'], /one s3:\/\/ location at a time/],
    [
      'a report that cannot be written',
      ['ingest', '.', '--report', '/no/such/folder/r.json'],
      /--report \/no\/such\/folder\/r\.json: no such file or folder/,
    ],
    ['a report that is a folder', ['ingest', '.', '--report', '/'], /--report \/: is a folder/],
    ['an unknown profile', ['inspect', '.', '--profile', '2025'], /Allowed choices are current, 2024/],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await run(...args);
    expect(code).toBe(64);
    expect(out).toBe('');
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(/^isocenter: /);
    expect(err).toMatch(message);
  });
});

describe('what is not there is exit 1 and one line', () => {
  it.each([
    ['env without a world', ['env'], /no world runs on/],
    ['report without data', ['report'], /nothing at .* yet/],
    ['status without data', ['status'], /nothing at .* yet/],
    ['a data directory that is a file', ['ingest', '.', '--data', 'FILE'], /is a file, not a folder/],
  ])('%s', async (_, args, message) => {
    writeFileSync(join(folder, 'file'), '');
    const data = args.includes('FILE') ? [] : ['--data', join(folder, 'none')];
    const { code, out, err } = await run(
      ...args.map((arg) => (arg === 'FILE' ? join(folder, 'file') : arg)),
      ...data,
    );
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err.trim().split('\n')).toHaveLength(1);
    expect(err).toMatch(message);
  });
});

describe('a data directory that cannot be written', () => {
  it.each([
    ['up', ['up', '--once', '--port', '0']],
    ['ingest', ['ingest', 'FILE']],
  ])('%s: exit 1 and one line that says so', async (_, args) => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    chmodSync(folder, 0o555);
    const given = args.map((arg) => (arg === 'FILE' ? file : arg));
    const { code, out, err } = await unprivileged(() => run(...given, '--data', join(folder, 'data')));
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toBe(`isocenter: data directory ${join(folder, 'data')}: permission denied\n`);
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

describe('help', () => {
  it('is exit 0 and lists the commands that are there', async () => {
    const { code, out } = await run('--help');
    expect(code).toBe(0);
    for (const command of [
      'up',
      'ingest',
      'status',
      'report',
      'inspect',
      'healthimaging',
      'env',
      'retry',
      'cancel',
      'doctor',
    ])
      expect(out).toMatch(new RegExp(`^  ${command} `, 'm'));
  });

  it('tells the version of the package', async () => {
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe('inspect', () => {
  it.each(['current', '2024'] as const)(
    'gives the codes that the demonstration promises, %s',
    async (profile) => {
      const expected: Record<string, number> = {};
      mkdirSync(join(folder, 'broken'), { recursive: true });
      for (const {
        path,
        bytes,
        expected: { outcome, code },
      } of demoFiles(profile)) {
        if (!path.startsWith('broken/')) continue;
        writeFileSync(join(folder, path), bytes);
        if (outcome === 'rejected' && code !== undefined) expected[code] = (expected[code] ?? 0) + 1;
      }
      const { code, out } = await run('inspect', folder, '--profile', profile, '--json');
      const document = JSON.parse(out);
      expect(document.rejects).toEqual(expected);
      expect(document.counts).toMatchObject({ inspected: 10, unreadable: 0 });
      expect(code).toBe(2);
    },
  );

  it('is exit 0 when only benign files would be refused', async () => {
    for (const { path, bytes } of demoFiles('current'))
      if (path === 'broken/DICOMDIR' || path === 'sr-report/report.dcm')
        writeFileSync(join(folder, path.replace('/', '-')), bytes);
    const { code, out } = await run('inspect', folder);
    expect(code).toBe(0);
    expect(out).toMatch(/DicomDirectory {2}1 \(benign\)/);
  });
});

describe('doctor', () => {
  it('finds nothing in the way of a fresh machine', async () => {
    const { code, out } = await run('doctor', '--data', join(folder, 'none'), '--json');
    expect(code).toBe(0);
    expect(JSON.parse(out).map(({ what }: { what: string }) => what)).toContain('Node');
  });
});
