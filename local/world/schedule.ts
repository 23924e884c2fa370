/** Schedule expressions of rules: `rate(…)` and `cron(…)`. */
import { parseCron } from './cron.ts';
import { TemplateError } from './intrinsics.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };
/** setTimeout counts in 32 bits: longer waits are taken in steps. */
const LONGEST_TIMER_MS = 2_147_483_647;

/** When ticks are due. */
export interface Schedule {
  /** A world that was down missed ticks: a rate ticks at once at a start, a cron waits for its time. */
  readonly ticksAtStart: boolean;
  /** ms since 1970 → the next tick after it; undefined when there is none. */
  readonly next: (after: number) => number | undefined;
}

/** Throws TemplateError for anything but `rate(<n> minute[s]|hour[s]|day[s])` and `cron(…)`. */
export function parseSchedule(expression: string, where: string): Schedule {
  if (expression.startsWith('cron(')) return { ticksAtStart: false, next: parseCron(expression, where) };
  const seconds = parseRate(expression, where);
  return { ticksAtStart: true, next: (after) => after + seconds * 1000 };
}

/** Seconds between two ticks of `rate(…)`. */
export function parseRate(expression: string, where: string): number {
  const match = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression);
  const [, count, unit, plural] = match ?? [];
  if (!count || !unit || (count === '1') === (plural === 's'))
    throw new TemplateError(`${where}: expected rate(<n> minutes|hours|days) or cron(…), got ${expression}`);
  return Number(count) * (UNIT_SECONDS[unit] as number);
}

/** Calls `tick` when it is due; a tick still under way lets the next one pass. */
export function startSchedule(schedule: Schedule, tick: () => Promise<void>): { stop(): void } {
  let busy = false;
  let timer: NodeJS.Timeout | undefined;
  const run = async () => {
    if (busy) return;
    busy = true;
    await tick().finally(() => {
      busy = false;
    });
  };
  const wait = (due: number | undefined) => {
    if (due === undefined) return;
    const left = Math.max(0, due - Date.now());
    timer = setTimeout(
      () => {
        if (Date.now() < due) return wait(due);
        void run();
        wait(schedule.next(Math.max(due, Date.now())));
      },
      Math.min(left, LONGEST_TIMER_MS),
    ).unref();
  };
  if (schedule.ticksAtStart) void run();
  wait(schedule.next(Date.now()));
  return { stop: () => clearTimeout(timer) };
}
