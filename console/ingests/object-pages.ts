/** Objects of one outcome and code, held by row: pages are asked for as they come into view, the last ones kept. */
import { signal } from '@preact/signals';
import type { ObjectLine, ObjectsPage } from '../../shared/console/api.ts';
import { post } from '../server.ts';

const PAGE = 100;
const KEPT_PAGES = 40;
/** Rows that flew by are not asked for. */
const REST_MS = 60;
/** A search stops here; the rest is a click away. */
const FOUND_AT_ONCE = 500;

export interface Group {
  readonly executionId: string;
  readonly outcome: string;
  readonly code: string;
}

export interface Source {
  readonly total: number;
  readonly at: (index: number) => ObjectLine | undefined;
  /** A search that may find more. */
  readonly isMore: boolean;
}

export function makeObjectPages({ executionId, outcome, code }: Group, total: number) {
  const path = `executions/${encodeURIComponent(executionId)}/objects`;
  const pages = new Map<number, readonly ObjectLine[] | 'asked'>();
  const inOrder: Source = {
    total,
    at: (index) => {
      const page = pages.get(Math.floor(index / PAGE));
      return page === 'asked' ? undefined : page?.[index % PAGE];
    },
    isMore: false,
  };
  const source = signal<Source>(inOrder);
  const state = signal<'there' | 'loading' | string>('there');
  let timer: ReturnType<typeof setTimeout> | undefined;
  let abort = new AbortController();
  let text = '';
  let seen = { from: 0, to: 0 };
  let next: number | undefined;

  const load = async (page: number) => {
    if (pages.has(page)) return;
    pages.set(page, 'asked');
    try {
      const body = { outcome, code, from: page * PAGE, limit: PAGE };
      pages.set(page, (await post<ObjectsPage>(path, body, { signal: abort.signal })).objects);
      for (const old of pages.keys()) if (pages.size > KEPT_PAGES) pages.delete(old);
      if (text === '') source.value = { ...inOrder };
      state.value = 'there';
    } catch (error) {
      pages.delete(page);
      if (!abort.signal.aborted) state.value = (error as Error).message;
    }
  };
  const see = (from: number, to: number) => {
    if (text !== '') return;
    seen = { from, to };
    clearTimeout(timer);
    timer = setTimeout(() => {
      for (let page = Math.floor(from / PAGE); page * PAGE < to; page++) void load(page);
    }, REST_MS);
  };
  const searchOn = async (found: readonly ObjectLine[]) => {
    const { signal: mine } = abort;
    const all = [...found];
    state.value = 'loading';
    try {
      do {
        const body = { outcome, code, text, ...(next === undefined ? {} : { from: next }) };
        const page: ObjectsPage = await post<ObjectsPage>(path, body, { signal: mine });
        all.push(...page.objects);
        next = page.next;
        source.value = { total: all.length, at: (index) => all[index], isMore: next !== undefined };
      } while (next !== undefined && all.length < found.length + FOUND_AT_ONCE);
      state.value = 'there';
    } catch (error) {
      if (!mine.aborted) state.value = (error as Error).message;
    }
  };
  return {
    source,
    state,
    see,
    search(wanted: string) {
      abort.abort();
      abort = new AbortController();
      for (const [page, lines] of pages) if (lines === 'asked') pages.delete(page);
      text = wanted.trim();
      next = undefined;
      if (text !== '') return void searchOn([]);
      state.value = 'there';
      source.value = { ...inOrder };
      see(seen.from, seen.to);
    },
    more() {
      const { total: found, at } = source.peek();
      void searchOn(
        Array.from({ length: found }, (_, index) => at(index)).filter((one) => one !== undefined),
      );
    },
    close: () => abort.abort(),
  };
}
