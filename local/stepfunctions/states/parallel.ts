/** Parallel: the same input to every branch; the result is the array of their outputs. */
import { Cancelled } from '../cancellation.ts';
import type { ParallelState } from '../definition/model.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { gather } from './gather.ts';

export async function runParallel(state: ParallelState, visit: Visit): Promise<Outcome> {
  const input = state.arguments ? await visit.evaluate(state.arguments) : visit.input;
  visit.addEvent('ParallelStateStarted');
  const { previousEventId } = visit.frame.record;
  let lastEventId = previousEventId;
  try {
    const result = await gather(
      state.branches.length,
      state.branches.length,
      visit.cancellation,
      async (index, cancellation) => {
        const branch = state.branches[index] as (typeof state.branches)[number];
        const frame = visit.frame.inner(index, {
          startAt: branch.startAt,
          input,
          cancellation,
          previousEventId,
        });
        const output = await visit.runInner(branch, frame);
        lastEventId = frame.record.previousEventId;
        return output;
      },
    );
    visit.addEventAfter(lastEventId, 'ParallelStateSucceeded');
    return visit.leave(state, state.next, { result }, result);
  } catch (thrown) {
    if (thrown instanceof Cancelled) visit.addEvent('ParallelStateAborted');
    else visit.addEvent('ParallelStateFailed');
    throw thrown;
  }
}
