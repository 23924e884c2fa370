/** Beyond the client's own retries: what asks for patience is tried again with growing pauses. */
import type { Clock } from '../ports/clock.ts';
import { ServiceUnavailable, Throttled } from '../ports/imaging-service.ts';

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 16_000;

/** Waits half a minute in all; throws the last error after that, and any other at once. */
export async function patiently<T>(clock: Clock, ask: () => Promise<T>): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs *= 2) {
    try {
      return await ask();
    } catch (error) {
      const isWorthRepeating = error instanceof Throttled || error instanceof ServiceUnavailable;
      if (!isWorthRepeating || waitMs > LONGEST_WAIT_MS) throw error;
      await clock.sleep(waitMs);
    }
  }
}
