/**
 * `up --watch DIR`: uploads what is dropped into a folder, once it stopped growing. Files that arrive together become
 * one upload; nothing is ever removed from the folder. What was sent is remembered for as long as the world runs; after
 * a restart it is sent again, and the pipeline tells it for a duplicate.
 */
import { lstatSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deployment } from '../deployment.ts';
import { oneLine, UsageError } from '../errors.ts';
import { count } from '../progress.ts';
import { printable, type Terminal } from '../terminal.ts';
import { holdUpload } from './hold.ts';
import { defaultUploadName, type PlannedFile, planUpload } from './plan-upload.ts';
import { sendFiles } from './send-files.ts';

const LOOK_EVERY_MS = 1_000;

export async function watchFolder(
  deployment: Deployment,
  folder: string,
  terminal: Terminal,
): Promise<{ stop(): Promise<void> }> {
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory())
    throw new UsageError(`--watch ${folder}: is not a folder`);
  const stopped = new AbortController();
  const loop = watch(deployment, folder, terminal, stopped.signal);
  terminal.say(`watching ${folder}: files dropped there are uploaded, and stay`);
  return {
    async stop() {
      stopped.abort();
      await loop;
    },
  };
}

async function watch(
  deployment: Deployment,
  folder: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const sent = new Map<string, string>();
  let before = new Map<string, string>();
  while (!signal.aborted) {
    const plan = planUpload([folder], 'watched');
    const now = new Map(plan.files.map(({ path, key }) => [key, stampOf(path)]));
    const ready = plan.files.filter(({ key }) => {
      const stamp = now.get(key);
      return stamp !== undefined && stamp !== sent.get(key) && stamp === before.get(key);
    });
    const stillGrowing = [...now].some(
      ([key, stamp]) => stamp !== sent.get(key) && stamp !== before.get(key),
    );
    if (ready.length > 0 && !stillGrowing) {
      await sendReady(deployment, ready, terminal).catch((error: unknown) =>
        terminal.say(`not sent: ${oneLine(error)}`),
      );
      for (const { key } of ready) sent.set(key, now.get(key) ?? '');
    }
    before = now;
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function sendReady(
  { store, inboxBucket, workBucket }: Deployment,
  ready: readonly PlannedFile[],
  terminal: Terminal,
): Promise<void> {
  const upload = `watch-${defaultUploadName(new Date(), String(ready.length))}`;
  const hold = await holdUpload(store, workBucket, upload);
  try {
    const files = ready.map((file) => ({ ...file, key: file.key.replace(/^watched\//, `${upload}/`) }));
    const { files: done, problems } = await sendFiles(store, inboxBucket, files, () => undefined);
    terminal.say(`uploaded ${count(done)} files as ${upload}`);
    for (const { path, why } of problems) terminal.say(`not sent: ${printable(path)}: ${why}`);
  } finally {
    await hold.release().catch(() => undefined); // an old hold is ignored after two minutes
  }
}

function stampOf(path: Buffer): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat === undefined ? '' : `${stat.size} ${stat.mtimeMs}`;
}
