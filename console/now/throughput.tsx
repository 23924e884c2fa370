/** Objects of each hour of the last day as bars: told apart by colour and pattern, in words for one hour, and as a table. */
import { useSignal } from '@preact/signals';
import type { Hour } from '../../shared/console/api.ts';
import { count } from '../format.ts';
import { Table } from '../parts/table.tsx';

const PARTS = [
  ['failed', 'failed'],
  ['rejected', 'rejected'],
  ['duplicate', 'duplicate'],
  ['ingested', 'ingested'],
] as const;

const sumOf = (hour: Hour) => hour.ingested + hour.duplicate + hour.rejected + hour.failed;

/** The one that somebody wants to read first. */
function lastBusy(hours: readonly Hour[]): number {
  const found = hours.findLastIndex((hour) => sumOf(hour) > 0);
  return found < 0 ? hours.length - 1 : found;
}

const two = (value: number) => String(value).padStart(2, '0');
const timeOf = (ms: number) => `${two(new Date(ms).getHours())}:${two(new Date(ms).getMinutes())}`;

/** `14:00–15:00: 53 ingested, 12 rejected`. */
function saidOf(hour: Hour): string {
  const from = Date.parse(hour.from);
  const parts = PARTS.filter(([name]) => hour[name] > 0).map(
    ([name, text]) => `${count(hour[name])} ${text}`,
  );
  return `${timeOf(from)}–${timeOf(from + 3_600_000)}: ${parts.reverse().join(', ') || 'nothing'}`;
}

export function Throughput({
  hours,
  isPartial,
}: {
  readonly hours: readonly Hour[];
  readonly isPartial: boolean;
}) {
  const chosen = useSignal(lastBusy(hours));
  const most = Math.max(1, ...hours.map(sumOf));
  const hour = hours[Math.min(chosen.value, hours.length - 1)];
  const step = (event: KeyboardEvent) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -hours.length, End: hours.length }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    chosen.value = Math.max(0, Math.min(hours.length - 1, chosen.value + by));
  };
  if (hour === undefined) return null;
  return (
    <figure class="chart">
      <div
        class="bars"
        role="slider"
        aria-label="Objects per hour: choose an hour"
        aria-valuemin={0}
        aria-valuemax={hours.length - 1}
        aria-valuenow={hours.indexOf(hour)}
        aria-valuetext={saidOf(hour)}
        tabIndex={0}
        onKeyDown={step}
      >
        {hours.map((one, index) => (
          <div
            key={one.from}
            class={`hour ${one === hour ? 'chosen' : ''}`}
            onPointerEnter={() => {
              chosen.value = index;
            }}
          >
            {PARTS.map(([name]) => (
              <span key={name} class={`bar ${name}`} style={{ height: `${(one[name] / most) * 72}px` }} />
            ))}
            <HourLabel from={one.from} />
          </div>
        ))}
      </div>
      <figcaption class="row">
        <span class="said-of">{saidOf(hour)}</span>
        <span class="legend">
          {[...PARTS].reverse().map(([name, text]) => (
            <span key={name}>
              <span class={`bar ${name}`} aria-hidden="true" /> {text}
            </span>
          ))}
        </span>
      </figcaption>
      {isPartial && <p class="dim">Older hours are being counted…</p>}
      <AsTable hours={hours} />
    </figure>
  );
}

/** Every third hour has one; on a phone every sixth. */
function HourLabel({ from }: { readonly from: string }) {
  const hour = new Date(from).getHours();
  if (hour % 3 !== 0) return null;
  return <span class={`hour-label ${hour % 6 === 0 ? '' : 'between'}`}>{timeOf(Date.parse(from))}</span>;
}

function AsTable({ hours }: { readonly hours: readonly Hour[] }) {
  const busy = hours.filter((hour) => sumOf(hour) > 0).reverse();
  return (
    <details>
      <summary>As a table</summary>
      <Table
        label="Objects per hour"
        heads={['Hour', 'Ingested', 'Duplicate', 'Rejected', 'Failed']}
        numbers={[1, 2, 3, 4]}
      >
        {busy.map((hour) => (
          <tr key={hour.from}>
            <th scope="row">{timeOf(Date.parse(hour.from))}</th>
            <td class="number">{count(hour.ingested)}</td>
            <td class="number">{count(hour.duplicate)}</td>
            <td class="number">{count(hour.rejected)}</td>
            <td class="number">{count(hour.failed)}</td>
          </tr>
        ))}
      </Table>
    </details>
  );
}
