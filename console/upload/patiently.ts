/** Asking until the server answers: one that restarts, or a line that broke, is waited for; what it refuses is not repeated. */
import { signal } from '@preact/signals';
import { ServerProblem } from '../server.ts';

/** The server does not answer at the moment, and something waits for it. */
export const isWaitingForServer = signal(false);

const LONGEST_PAUSE_MS = 5_000;
/** A file that the server refuses this often is not tried for ever. */
const REFUSALS = 5;

/** Without an answer (status 0) for ever; with an error inside the server a few times. Throws ServerProblem. */
export async function patiently<T>(ask: () => Promise<T>): Promise<T> {
  let refusals = 0;
  for (let tries = 1; ; tries++) {
    try {
      const answer = await ask();
      isWaitingForServer.value = false;
      return answer;
    } catch (error) {
      const status = error instanceof ServerProblem ? error.status : undefined;
      if (status === undefined || (status > 0 && status < 499)) throw error;
      if (status >= 499 && status !== 503 && ++refusals >= REFUSALS) throw error;
      isWaitingForServer.value = status === 0 || status === 503;
      await new Promise((resolve) => setTimeout(resolve, Math.min(LONGEST_PAUSE_MS, 500 * tries)));
    }
  }
}
