/** State type → what runs it. */
import type { DistributedMapState, InlineMapState, State } from '../definition/model.ts';
import type { Outcome, Visit } from '../runtime/visit.ts';
import { runChoice } from './choice.ts';
import { runDistributedMap } from './distributed-map.ts';
import { runFail } from './fail.ts';
import { runInlineMap } from './inline-map.ts';
import { runParallel } from './parallel.ts';
import { runPass } from './pass.ts';
import { runSucceed } from './succeed.ts';
import { runTask } from './task.ts';
import { runWait } from './wait.ts';

type Runner<T extends State['type']> = (state: Extract<State, { type: T }>, visit: Visit) => Promise<Outcome>;

export const RUNNERS: { readonly [T in State['type']]: Runner<T> } = {
  Task: runTask,
  Pass: runPass,
  Choice: runChoice,
  Wait: runWait,
  Parallel: runParallel,
  Map: (state: InlineMapState | DistributedMapState, visit) =>
    state.mode === 'INLINE' ? runInlineMap(state, visit) : runDistributedMap(state, visit),
  Succeed: runSucceed,
  Fail: runFail,
};
