/** Refuses an upload early where the disk of the data directory cannot take it, instead of failing half way. */
import { statSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { CommandFailed } from './errors.ts';
import { bytes } from './progress.ts';
import type { PlannedFile } from './upload/plan-upload.ts';

/** The inbox, the staged copy and the stored frames together, in the size of the input; and room to work. */
const TIMES_INPUT = 2.5;
const ROOM_BYTES = 200_000_000;

export async function refuseLowDisk(dataDir: string, files: readonly PlannedFile[]): Promise<void> {
  let input = 0;
  for (const { path } of files) input += statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  const { bavail, bsize } = await statfs(dataDir);
  const free = Number(bavail) * Number(bsize);
  const needed = input * TIMES_INPUT + ROOM_BYTES;
  if (free < needed)
    throw new CommandFailed(
      `the disk of ${dataDir} has ${bytes(free)} free; ingesting ${bytes(input)} needs about ${bytes(needed)}: nothing was sent`,
    );
}
