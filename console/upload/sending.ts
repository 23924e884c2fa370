/** One upload of this page: files sent a few at a time, held until all are there, then followed to its report. */
import { signal } from '@preact/signals';
import type { ObjectLine, ObjectsPage, UploadState } from '../../local/console/api.ts';
import { get, post, putFile } from '../server.ts';
import type { ChosenFile } from './dropped-files.ts';

export type FileState =
  | { readonly at: 'waiting' }
  | { readonly at: 'sending'; readonly sentBytes: number }
  | { readonly at: 'sent' }
  | { readonly at: 'problem'; readonly message: string }
  | { readonly at: 'ended'; readonly line: ObjectLine };

export interface Sending {
  readonly upload: string;
  readonly files: readonly ChosenFile[];
  readonly phase: 'sending' | 'waiting' | 'running' | 'ended' | string;
  readonly executionId?: string;
}

const AT_A_TIME = 3;
const TRIES = 3;
const HOLD_EVERY_MS = 30_000;
const LOOK_EVERY_MS = 1_000;

export const sending = signal<Sending | undefined>(undefined);
/** By path; one signal for all, given anew at most ten times a second. */
export const fileStates = signal<ReadonlyMap<string, FileState>>(new Map());

const states = new Map<string, FileState>();
let isTold = false;
function set(path: string, state: FileState): void {
  states.set(path, state);
  if (isTold) return;
  isTold = true;
  setTimeout(() => {
    isTold = false;
    fileStates.value = new Map(states);
  }, 100);
}

export async function sendFiles(files: readonly ChosenFile[]): Promise<void> {
  states.clear();
  for (const { path } of files) set(path, { at: 'waiting' });
  let update: Partial<Sending> = {};
  const tell = (change: Partial<Sending>) => {
    update = { ...update, ...change };
    sending.value = { upload: '', files, phase: 'sending', ...update };
  };
  tell({});
  try {
    const { upload } = await post<{ upload: string }>('uploads');
    tell({ upload });
    await sendAll(upload, files);
    const isAnySent = [...states.values()].some(({ at }) => at === 'sent');
    if (!isAnySent) return tell({ phase: 'Nothing was sent.' });
    tell({ phase: 'waiting' });
    await follow(upload, tell);
  } catch (error) {
    tell({ phase: (error as Error).message });
  }
}

async function sendAll(upload: string, files: readonly ChosenFile[]): Promise<void> {
  const hold = setInterval(() => void post(`uploads/${upload}/hold`).catch(() => undefined), HOLD_EVERY_MS);
  const queue = [...files];
  const sender = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await sendOne(upload, next);
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, sender));
  } finally {
    clearInterval(hold);
    await post(`uploads/${upload}/end`).catch(() => undefined); // an old hold is ignored after two minutes
  }
}

async function sendOne(upload: string, { path, file }: ChosenFile): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      set(path, { at: 'sending', sentBytes: 0 });
      await putFile(`uploads/${upload}/file`, file, path, (sentBytes) =>
        set(path, { at: 'sending', sentBytes }),
      );
      return set(path, { at: 'sent' });
    } catch (error) {
      if (tries >= TRIES) return set(path, { at: 'problem', message: (error as Error).message });
      await new Promise((resolve) => setTimeout(resolve, 1_000 * tries));
    }
  }
}

async function follow(upload: string, tell: (change: Partial<Sending>) => void): Promise<void> {
  for (;;) {
    const { running, finished } = await get<UploadState>(`uploads/${upload}`);
    const [ended] = finished;
    const [runs] = running;
    if (ended && !runs) {
      await readOutcomes(upload, ended.executionId);
      return tell({ phase: 'ended', executionId: ended.executionId });
    }
    if (runs) tell({ phase: 'running', executionId: runs });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function readOutcomes(upload: string, executionId: string): Promise<void> {
  let next: number | undefined;
  do {
    const page: ObjectsPage = await post(`executions/${executionId}/objects`, {
      limit: 500,
      from: next ?? 0,
    });
    for (const line of page.objects) {
      const path = line.key.slice(upload.length + 1);
      if (states.has(path)) set(path, { at: 'ended', line });
    }
    next = page.next;
  } while (next !== undefined);
}
