/**
 * One upload of this page: files sent a few at a time, held until all are there, then followed to their outcomes. What a
 * break or a reload leaves behind is gone on with, when the same files are chosen again.
 */
import { batch, signal } from '@preact/signals';
import type { ObjectLine, ObjectsPage, UploadState } from '../../shared/console/api.ts';
import type { Place } from '../../shared/console/backend.ts';
import { get, post, put } from '../server.ts';
import type { Chosen, ChosenFile } from './dropped-files.ts';
import { digestOf, forgetKept, type Keeper, type KeptUpload, makeKeeper, readKept } from './kept-upload.ts';
import { LARGE_BYTES, sendLarge } from './large-file.ts';
import { patiently } from './patiently.ts';
import { orUnreadable } from './readable.ts';

export type FileState =
  | { readonly at: 'waiting' }
  | { readonly at: 'sending'; readonly sentBytes: number }
  | { readonly at: 'sent' }
  | { readonly at: 'problem'; readonly message: string }
  | { readonly at: 'ended'; readonly line: ObjectLine };

/** What a row of the page is about: a chosen file, or after a reload an object of the report. */
export interface Row {
  readonly path: string;
  readonly sizeBytes: number;
}

export interface Sending {
  readonly upload: string;
  readonly rows: readonly Row[];
  readonly phase: 'interrupted' | 'sending' | 'waiting' | 'running' | 'ended' | string;
  readonly executionId?: string;
  /** What an interrupted upload has got so far. */
  readonly kept?: KeptUpload;
}

const AT_A_TIME = 3;
const HOLD_EVERY_MS = 30_000;
const LOOK_EVERY_MS = 1_000;
const LINES_AT_ONCE = 500;

export const sending = signal<Sending | undefined>(undefined);
/** By path; one signal for all, given anew at most ten times a second. */
export const fileStates = signal<ReadonlyMap<string, FileState>>(new Map());

const states = new Map<string, FileState>();
let isTold = false;
function set(path: string, state: FileState): void {
  states.set(path, state);
  if (isTold) return;
  isTold = true;
  setTimeout(tellStates, 100);
}

function tellStates(): void {
  isTold = false;
  fileStates.value = new Map(states);
}

/** Never ahead of the files: who reads "Finished." reads their outcomes beside it. */
const tell = (change: Partial<Sending>): void =>
  batch(() => {
    tellStates();
    sending.value = { upload: '', rows: [], phase: 'sending', ...sending.peek(), ...change };
  });

/** What was under way when this page was left. Does nothing while something is. */
export function recallUpload(): void {
  const kept = readKept();
  if (kept === undefined || sending.peek() !== undefined) return;
  if (kept.isSent) void followOn(kept.upload);
  else tell({ upload: kept.upload, phase: 'interrupted', kept });
}

/** What has arrived of an interrupted upload is ingested as it is. */
export async function finishInterrupted(kept: KeptUpload): Promise<void> {
  makeKeeper(kept).setSent();
  giveUpParts(kept);
  await post(`uploads/${kept.upload}/end`).catch(() => undefined);
  await followOn(kept.upload);
}

/** Parts of a file that nobody will send the rest of take room that nobody sees. */
function giveUpParts({ upload, parts }: KeptUpload): void {
  if (Object.keys(parts).length > 0) void post(`uploads/${upload}/parts/abort`).catch(() => undefined);
}

export function forgetUpload(): void {
  const kept = readKept();
  if (kept !== undefined) giveUpParts(kept);
  forgetKept();
  sending.value = undefined;
}

async function followOn(upload: string): Promise<void> {
  states.clear();
  tell({ upload, rows: [], phase: 'waiting' });
  try {
    await follow(upload);
    forgetKept();
  } catch (error) {
    tell({ phase: (error as Error).message });
  }
}

let last: Chosen = { files: [], unread: [] };

/** After a problem: follows what is sent, else sends what was chosen once more. */
export function tryAgain(): void {
  const kept = readKept();
  if (kept?.isSent) void followOn(kept.upload);
  else void send(last, kept);
}

/** What was not sent of an upload that has ended, as an upload of its own. */
export function sendTheRest(): void {
  const { files, unread } = last;
  void send({ files: files.filter(({ path }) => states.get(path)?.at === 'problem'), unread }, undefined);
}

/** Goes on with an interrupted upload, where there is one. */
export const sendFiles = (chosen: Chosen): Promise<void> => send(chosen, sending.peek()?.kept);

