/** What a command writes when names are odd, when its reader leaves, and when it is told to stop. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { groupByCode } from '../../cli/summary.ts';
import { createTerminal, printable } from '../../cli/terminal.ts';
import { copyFromS3 } from '../../cli/upload/copy-from-s3.ts';
import { memoryObjectStore } from '../../shared/adapters/memory-object-store.ts';
import type { ObjectLine } from '../../shared/ingest/report.ts';

const quiet = createTerminal({ stdout: { write: () => true }, stderr: { write: () => true } });

describe('names', () => {
  it.each([
    ['plain ünïcode 日本 🙂', 'plain ünïcode 日本 🙂'],
    ['a\nb\tc', 'a\\x0ab\\x09c'],
    ['\x1b[2Jgone\x9b1m', '\\x1b[2Jgone\\x9b1m'],
    ['fdp.\u202eexe', 'fdp.\\u202eexe'],
  ])('%j are shown without moving the cursor', (name, shown) => {
    expect(printable(name)).toBe(shown);
  });

  it('are shown so in the summary', async () => {
    const line: ObjectLine = { key: 'u/\x1b[2J', sizeBytes: 1, outcome: 'rejected', code: 'NotP10' };
    const lines = (async function* () {
      yield line;
    })();
    expect((await groupByCode(lines))[0]?.shown[0]?.key).toBe('\\x1b[2J');
  });
});

describe('a location in S3', () => {
  it('that cannot be listed is named, and nothing is said to have arrived', async () => {
    const store = {
      ...memoryObjectStore(),
      list: () => {
        throw new Error('The specified bucket does not exist.');
      },
    };
    await expect(copyFromS3(store, 's3://nobucket/x', 'inbox', 'u', quiet)).rejects.toThrow(
      's3://nobucket/x: The specified bucket does not exist; nothing was copied',
    );
  });
});

describe('the isocenter command', () => {
  it('ends without a word when its reader has seen enough', async () => {
    const child = spawn(process.execPath, ['cli/isocenter.mjs', 'estimate'], { stdio: 'pipe' });
    child.stdout.destroy();
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect({ code, errors }).toEqual({ code: 141, errors: '' });
  }, 120_000);

  it('says what goes on without it when it is told to stop', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'isocenter-stop-'));
    const args = ['cli/isocenter.mjs', 'ingest', 'package.json', '--upload', 'mine', '--data', folder];
    const child = spawn(process.execPath, args, { stdio: 'pipe' });
    let errors = '';
    let isTold = false;
    child.stderr.on('data', (chunk) => {
      errors += chunk;
      if (isTold || !errors.includes('sent 1 file,')) return;
      isTold = true;
      child.kill('SIGINT');
    });
    const code = await new Promise((resolve) => child.once('close', resolve));
    rmSync(folder, { recursive: true, force: true });
    expect(code).toBe(130);
    expect(errors).toMatch(/stopped: .*upload mine.*, as soon as a world runs again: isocenter up/);
  }, 120_000);
});
