/** `isocenter verify --resume` that is killed without a warning: the next run does what is left, and nothing twice. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import type { VerifyAccount } from '../../cli/verify-account.ts';
import { startHealthImaging } from '../../local/healthimaging/server.ts';
import { STUDY, slice } from '../local/healthimaging/instances.ts';

const bin = fileURLToPath(new URL('../../cli/isocenter.mjs', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'isocenter-kill-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const SERIES_COUNT = 24;

it('goes on where the killed one was', async () => {
  const seed = join(folder, 'seed');
  mkdirSync(seed);
  for (let i = 1; i <= SERIES_COUNT; i++)
    writeFileSync(
      join(seed, `${i}.dcm`),
      slice({ number: i, elements: { SeriesInstanceUID: `${STUDY}.${i}` } }),
    );
  // Image sets of which a frame was asked for; the killed run's last answers may come late.
  const fetched = new Set<string>();
  const server = await startHealthImaging({
    seed,
    fsync: false,
    faults: { faults: [{ fault: 'slow', operation: 'GetImageFrame', milliseconds: 400 }] },
    audit: (line) => {
      const { eventName, requestParameters } = JSON.parse(line);
      if (eventName === 'GetImageFrame') fetched.add(requestParameters.imageSetId);
    },
  });
  const done = join(folder, 'done.ndjson');
  const args = [bin, 'verify', server.seedDatastoreId ?? '', '--endpoint', server.endpoint];
  const start = () => spawn(process.execPath, [...args, '--resume', done, '--json'], { stdio: 'pipe' });
  const linesDone = () =>
    existsSync(done)
      ? readFileSync(done, 'utf8')
          .split('\n')
          .filter((line) => line !== '').length
      : 0;
  try {
    const first = start();
    const ended = new Promise((resolve) => first.once('exit', resolve));
    while (linesDone() < 3) await sleep(20);
    first.kill('SIGKILL');
    await ended;
    const before = linesDone();
    expect(before).toBeLessThan(SERIES_COUNT);
    fetched.clear();
    const second = start();
    let out = '';
    second.stdout.on('data', (chunk) => {
      out += chunk;
    });
    const code = await new Promise((resolve) => second.once('close', resolve));
    const account = JSON.parse(out) as VerifyAccount;
    expect(code).toBe(0);
    expect(account).toMatchObject({ imageSets: SERIES_COUNT, resumed: before, problems: [] });
    expect(account.counts.verified).toBe(SERIES_COUNT);
    expect(fetched.size).toBe(SERIES_COUNT - before);
  } finally {
    await server.close();
  }
}, 120_000);
