/** Resolves at SIGINT or SIGTERM; a second signal ends the process at once, as always. */
export function untilSignal(): Promise<'stopped'> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve('stopped'));
  });
}
