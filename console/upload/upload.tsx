/** Files and folders dropped on the page go to the inbox; each gets its outcome. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import { bytes, count, plural } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { Problem } from '../parts/loaded.tsx';
import { LongTable } from '../parts/long-table.tsx';
import { linkTo } from '../route.ts';
import { type Chosen, fromDrop, fromInput } from './dropped-files.ts';
import { isWaitingForServer } from './patiently.ts';
import { refusalOf } from './refusal.ts';
import {
  type FileState,
  fileStates,
  finishInterrupted,
  forgetUpload,
  type Row,
  recallUpload,
  type Sending,
  sendFiles,
  sending,
  sendTheRest,
  tryAgain,
} from './sending.ts';

const BUSY = ['sending', 'waiting', 'running'];

export function UploadPanel() {
  useEffect(recallUpload, []);
  const now = sending.value;
  const isBusy = now !== undefined && BUSY.includes(now.phase);
  return (
    <>
      <h1>Upload</h1>
      {now?.phase === 'interrupted' && <Interrupted now={now} />}
      {!isBusy && <DropZone />}
      {now && now.phase !== 'interrupted' && <Progress now={now} />}
    </>
  );
}

/** An upload that a reload or a crash of the browser cut off. */
function Interrupted({ now: { kept } }: { readonly now: Sending }) {
  if (kept === undefined) return null;
  const halves = Object.keys(kept.parts).length;
  return (
    <section class="card" aria-labelledby="interrupted">
      <h2 id="interrupted">An upload was interrupted</h2>
      <p>
        {count(kept.arrived.length)} of {plural(kept.files, 'file')} had arrived
        {halves > 0 && `, ${plural(halves, 'large one')} in part`}. Choose the same files or the same folder
        again: what is there is not sent a second time.
      </p>
      <p class="buttons">
        <button type="button" onClick={() => void finishInterrupted(kept)}>
          Ingest what has arrived
        </button>
        <button type="button" onClick={forgetUpload}>
          Begin anew
        </button>
        <span class="dim">
          upload <code>{kept.upload}</code>
        </span>
      </p>
    </section>
  );
}

function DropZone() {
  const files = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const isOver = useSignal(false);
  const refusal = useSignal<string | undefined>(undefined);
  const take = (chosen: Chosen | undefined) => {
    if (!chosen) return;
    refusal.value = refusalOf(chosen);
    if (refusal.value === undefined) void sendFiles(chosen);
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
        if (!event.dataTransfer?.types.includes('Files')) return;
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
      {refusal.value !== undefined && <Problem message={refusal.value} />}
      <input
        ref={files}
        type="file"
        multiple
        hidden
        aria-label="Files"
        onChange={(event) => take(fromInput(event.currentTarget.files))}
      />
      <input
        ref={folder}
        type="file"
        multiple
        hidden
        aria-label="Folder"
        {...{ webkitdirectory: true }}
        onChange={(event) => take(fromInput(event.currentTarget.files))}
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
  const { rows } = now;
  const sentBytes = rows.reduce((sum, { path, sizeBytes }) => sum + sentOf(states.get(path), sizeBytes), 0);
  const allBytes = rows.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  const tally = new Map<string, number>();
  for (const state of states.values()) {
    const name = state.at === 'ended' ? state.line.outcome : state.at;
    tally.set(name, (tally.get(name) ?? 0) + 1);
  }
  const unsent = tally.get('problem') ?? 0;
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">{rows.length > 0 ? plural(rows.length, 'file') : 'The last upload'}</h2>
      {PHASES[now.phase] === undefined && <Problem message={now.phase} again={tryAgain} />}
      <p class="row">
        <span role="status">
          {PHASES[now.phase]}
          {unsent > 0 && <strong class="warn"> {plural(unsent, 'file')} not sent: see below.</strong>}
          {isWaitingForServer.value && (
            <strong class="warn"> The server does not answer; it goes on when it is back.</strong>
          )}
        </span>
        {unsent > 0 && now.phase === 'ended' && (
          <button type="button" onClick={sendTheRest}>
            Send the rest
          </button>
        )}
        {now.executionId && (
          <a class="button" href={linkTo('ingests', now.executionId)}>
            Open the ingest
          </a>
        )}
      </p>
      <progress value={sentBytes} max={Math.max(1, allBytes)} aria-label="Bytes sent" />
      <p class="dim">
        {bytes(sentBytes)} of {bytes(allBytes)} ·{' '}
        {[...tally].map(([name, value]) => `${count(value)} ${TALLY[name] ?? name}`).join(', ')}
        {now.upload && (
          <>
            {' '}
            · upload <code>{now.upload}</code>
          </>
        )}
      </p>
      {rows.length > 0 && (
        <LongTable
          label="Files"
          heads={['File', 'Size', 'State', 'Why']}
          numbers={[1]}
          total={rows.length}
          onView={nothing}
          row={(index) => <Cells of={rows[index] as Row} state={states.get(rows[index]?.path ?? '')} />}
        />
      )}
    </section>
  );
}

const nothing = () => {};
const TALLY: Readonly<Record<string, string>> = { waiting: 'to send', problem: 'not sent' };

function Cells({
  of: { path, sizeBytes },
  state,
}: {
  readonly of: Row;
  readonly state: FileState | undefined;
}) {
  return (
    <>
      <th scope="row" class="key">
        <div class="clamp">{path}</div>
      </th>
      <td class="number">{bytes(sizeBytes)}</td>
      <td>
        <State of={state} size={sizeBytes} />
      </td>
      <td class="why">
        <div class="clamp">{whyOf(state)}</div>
      </td>
    </>
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
