/** Ctrl-C while a command sends or waits: a word about what goes on without it. Everything behind survives a kill. */
import { constants } from 'node:os';
import type { Terminal } from './terminal.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Says `words()` at the first signal and ends the process, as the signal would. Returns what takes this away again. */
export function onInterruption(terminal: Terminal, words: () => string): () => void {
  const stop = (signal: NodeJS.Signals) => {
    terminal.endProgress();
    terminal.say(`stopped: ${words()}`);
    process.exit(128 + constants.signals[signal]);
  };
  for (const signal of SIGNALS) process.once(signal, stop);
  return () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
}
