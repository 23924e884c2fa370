import { type Clock, systemClock } from '../../shared/ports/clock.ts';

/** Work that goes on after its request was answered: delays, life cycles, jobs. `close` waits for all of it. */
export interface Background {
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  /** Starts `work` after `delayMs`; a failure goes to `onError`, never up. */
  start(name: string, delayMs: number, work: (signal: AbortSignal) => Promise<void>): void;
  /** A delay by the server's clock: over at once when the server stops. */
  wait(milliseconds: number): Promise<void>;
  /** Stops timers, aborts running work and waits until it has ended. */
  close(): Promise<void>;
}

export function createBackground(
  onError: (name: string, error: unknown) => void,
  clock: Clock = systemClock,
): Background {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();

  const wait = (milliseconds: number) =>
    clock === systemClock ? sleep(milliseconds, stop.signal) : sleepBy(clock, milliseconds, stop.signal);

  return {
    stopping: stop.signal,
    wait,
    start(name, delayMs, work) {
      if (stop.signal.aborted) return;
      const task = wait(delayMs)
        .then(() => (stop.signal.aborted ? undefined : work(stop.signal)))
        .catch((error) => {
          if (!stop.signal.aborted) onError(name, error);
        })
        .finally(() => running.delete(task));
      running.add(task);
    },
    async close() {
      stop.abort();
      while (running.size > 0) await Promise.all(running);
    },
  };
}

/** The same by a clock of somebody else's, whose sleep cannot be cut short: it is left behind. */
async function sleepBy(clock: Clock, milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return;
  let stopped = () => {};
  const aborted = new Promise<void>((resolve) => {
    stopped = resolve;
  });
  signal.addEventListener('abort', stopped);
  await Promise.race([clock.sleep(milliseconds), aborted]);
  signal.removeEventListener('abort', stopped);
}

/** Resolves after `milliseconds`, or at once when aborted. */
export function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds <= 0 || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
