/** Lets the rest of the process have its turn: work that waits for nothing outside would starve it. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Longest stretch without a turn of the event loop, in milliseconds. */
const STRETCH_MS = 10;
let lastTurn = 0;

/** Resolves at once, or after a turn of the event loop when the last one is long ago. */
export async function breathe(): Promise<void> {
  if (performance.now() - lastTurn < STRETCH_MS) return;
  await nextTurn();
  lastTurn = performance.now();
}
