/** Asks for the refusals of a time, page by page, and for what can be tried again of those that are shown. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { RefusalPage, RefusingIngest, Retryable } from '../../shared/console/api.ts';
import { timesOf } from '../ingests/times.ts';
import { get, post } from '../server.ts';

/** More is asked for only when somebody wants it. */
const INGESTS_AT_ONCE = 5_000;

export interface Refusals {
  readonly ingests: readonly RefusingIngest[];
  readonly looked: number;
  readonly next?: string;
}

const NONE: Refusals = { ingests: [], looked: 0 };

export function useRefusals(when: string) {
  const found = useSignal(NONE);
  const state = useSignal<'loading' | 'there' | string>('loading');
  const current = useRef(new AbortController());
  /** One at a time: what is asked for later stands. */
  const load = async (from: Refusals) => {
    current.current.abort();
    current.current = new AbortController();
    const { signal } = current.current;
    state.value = 'loading';
    const times = timesOf(when, Date.now());
    let so = from;
    try {
      do {
        const body = { ...times, ...(so.next === undefined ? {} : { next: so.next }) };
        const { ingests, looked, next } = await post<RefusalPage>('refusals', body, { signal });
        if (signal.aborted) return;
        so = {
          ingests: [...so.ingests, ...ingests],
          looked: so.looked + looked,
          ...(next === undefined ? {} : { next }),
        };
        found.value = so;
      } while (so.next !== undefined && so.looked - from.looked < INGESTS_AT_ONCE);
      state.value = 'there';
    } catch (error) {
      if (!signal.aborted) state.value = (error as Error).message;
    }
  };
  useEffect(() => {
    found.value = NONE;
    void load(NONE);
    return () => current.current.abort();
  }, [when]);
  return { found: found.value, state: state.value, goOn: () => void load(found.peek()) };
}

export type AskRetryable = (executionId: string) => Promise<Retryable>;

/** An ingest is there with each of its codes, and is asked about once. */
export function makeRetryables(): AskRetryable {
  const asked = new Map<string, Promise<Retryable>>();
  return (executionId) => {
    const found = asked.get(executionId) ?? get<Retryable>(`executions/${executionId}/retryable`);
    asked.set(executionId, found);
    found.catch(() => asked.delete(executionId));
    return found;
  };
}
