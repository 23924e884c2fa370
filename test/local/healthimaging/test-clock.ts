/** A clock that stands still until it is told: delays end, tiers change and rates refill when the test says so. */
import type { Clock } from '../../../shared/ports/clock.ts';

export interface TestClock extends Clock {
  advance(milliseconds: number): void;
  /** Sleeps that have not ended. */
  readonly sleeping: number;
}

export function createTestClock(start = Date.UTC(2026, 0, 1)): TestClock {
  let now = start;
  let sleepers: { readonly at: number; readonly wake: () => void }[] = [];
  return {
    now: () => now,
    sleep: (milliseconds) =>
      new Promise((wake) => {
        sleepers.push({ at: now + milliseconds, wake });
      }),
    advance(milliseconds) {
      now += milliseconds;
      const due = sleepers.filter(({ at }) => at <= now);
      sleepers = sleepers.filter(({ at }) => at > now);
      for (const { wake } of due) wake();
    },
    get sleeping() {
      return sleepers.length;
    },
  };
}
