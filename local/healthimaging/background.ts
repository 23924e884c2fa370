/** Work that goes on after its request was answered: delays, life cycles, jobs. `close` waits for all of it. */
export interface Background {
  /** Aborted when the server stops. */
  readonly stopping: AbortSignal;
  /** Starts `work` after `delayMs`; a failure goes to `onError`, never up. */
  start(name: string, delayMs: number, work: (signal: AbortSignal) => Promise<void>): void;
  /** Stops timers, aborts running work and waits until it has ended. */
  close(): Promise<void>;
}

export function createBackground(onError: (name: string, error: unknown) => void): Background {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();

  return {
    stopping: stop.signal,
    start(name, delayMs, work) {
      if (stop.signal.aborted) return;
      const task = sleep(delayMs, stop.signal)
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
