/** Files and folders dropped on the page go to the inbox; each gets its outcome. */
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { bytes, count, plural } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { type ChosenFile, fromDrop, fromInput } from './dropped-files.ts';
import { type FileState, fileStates, type Sending, sendFiles, sending } from './sending.ts';

const BUSY = ['sending', 'waiting', 'running'];
/** Rows on the page; the rest is in the counts and in the report. */
const ROWS = 200;

export function UploadPanel() {
  const now = sending.value;
  const isBusy = now !== undefined && BUSY.includes(now.phase);
  return (
    <>
      <h1>Upload</h1>
      {!isBusy && <DropZone />}
      {now && <Progress now={now} />}
    </>
  );
}

function DropZone() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const isOver = useSignal(false);
  const take = (chosen: readonly ChosenFile[]) => {
    if (chosen.length > 0) void sendFiles(chosen);
  };
  const drop = async (event: DragEvent) => {
    event.preventDefault();
    isOver.value = false;
    if (event.dataTransfer) take(await fromDrop(event.dataTransfer));
  };
  return (
    <section
      class={`drop ${isOver.value ? 'over' : ''}`}
      aria-label="Drop files here"
      onDragOver={(event) => {
        event.preventDefault();
        isOver.value = true;
      }}
      onDragLeave={() => {
        isOver.value = false;
      }}
      onDrop={(event) => void drop(event)}
    >
      <p>
        <strong>Drop files or folders here.</strong>
      </p>
      <p class="dim">
        Any files: what is no DICOM is rejected with a reason. They become one upload, with one report.
      </p>
      <p class="buttons">
        <button type="button" class="main" onClick={() => files.current?.click()}>
          Choose files…
        </button>
        <button type="button" onClick={() => folder.current?.click()}>
          Choose a folder…
        </button>
      </p>
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => take(fromInput(event.currentTarget.files ?? new FileList()))}
      />
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        aria-label="Folder"
        {...{ webkitdirectory: true }}
        onChange={(event) => take(fromInput(event.currentTarget.files ?? new FileList()))}
      />
    </section>
  );
}

const PHASES: Readonly<Record<string, string>> = {
  sending: 'Sending…',
  waiting: 'All sent. Waiting for the ingest to start…',
  running: 'Being ingested…',
  ended: 'Finished.',
};

function Progress({ now }: { readonly now: Sending }) {
  const states = fileStates.value;
  const sentBytes = now.files.reduce((sum, { path, file }) => sum + sentOf(states.get(path), file.size), 0);
  const allBytes = now.files.reduce((sum, { file }) => sum + file.size, 0);
  const tally = new Map<string, number>();
  for (const state of states.values()) {
    const name = state.at === 'ended' ? state.line.outcome : state.at;
    tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">{plural(now.files.length, 'file')}</h2>
      <p class="row" role="status">
        <span>
          {PHASES[now.phase] ?? <span class="bad">{now.phase}</span>}{' '}
          {now.upload && (
            <span class="dim">
              upload <code>{now.upload}</code>
            </span>
          )}
        </span>
        {now.executionId && <a href={linkTo('ingests', now.executionId)}>Open the ingest</a>}
      </p>
      <progress value={sentBytes} max={Math.max(1, allBytes)} aria-label="Bytes sent" />
      <p class="dim">
        {bytes(sentBytes)} of {bytes(allBytes)} ·{' '}
        {[...tally].map(([name, value]) => `${count(value)} ${name}`).join(', ')}
      </p>
      <Table label="Files" heads={['File', 'Size', 'State', 'Why']} numbers={[1]}>
        {now.files.slice(0, ROWS).map(({ path, file }) => (
          <tr key={path}>
            <th scope="row" class="key">
              {path}
            </th>
            <td class="number">{bytes(file.size)}</td>
            <td>
              <State of={states.get(path)} size={file.size} />
            </td>
            <td class="why">{whyOf(states.get(path))}</td>
          </tr>
        ))}
      </Table>
      {now.files.length > ROWS && <p class="dim">and {count(now.files.length - ROWS)} more</p>}
    </section>
  );
}

function sentOf(state: FileState | undefined, size: number): number {
  if (state === undefined || state.at === 'waiting' || state.at === 'problem') return 0;
  return state.at === 'sending' ? Math.min(size, state.sentBytes) : size;
}

function State({ of: state, size }: { readonly of: FileState | undefined; readonly size: number }) {
  if (state === undefined || state.at === 'waiting') return <span class="dim">waits</span>;
  if (state.at === 'sending') return <span>{Math.round((100 * state.sentBytes) / Math.max(1, size))} %</span>;
  if (state.at === 'sent') return <Badge of="" text="Sent" />;
  if (state.at === 'problem') return <Badge of="failed" text="Not sent" />;
  return <Badge of={state.line.outcome} />;
}

function whyOf(state: FileState | undefined): string {
  if (state?.at === 'problem') return state.message;
  if (state?.at !== 'ended') return '';
  const { code, message, advice } = state.line;
  return [code, message, advice].filter(Boolean).join(': ');
}
