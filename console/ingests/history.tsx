/** The raw history of an execution's states, for who wants to know exactly. */
import { useSignal } from '@preact/signals';
import type { HistoryEvent } from '../../shared/console/api.ts';
import { words } from '../format.ts';
import { Busy, Problem } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { get } from '../server.ts';

interface HistoryPage {
  readonly events: readonly HistoryEvent[];
  readonly next?: string;
}

export function History({ executionId }: { readonly executionId: string }) {
  const events = useSignal<readonly HistoryEvent[]>([]);
  const next = useSignal<string | undefined>(undefined);
  const state = useSignal('closed');
  const load = async () => {
    state.value = 'loading';
    try {
      const query = next.peek() === undefined ? '' : `?next=${encodeURIComponent(next.peek() ?? '')}`;
      const page = await get<HistoryPage>(`executions/${encodeURIComponent(executionId)}/history${query}`);
      events.value = [...events.peek(), ...page.events];
      next.value = page.next;
      state.value = 'there';
    } catch (error) {
      state.value = (error as Error).message;
    }
  };
  return (
    <details
      class="group"
      onToggle={(event) => {
        if (event.currentTarget.open && state.value === 'closed') void load();
      }}
    >
      <summary>
        <strong>Execution history</strong> <span class="dim">every state, as Step Functions tells it</span>
      </summary>
      {events.value.length > 0 && (
        <Table label="Execution history" heads={['#', 'When', 'Event', 'State', 'Details']} numbers={[0]}>
          {events.value.map((event) => (
            <tr key={event.id}>
              <td class="number">{event.id}</td>
              <td>{event.timestamp.slice(11, 23)}</td>
              <td>{words(event.type)}</td>
              <td>{event.state ?? ''}</td>
              <td class="json">
                <code>{(event.details ?? '').slice(0, 300)}</code>
              </td>
            </tr>
          ))}
        </Table>
      )}
      {state.value === 'loading' && <Busy />}
      {!['closed', 'loading', 'there'].includes(state.value) && (
        <Problem message={state.value} again={() => void load()} />
      )}
      {state.value === 'there' && next.value !== undefined && (
        <button type="button" onClick={() => void load()}>
          More
        </button>
      )}
    </details>
  );
}
