/** The demonstration's account, held against the report: every key, its outcome and its code, exactly. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Behaviour, expectedAccount } from '../../local/demo/demo.ts';
import { type Document, isocenter } from './cli-process.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const accountOf = ({ objects }: Document) =>
  Object.fromEntries(objects.map(({ key, outcome, code }) => [key, code ? `${outcome} ${code}` : outcome]));

/** By behaviour, so that the second ingest needs no third world. */
const ran = new Map<Behaviour, ReturnType<typeof runDemo>>();

async function runDemo(behaviour: Behaviour) {
  const data = mkdtempSync(join(tmpdir(), 'isocenter-demo-'));
  folders.push(data);
  const once = await isocenter('up', '--demo', '--once', '--data', data, '--behaviour', behaviour);
  const { stdout } = await isocenter('report', '--json', '--data', data);
  return { once, document: JSON.parse(stdout) as Document & { upload: string }, data };
}

describe.each(['current', '2024'] as const)('the demonstration, %s', (behaviour) => {
  it('ends with 2, and the report equals the generator’s account', async () => {
    const running = runDemo(behaviour);
    ran.set(behaviour, running);
    const { once, document } = await running;
    expect(`${once.code} ${once.code === 2 ? '' : once.stdout + once.stderr}`).toBe('2 ');
    const expected = [...expectedAccount(document.upload, behaviour)].map(([key, { outcome, code }]) => [
      key,
      code ? `${outcome} ${code}` : outcome,
    ]);
    expect(accountOf(document)).toEqual(Object.fromEntries(expected));
    expect(document.counts.failed).toBe(0);
    expect(document.frames.mismatched).toBe(0);
    for (const { code, message, advice } of document.objects)
      if (code) expect(`${message}|${advice}`).toMatch(/.+\|.+/);
  }, 120_000);
});

it('the demonstration again on the same data: what was ingested is a duplicate', async () => {
  const { document, data } = await (ran.get('current') ?? runDemo('current'));
  const again = await isocenter('up', '--demo', '--once', '--data', data);
  expect(again.code).toBe(2);
  const second = JSON.parse((await isocenter('report', '--json', '--data', data)).stdout) as Document;
  expect(second.counts).toMatchObject({ ingested: 0, failed: 0, duplicate: document.counts.ingested });
  expect(again.stdout).toMatch(/duplicate +\d+ +stored before/);
}, 180_000);
