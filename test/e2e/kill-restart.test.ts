import { expect, it } from 'vitest';
import { crashMany } from './kill-restart.mjs';

it('a world killed in the middle of an ingest finishes it after a restart, and stores nothing twice', async () => {
  const seed = Number(process.env.ISOCENTER_SEED ?? Date.now() % 1_000_000);
  console.log(`seed ${seed}`);
  const lines: string[] = [];
  await crashMany(2, seed, (line) => lines.push(line));
  expect(lines).toHaveLength(2);
}, 300_000);
