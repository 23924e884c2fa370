/** Events and API calls as they come; what comes many times in a row is told once. */
import { useSignal } from '@preact/signals';
import type { Activity } from '../../shared/console/api.ts';
import { clock, count } from '../format.ts';
import { Empty } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { type Run, runsOf } from './runs.ts';

const KINDS = [
  ['all', 'events and API calls'],
  ['event', 'events'],
  ['call', 'API calls'],
  ['error', 'only errors'],
] as const;

export function Happened({ activity }: { readonly activity: readonly Activity[] }) {
  const kind = useSignal<string>('all');
  const isOwnShown = useSignal(false);
  const found = activity.filter(
    (one) =>
      (kind.value === 'all' ||
        one.kind === kind.value ||
        (kind.value === 'error' && one.error !== undefined)) &&
      (isOwnShown.value || !one.isOwn),
  );
  return (
    <section aria-labelledby="activity">
      <h2 id="activity">Events and API calls</h2>
      <p class="row choose">
        <label>
          Show{' '}
          <select
            onChange={(event) => {
              kind.value = event.currentTarget.value;
            }}
          >
            {KINDS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </select>
        </label>
        <label>
          <input
            type="checkbox"
            onChange={(event) => {
              isOwnShown.value = event.currentTarget.checked;
            }}
          />{' '}
          and what this console asks
        </label>
      </p>
      {found.length === 0 ? (
        <Empty>{kind.value === 'error' ? 'No error.' : 'Nothing since this world started.'}</Empty>
      ) : (
        <Table label="Events and API calls" heads={['When', 'Kind', 'What', 'About', 'Error']}>
          {runsOf(found)
            .slice(0, 60)
            .map((run) => (
              <Row key={run.last.id} run={run} />
            ))}
        </Table>
      )}
    </section>
  );
}

function Row({ run: { last, times } }: { readonly run: Run }) {
  return (
    <tr class={last.error ? 'bad-row' : ''}>
      <td>
        <time dateTime={last.at}>{clock(last.at)}</time>
      </td>
      <td>{last.kind}</td>
      <th scope="row">
        {last.name}
        {times > 1 && (
          <>
            {' '}
            <span class="badge plain">× {count(times)}</span>
          </>
        )}
      </th>
      <td class="about">
        <code>{last.about}</code>
      </td>
      <td class="bad">{last.error ?? ''}</td>
    </tr>
  );
}
