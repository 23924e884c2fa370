/** Runs the README's commands as a reader would: the marked blocks, in their order, in a shell. Then those of docs/. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorldFile } from '../../local/world/world-file.ts';
import { commandsIn, PAGES, textOf } from '../docs-commands.ts';
import { type Document, isocenterWith } from './cli-process.ts';

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

/** Its output in one: what is printed, then what is said. */
async function run(command: string): Promise<{ code: number | null; text: string; printed: string }> {
  const { code, stdout, stderr } = await isocenterWith(
    { ISOCENTER_DATA: env.ISOCENTER_DATA },
    ...command.split(' ').slice(1),
  );
  return { code, text: stdout + stderr, printed: stdout };
}

/** What cannot be done here is said in one line, with another code than a wrong command's. */
const EXPECTED: Readonly<Record<string, { readonly codes: readonly number[]; readonly says: RegExp }>> = {
  cancel: { codes: [1], says: /does not run|has ended|not running/ },
  estimate: { codes: [0], says: /transitions/ },
  ingest: { codes: [0], says: /duplicate +16/ },
  inspect: { codes: [0], says: /accepted/ },
  report: { codes: [0, 2], says: /received/ },
  resolve: { codes: [0, 1], says: /image set|refused|held|wait/ },
  retry: { codes: [2], says: /received/ },
  status: { codes: [0, 2], says: /demo-/ },
  verify: { codes: [0, 2], says: /proven|verified/ },
};

describe('the commands of docs/', () => {
  it('do what they say on the demonstration, with the names of things here', async () => {
    const world = JSON.parse(readFileSync(join(env.ISOCENTER_DATA, 'world.json'), 'utf8')) as WorldFile;
    const [, executionId = ''] = /execution ([0-9a-z-]+)/.exec(started.out) ?? [];
    const demo = JSON.parse((await run(`isocenter report ${executionId} --json`)).printed) as Document;
    const apart = demo.objects.find(({ code }) => code === 'IdentityConflict');
    const names: Readonly<Record<string, string>> = {
      PATH: join(folder, 'data/demo/mr-head'),
      EXECUTION: executionId,
      CODE: 'NotP10',
      DATASTORE: world.datastoreId,
      ID: demo.imageSets[0]?.imageSetId ?? '',
      SERIES: apart?.seriesInstanceUID ?? '',
      SOP: apart?.sopInstanceUID ?? '',
      TEXT: 'checked',
    };
    const local = (command: string) =>
      command
        .replace(/ --stack \S+/, '')
        .replace(/(?<=resolve )[0-9.]+/, 'SERIES')
        .replace(/(?<=--image-set )[0-9a-f]{32}/, 'ID')
        .replace(/\b[A-Z]{2,}\b/g, (name) => names[name] ?? name);
    // Names of commands alone, in a sentence, are no command lines; they are checked with the options.
    const isWhole = (command: string) => !/^isocenter (ingest|inspect|retry|resolve SERIES)$/.test(command);
    const written = new Set(
      PAGES.flatMap((page) => commandsIn(textOf(page)))
        .filter(isWhole)
        .map(local),
    );
    // The longest first: what one code puts back is no longer there when all is put back.
    const commands = [...written].sort((a, b) => b.length - a.length);
    expect(commands.length).toBeGreaterThan(10);
    const wrong: object[] = [];
    for (const command of commands) {
      const { code, text } = await run(command);
      const expected = EXPECTED[command.split(' ')[1] ?? ''];
      if (!expected?.codes.includes(code ?? -1) || !expected.says.test(text))
        wrong.push({ command, code, text });
    }
    expect(wrong).toEqual([]);
  }, 240_000);
});
