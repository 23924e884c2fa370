/** Objects per hour of the last day, ingested and not, as bars. */
import type { Summary } from '../../shared/console/api.ts';
import { count, plural } from '../format.ts';

const HOURS = 24;
const HOUR_MS = 3_600_000;

interface Hour {
  good: number;
  bad: number;
}

/** Oldest hour first. Pure. */
export function byHour(recent: readonly Summary[], nowMs: number): Hour[] {
  const hours: Hour[] = Array.from({ length: HOURS }, () => ({ good: 0, bad: 0 }));
  for (const { finishedAt, counts } of recent) {
    const index = HOURS - 1 - Math.floor((nowMs - Date.parse(finishedAt)) / HOUR_MS);
    const hour = hours[index];
    if (hour === undefined || counts === undefined) continue;
    hour.good += counts.ingested + counts.duplicate;
    hour.bad += counts.rejected + counts.failed;
  }
  return hours;
}

export function Throughput({
  recent,
  nowMs,
}: {
  readonly recent: readonly Summary[];
  readonly nowMs: number;
}) {
  const hours = byHour(recent, nowMs);
  const most = Math.max(1, ...hours.map(({ good, bad }) => good + bad));
  const good = hours.reduce((sum, hour) => sum + hour.good, 0);
  const bad = hours.reduce((sum, hour) => sum + hour.bad, 0);
  const label = `Last 24 hours: ${plural(good, 'object')} ingested or duplicate, ${count(bad)} rejected or failed`;
  return (
    <figure class="chart">
      <svg viewBox="0 0 240 64" role="img" aria-label={label} preserveAspectRatio="none">
        {hours.map((hour, index) => {
          const goodHeight = (hour.good / most) * 60;
          const badHeight = (hour.bad / most) * 60;
          const x = index * 10 + 1;
          return (
            <g key={index}>
              <rect class="axis" x={x} y={62} width={8} height={1} />
              <rect class="good" x={x} y={62 - goodHeight} width={8} height={goodHeight} />
              <rect class="bad" x={x} y={62 - goodHeight - badHeight} width={8} height={badHeight} />
            </g>
          );
        })}
      </svg>
      <figcaption>
        {label} · tallest bar {count(most)} an hour
      </figcaption>
    </figure>
  );
}
