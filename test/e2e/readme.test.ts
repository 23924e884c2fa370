/** Runs the README's commands as a reader would: the marked blocks, in their order, in a shell. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const folder = mkdtempSync(join(tmpdir(), 'isocenter-readme-'));
const env = { ...process.env, ISOCENTER_DATA: join(folder, 'data') };

/** The commands of the block that is marked with this name, comments taken away. */
function commandsOf(name: string): string[] {
  const [, block] = new RegExp(`<!-- run: ${name} -->\\n\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(readme) ?? [];
  return (block ?? '')
    .split('\n')
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter(Boolean);
}

function shell(script: string): Promise<{ code: number | null; out: string; err: string }> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', script], { cwd: root, env });
    let [out, err] = ['', ''];
    child.stdout.on('data', (chunk) => (out += chunk));
    child.stderr.on('data', (chunk) => (err += chunk));
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

let started: { out: string; stop(): Promise<number | null> };

beforeAll(async () => {
  const [command] = commandsOf('start');
  const child = spawn('bash', ['-c', `exec ${command}`], { cwd: root, env, detached: true });
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  let [out, err] = ['', ''];
  child.stderr.on('data', (chunk) => (err += chunk));
  started = {
    get out() {
      return out;
    },
    stop: () => {
      process.kill(-(child.pid ?? 0), 'SIGINT'); // as Ctrl-C: to the whole group
      return ended;
    },
  };
  await new Promise<void>((resolve, reject) => {
    child.stdout.on('data', (chunk) => {
      out += chunk;
      if (out.includes('Ctrl-C')) resolve();
    });
    child.once('close', () => reject(new Error(`npm start ended:\n${out}\n${err}`)));
  });
}, 120_000);

afterAll(async () => {
  await started.stop();
  rmSync(folder, { recursive: true, force: true });
}, 30_000);

describe("the README's commands", () => {
  it('npm start ingests the demonstration and prints the addresses', () => {
    expect(started.out).toMatch(/PartlyIngested {2}upload demo-/);
    expect(started.out).toMatch(/HealthImaging, DICOMweb +http:\/\/127\.0\.0\.1:\d+/);
  });

  it('inspect, ingest and report work on own files', async () => {
    const own = join(folder, 'data/demo/mr-head');
    for (const command of commandsOf('ingest')) {
      const { code, out, err } = await shell(command.replace('./my-files', own));
      // The demonstration keeps one object whose frame nobody can decode: verify names it, and says 2.
      const expected = command.includes(' verify')
        ? { code: 2, says: /unproven\s+1\b/ }
        : { code: 0, says: /./ };
      expect({ command, code, err: code === expected.code ? '' : err }).toEqual({
        command,
        code: expected.code,
        err: '',
      });
      expect(out).toMatch(expected.says);
    }
  }, 240_000);

  it('the SDK example lists image sets and fetches a frame', async () => {
    const { code, out, err } = await shell(commandsOf('sdk').join('\n'));
    expect(`${code} ${err}`).toBe('0 ');
    expect(out).toMatch(/^[0-9a-z]{32} CT CHEST$/m);
    expect(out).toMatch(/first frame: \d+ x \d+, \d+ bytes of image\/jph/);
  }, 240_000);
});
