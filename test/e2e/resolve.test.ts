/** `isocenter resolve` on a running world: by its data directory, and as a stack through the environment's endpoints. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { p10, uid } from '../ingest/objects.ts';
import { type Document, isocenter, isocenterWith } from './cli-process.ts';
import { type RunningWorld, startWorldProcess } from './world-process.mjs';

const folder = mkdtempSync(join(tmpdir(), 'isocenter-resolve-'));
const data = join(folder, 'data');
const SERIES = uid('study/series');
const CANARY = 'Kanarienvogel';
let running: RunningWorld;

beforeAll(async () => {
  running = await startWorldProcess(data, ['--port', '0']);
}, 120_000);
afterAll(async () => {
  await running.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function ingest(name: string, bytes: Uint8Array): Promise<Document> {
  const file = join(folder, `${name}.dcm`);
  writeFileSync(file, bytes);
  const { stdout } = await isocenter('ingest', file, '--upload', name, '--json', '--data', data);
  return JSON.parse(stdout) as Document;
}

/** As `eval "$(isocenter env)"` would set it. */
async function environment(): Promise<Record<string, string>> {
  const { stdout } = await isocenter('env', '--data', data);
  return Object.fromEntries(
    [...stdout.matchAll(/^(?:export )?(AWS_\w+)=['"]?(.*?)['"]?$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]),
  );
}

it('lets in what was held, by a decision that is made twice and shows no values unasked', async () => {
  await ingest('first', p10({ sop: '1', pixels: 1, patient: { PatientName: `${CANARY}^A` } }));
  const other = { PatientName: `${CANARY}^B`, PatientBirthDate: '19710101' };
  const held = await ingest('second', p10({ sop: '2', pixels: 2, patient: other }));
  expect(held.rejects).toEqual({ IdentityConflict: 1 });
  expect(held.objects[0]?.advice).toContain('isocenter resolve');

  const shown = await isocenter('resolve', SERIES, '--show', '--data', data);
  expect(shown.stdout).toContain('they differ in PatientBirthDate, PatientName');
  expect(shown.stdout + shown.stderr).not.toContain(CANARY);
  const values = await isocenter('resolve', SERIES, '--show', '--values', '--data', data);
  expect(values.stdout).not.toContain(CANARY);
  expect(values.stderr).toContain(`${CANARY}^B`);
  const label = /image set \w+: patient (\w{8})/.exec(shown.stdout)?.[1] ?? '';

  const decide = ['resolve', SERIES, '--patient', label, '--reason', 'one person'];
  const once = await isocenter(...decide, '--data', data);
  expect(once).toMatchObject({ code: 64, stdout: '' });
  const env = await environment();
  const stack = /stateMachine:(.+)-ingest$/.exec(running.world.stateMachineArns.ingest ?? '')?.[1] ?? '';
  const twice = await isocenterWith(env, ...decide, '--yes', '--stack', stack);
  expect(twice.stderr).not.toContain(CANARY);
  expect(twice).toMatchObject({ code: 0 });
  expect(twice.stdout).toContain('1 object back in the inbox');

  for (let looks = 0; looks < 120; looks++) {
    const { stdout } = await isocenter('report', '--json', '--data', data);
    const report = JSON.parse(stdout) as Document & { readonly upload: string };
    if (report.upload === 'second' && report.counts.ingested === 1) return;
    await sleep(500);
  }
  throw new Error(`the held object did not come in:\n${running.log()}`);
}, 240_000);

it('wants one decision, its reason and its series', async () => {
  const wrong = [
    ['resolve', SERIES],
    ['resolve', SERIES, '--keep-apart', '--merge-into', 'x', '--reason', 'r'],
    ['resolve', SERIES, '--replace', '1.2'],
    ['resolve', '--keep-apart', '--reason', 'r'],
  ];
  for (const args of wrong) expect((await isocenter(...args, '--data', data)).code).toBe(64);
  const none = await isocenter('resolve', SERIES, '--replace', '1.2', '--reason', 'r', '--data', data);
  expect(none.code).toBe(1);
  expect(none.stderr).toContain('no refused object');
}, 120_000);
