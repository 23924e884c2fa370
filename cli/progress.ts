/** One progress line: stage, bar, counts, rate. Pure. */

import { count } from '../shared/quantities.ts';

export { bytes, count, plural } from '../shared/quantities.ts';

const WIDTH = 24;

/** `import    ████████░░░░  320/1,000  41/s  17 s left`; two spaces part the fields, the first is the stage. */
export function progressLine(stage: string, done: number, total: number, elapsedSeconds: number): string {
  const share = total === 0 ? 0 : Math.min(1, done / total);
  const full = Math.round(share * WIDTH);
  const rate = elapsedSeconds > 0.5 ? done / elapsedSeconds : 0;
  const left = rate > 0 && done < total ? `${Math.ceil((total - done) / rate)} s left` : '';
  const waited = done === 0 && elapsedSeconds >= 1 ? `for ${seconds(Math.floor(elapsedSeconds))}` : '';
  return [
    stage.padEnd(8),
    `${'█'.repeat(full)}${'░'.repeat(WIDTH - full)}`,
    `${count(done)}/${count(total)}`,
    rate > 0 ? `${rate < 10 ? rate.toFixed(1) : count(Math.round(rate))}/s` : '',
    left,
    waited,
  ]
    .filter((part) => part !== '')
    .join('  ');
}

/** `850 ms`, `12.3 s`, `4 min 10 s`. */
export function seconds(value: number): string {
  if (value < 1) return `${Math.round(value * 1000)} ms`;
  if (value < 100) return `${value.toFixed(1)} s`;
  return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
}
