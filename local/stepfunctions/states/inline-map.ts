/** Map, mode INLINE: the item processor for every item, inside this execution and its history. */
import { type Cancellation, Cancelled } from '../cancellation.ts';
import type { InlineMapState } from '../definition/model.ts';
import type { Json } from '../json.ts';
import { LIMITS } from '../limits.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { gather } from './gather.ts';
import { itemsOf } from './items.ts';

/** How the history links iterations: one that had to wait comes after the last state of the one that ended. */
interface Links {
  nextBeginsAfter: number;
  lastEnded: number;
}

export async function runInlineMap(state: InlineMapState, visit: Visit): Promise<Outcome> {
  const items = await itemsOf(state, visit);
  const wanted = (await visit.optionalNumber(state.maxConcurrency)) ?? 0;
  const most = LIMITS.inlineConcurrency.max;
  visit.addEvent('MapStateStarted', () => ({ mapStateStartedEventDetails: { length: items.length } }));
  const { previousEventId } = visit.frame.record;
  const links = { nextBeginsAfter: previousEventId, lastEnded: previousEventId };
  try {
    const result = await gather(
      items.length,
      Math.min(wanted || most, most),
      visit.cancellation,
      (index, cancellation) => iterate(state, visit, links, index, items[index] ?? null, cancellation),
    );
    visit.addEventAfter(links.lastEnded, 'MapStateSucceeded');
    return visit.leave(state, state.next, { result }, result);
  } catch (thrown) {
    visit.addEvent(thrown instanceof Cancelled ? 'MapStateAborted' : 'MapStateFailed');
    throw thrown;
  }
}

async function iterate(
  state: InlineMapState,
  visit: Visit,
  links: Links,
  index: number,
  item: Json,
  cancellation: Cancellation,
): Promise<Json> {
  const mapItem = { Index: index, Value: item };
  const input = state.itemSelector ? await visit.evaluate(state.itemSelector, { mapItem }) : item;
  const frame = visit.frame.inner(index, {
    startAt: state.processor.startAt,
    input,
    cancellation,
    mapItem,
    previousEventId: links.nextBeginsAfter,
  });
  const tell = (what: 'Started' | 'Succeeded' | 'Failed' | 'Aborted'): void =>
    visit.execution.addEvent(frame, `MapIteration${what}`, () => ({
      [`mapIteration${what}EventDetails`]: { name: state.name, index },
    }));
  const wasDone = frame.record.done !== undefined;
  if (frame.record.enteredAt === undefined) tell('Started');
  try {
    const output = await visit.runInner(state.processor, frame);
    links.nextBeginsAfter = frame.record.previousEventId;
    if (!wasDone) tell('Succeeded');
    links.lastEnded = frame.record.previousEventId;
    return output;
  } catch (thrown) {
    tell(thrown instanceof Cancelled ? 'Aborted' : 'Failed');
    throw thrown;
  }
}
