/** Waiting that can be called off. With the system's time it leaves no timer behind; a test's clock may be handed in. */
import type { Clock } from '../../shared/ports/clock.ts';
import { type Cancellation, Cancelled } from './cancellation.ts';

/** setTimeout counts in 32 bits: longer waits are taken in steps. */
const LONGEST_TIMER_MS = 2_147_483_647;

export interface Timers {
  now(): number;
  /** Resolves at `at` (ms since 1970); throws Cancelled when called off before. */
  until(at: number, cancellation: Cancellation): Promise<void>;
  /** Calls back at `at`, unless the returned function was called before. */
  alarm(at: number, ring: () => void): () => void;
}

export const systemTimers: Timers = {
  now: () => Date.now(),
  until: async (at, cancellation) => {
    for (let left = at - Date.now(); left > 0; left = at - Date.now()) {
      await oneTimer(Math.min(left, LONGEST_TIMER_MS), cancellation);
    }
    cancellation.throwIfCancelled();
  },
  alarm: (at, ring) => {
    let timer: NodeJS.Timeout;
    const set = (): void => {
      const left = at - Date.now();
      timer = setTimeout(left > LONGEST_TIMER_MS ? set : ring, Math.min(Math.max(0, left), LONGEST_TIMER_MS));
    };
    set();
    return () => clearTimeout(timer);
  },
};

function oneTimer(milliseconds: number, cancellation: Cancellation): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      stop();
      resolve();
    }, milliseconds);
    const stop = cancellation.onCancel((reason) => {
      clearTimeout(timer);
      reject(new Cancelled(reason));
    });
  });
}

export const clockTimers = (clock: Clock): Timers => ({
  now: () => clock.now(),
  until: (at, cancellation) => cancellation.race(clock.sleep(Math.max(0, at - clock.now()))),
  alarm: (at, ring) => {
    let off = false;
    void clock.sleep(Math.max(0, at - clock.now())).then(() => off || ring());
    return () => {
      off = true;
    };
  },
});
