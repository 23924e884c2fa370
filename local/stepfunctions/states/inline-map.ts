/** Map, mode INLINE: the item processor for every item, inside this execution and its history. */
import { Cancelled } from '../cancellation.ts';
import type { InlineMapState } from '../definition/model.ts';
import { LIMITS } from '../limits.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { gather } from './gather.ts';
import { itemsOf } from './items.ts';

export async function runInlineMap(state: InlineMapState, visit: Visit): Promise<Outcome> {
  const items = await itemsOf(state, visit);
  const wanted = (await visit.optionalNumber(state.maxConcurrency)) ?? 0;
  const most = LIMITS.inlineConcurrency.max;
  visit.addEvent('MapStateStarted', () => ({ mapStateStartedEventDetails: { length: items.length } }));
  const { previousEventId } = visit.frame.record;
  try {
    const result = await gather(
      items.length,
      Math.min(wanted || most, most),
      visit.cancellation,
      async (index, cancellation) => {
        const mapItem = { Index: index, Value: items[index] ?? null };
        const input = state.itemSelector
          ? await visit.evaluate(state.itemSelector, { mapItem })
          : mapItem.Value;
        const options = { startAt: state.processor.startAt, input, cancellation, mapItem, previousEventId };
        const frame = visit.frame.inner(index, options);
        const tell = (type: string) =>
          visit.execution.addEvent(frame, type, () => ({
            [`mapIteration${type.slice('MapIteration'.length)}EventDetails`]: { name: state.name, index },
          }));
        const wasDone = frame.record.done !== undefined;
        if (frame.record.enteredAt === undefined) tell('MapIterationStarted');
        try {
          const output = await visit.runInner(state.processor, frame);
          if (!wasDone) tell('MapIterationSucceeded');
          return output;
        } catch (thrown) {
          tell(thrown instanceof Cancelled ? 'MapIterationAborted' : 'MapIterationFailed');
          throw thrown;
        }
      },
    );
    visit.addEvent('MapStateSucceeded');
    return visit.leave(state, state.next, { result }, result);
  } catch (thrown) {
    visit.addEvent(thrown instanceof Cancelled ? 'MapStateAborted' : 'MapStateFailed');
    throw thrown;
  }
}