async function send(chosen: Chosen, kept: KeptUpload | undefined): Promise<void> {
  const { files, unread } = chosen;
  last = chosen;
  states.clear();
  for (const { path } of files) set(path, { at: 'waiting' });
  for (const path of unread) set(path, { at: 'problem', message: 'The browser cannot read it.' });
  sending.value = {
    upload: kept?.upload ?? '',
    rows: [
      ...unread.map((path) => ({ path, sizeBytes: 0 })),
      ...files.map(({ path, file }) => ({ path, sizeBytes: file.size })),
    ],
    phase: 'sending',
  };
  let keeper: Keeper | undefined;
  try {
    const upload = kept?.upload ?? (await patiently(() => post<{ upload: string }>('uploads'))).upload;
    tell({ upload });
    keeper = makeKeeper(kept ?? { upload, files: 0, bytes: 0, isSent: false, arrived: [], parts: {} });
    keeper.grow({ files: files.length, bytes: files.reduce((sum, { file }) => sum + file.size, 0) });
    await sendAll(upload, files, keeper);
    if (![...states.values()].some(({ at }) => at === 'sent')) {
      keeper.close();
      return tell({ phase: 'Nothing was sent.' });
    }
    keeper.setSent();
    tell({ phase: 'waiting', rows: unsentFirst(sending.peek()?.rows ?? []) });
    await follow(upload);
    keeper.close();
  } catch (error) {
    tell({ phase: (error as Error).message });
  }
}

const unsentFirst = (rows: readonly Row[]): Row[] =>
  [...rows].sort((a, b) => Number(isUnsent(b.path)) - Number(isUnsent(a.path)));
const isUnsent = (path: string): boolean => states.get(path)?.at === 'problem';

const warnOfLeaving = (event: BeforeUnloadEvent) => event.preventDefault();

async function sendAll(upload: string, files: readonly ChosenFile[], keeper: Keeper): Promise<void> {
  const hold = () => void post(`uploads/${upload}/hold`).catch(() => undefined);
  hold();
  const holding = setInterval(hold, HOLD_EVERY_MS);
  addEventListener('beforeunload', warnOfLeaving);
  const queue = [...files];
  const sender = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await sendOne(upload, next, keeper);
  };
  try {
    await Promise.all(Array.from({ length: AT_A_TIME }, sender));
  } finally {
    clearInterval(holding);
    removeEventListener('beforeunload', warnOfLeaving);
    await post(`uploads/${upload}/end`).catch(() => undefined); // an old hold is ignored after two minutes
  }
}

async function sendOne(upload: string, { path, file }: ChosenFile, keeper: Keeper): Promise<void> {
  const onProgress = (sentBytes: number) => set(path, { at: 'sending', sentBytes });
  try {
    const digest = await digestOf(path, file);
    if (!keeper.hasArrived(digest)) {
      onProgress(0);
      if (file.size > LARGE_BYTES) await sendLarge(upload, { path, file, digest }, keeper, onProgress);
      else {
        await patiently(async () => {
          const place = await post<Place>(`uploads/${upload}/place`, { path });
          await put(place, file, onProgress).catch((error) => orUnreadable(file, error));
        });
      }
    }
    keeper.setArrived(digest);
    set(path, { at: 'sent' });
  } catch (error) {
    set(path, { at: 'problem', message: (error as Error).message });
  }
}

async function follow(upload: string): Promise<void> {
  const read = new Set<string>();
  for (;;) {
    const { running, finished, waiting } = await patiently(() => get<UploadState>(`uploads/${upload}`));
    const [ended] = finished;
    const [runs] = running;
    for (const { executionId } of finished.filter((one) => !read.has(one.executionId))) {
      read.add(executionId);
      await readOutcomes(upload, executionId);
    }
    if (ended && !runs && (waiting === 0 || ended.outcome === 'Failed'))
      return tell({ phase: 'ended', executionId: ended.executionId });
    if (runs) tell({ phase: 'running', executionId: runs });
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

async function readOutcomes(upload: string, executionId: string): Promise<void> {
  const known = new Set(sending.peek()?.rows.map(({ path }) => path));
  const unknown: Row[] = [];
  let from: number | undefined = 0;
  while (from !== undefined) {
    const wanted: object = { limit: LINES_AT_ONCE, from };
    const page: ObjectsPage = await patiently(() => post(`executions/${executionId}/objects`, wanted));
    for (const line of page.objects) {
      const path = line.key.slice(upload.length + 1);
      if (!known.has(path)) unknown.push({ path, sizeBytes: line.sizeBytes });
      set(path, { at: 'ended', line });
    }
    from = page.next;
  }
  if (unknown.length > 0) tell({ rows: [...(sending.peek()?.rows ?? []), ...unknown] });
}
