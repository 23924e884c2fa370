/** Objects of one ingest, page after page: the server reads them by ranges, the page keeps only what was asked for. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ObjectLine, ObjectsPage } from '../../local/console/api.ts';
import { bytes, count } from '../format.ts';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';

/** More rows than this are not kept on the page; the download has them all. */
const KEPT_ROWS = 1_000;

export function Objects(props: {
  readonly executionId: string;
  readonly outcome: string;
  readonly code: string;
}) {
  const { executionId, outcome, code } = props;
  const objects = useSignal<readonly ObjectLine[]>([]);
  const next = useSignal<number | undefined>(undefined);
  const left = useSignal(0);
  const text = useSignal('');
  const state = useSignal<string>('loading');
  const load = async (from: number | undefined) => {
    state.value = 'loading';
    try {
      const path = `executions/${encodeURIComponent(executionId)}/objects`;
      const page = await post<ObjectsPage>(path, {
        outcome,
        code,
        text: text.peek(),
        ...(from === undefined ? {} : { next: from }),
      });
      const all = from === undefined ? page.objects : [...objects.peek(), ...page.objects];
      left.value = (from === undefined ? 0 : left.peek()) + Math.max(0, all.length - KEPT_ROWS);
      objects.value = all.slice(-KEPT_ROWS);
      next.value = page.next;
      state.value = 'there';
    } catch (error) {
      state.value = (error as Error).message;
    }
  };
  useEffect(() => {
    void load(undefined);
  }, []);
  return (
    <div class="objects">
      <form
        class="row"
        onSubmit={(event) => {
          event.preventDefault();
          void load(undefined);
        }}
      >
        <label>
          Find in keys, UIDs, reasons{' '}
          <input
            type="search"
            spellcheck={false}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
        <button type="submit">Find</button>
      </form>
      {left.value > 0 && <p class="dim">{count(left.value)} earlier ones are left out here.</p>}
      {objects.value.length > 0 && (
        <Table
          label={`Objects: ${outcome} ${code}`}
          heads={['Object', 'Size', 'Why', 'Image set']}
          numbers={[1]}
        >
          {objects.value.map((line) => (
            <Row key={line.key} line={line} />
          ))}
        </Table>
      )}
      {state.value === 'loading' && <Busy />}
      {state.value === 'there' && objects.value.length === 0 && <Empty>No such object.</Empty>}
      {state.value !== 'loading' && state.value !== 'there' && (
        <Problem message={state.value} again={() => void load(undefined)} />
      )}
      {state.value === 'there' && next.value !== undefined && (
        <button type="button" onClick={() => void load(next.value)}>
          More
        </button>
      )}
    </div>
  );
}

function Row({ line }: { readonly line: ObjectLine }) {
  const reasons = [line.message, ...(line.warnings ?? []).map((one) => `${one.code}: ${one.message}`)];
  return (
    <tr>
      <th scope="row" class="key">
        {line.key.slice(line.key.indexOf('/') + 1)}
        {line.sopInstanceUID && <span class="uid">{line.sopInstanceUID}</span>}
      </th>
      <td class="number">{bytes(line.sizeBytes)}</td>
      <td class="why">
        {reasons.filter(Boolean).join(' · ')}
        {line.proof !== undefined && line.frames !== undefined && line.frames > 0 && (
          <span class="dim">
            {' '}
            {count(line.framesVerified ?? 0)}/{count(line.frames)} frames proven ({line.proof})
          </span>
        )}
      </td>
      <td>
        {line.imageSetId && (
          <a href={linkTo('image-sets', line.imageSetId)}>{line.imageSetId.slice(0, 8)}…</a>
        )}
      </td>
    </tr>
  );
}
