/** Runs inner scopes side by side: the first failure calls the others off, and all have ended before it is reported. */
import { Cancellation } from '../cancellation.ts';

/**
 * Runs `work` for 0 … `count` - 1, at most `concurrency` at a time; gives the results in order. Rejects with the first
 * failure, after every started one has settled.
 */
export async function gather<T>(
  count: number,
  concurrency: number,
  parent: Cancellation,
  work: (index: number, cancellation: Cancellation) => Promise<T>,
): Promise<T[]> {
  const cancellation = new Cancellation(parent);
  const results: T[] = [];
  let failure: { readonly thrown: unknown } | undefined;
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count && !failure) {
      const index = next;
      next += 1;
      try {
        results[index] = await work(index, cancellation);
      } catch (thrown) {
        failure ??= { thrown };
        cancellation.cancel({ kind: 'sibling' });
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, worker));
  cancellation.release();
  if (failure) throw failure.thrown;
  return results;
}
