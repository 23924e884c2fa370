/** Schedule expressions of rules. `rate(…)` runs; `cron(…)` is refused at start, as nothing here needs it. */
import { TemplateError } from './intrinsics.ts';

const UNIT_SECONDS: Readonly<Record<string, number>> = { minute: 60, hour: 3600, day: 86_400 };

/** Seconds between two ticks. Throws TemplateError for anything but `rate(<n> minute[s]|hour[s]|day[s])`. */
export function parseRate(expression: string, where: string): number {
  const match = /^rate\(([1-9]\d*) (minute|hour|day)(s?)\)$/.exec(expression);
  const [, count, unit, plural] = match ?? [];
  if (!count || !unit || (count === '1') === (plural === 's'))
    throw new TemplateError(
      `${where}: expected rate(<n> minutes|hours|days), which is what runs locally, got ${expression}`,
    );
  return Number(count) * (UNIT_SECONDS[unit] as number);
}

/**
 * Calls `tick` now (a world that was down missed its ticks) and then every `seconds`; a tick still under way lets the
 * next one pass.
 */
export function startSchedule(seconds: number, tick: () => Promise<void>): { stop(): void } {
  let busy = false;
  const run = async () => {
    if (busy) return;
    busy = true;
    await tick().finally(() => {
      busy = false;
    });
  };
  void run();
  const timer = setInterval(() => void run(), seconds * 1000);
  timer.unref();
  return { stop: () => clearInterval(timer) };
}
