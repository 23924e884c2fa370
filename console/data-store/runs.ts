/** What happened several times in a row, as one. Pure. */
import type { Activity } from '../../shared/console/api.ts';

export interface Run {
  /** The latest of them. */
  readonly last: Activity;
  readonly times: number;
}

export function runsOf(activity: readonly Activity[]): Run[] {
  const runs: { last: Activity; times: number }[] = [];
  for (const one of activity) {
    const run = runs.at(-1);
    if (run !== undefined && isSame(run.last, one)) run.times++;
    else runs.push({ last: one, times: 1 });
  }
  return runs;
}

const isSame = (a: Activity, b: Activity): boolean =>
  a.kind === b.kind && a.name === b.name && a.about === b.about && a.error === b.error;
