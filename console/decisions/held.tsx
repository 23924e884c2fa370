/** What was refused until a person decides, over all ingests or of one: whose it is, and which content is right. */
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { HeldCase, HeldPage } from '../../shared/console/api.ts';
import { age, count, plural } from '../format.ts';
import { now } from '../live.ts';
import { Advice } from '../parts/advice.tsx';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import { get } from '../server.ts';
import { keyOf, NOTHING_HELD, withPage } from './held-cases.ts';
import { HeldInstances } from './held-instances.tsx';
import { HeldPatients } from './held-patients.tsx';

export function HeldPanel({ executionId }: { readonly executionId?: string | undefined }) {
  const found = useSignal<HeldPage>(NOTHING_HELD);
  const state = useSignal<'loading' | 'there' | string>('loading');
  const said = useSignal<readonly string[]>([]);
  const asking = useRef<AbortController | undefined>(undefined);
  const goingOnFrom = useRef(NOTHING_HELD);
  const load = async (before: HeldPage) => {
    goingOnFrom.current = before;
    asking.current?.abort();
    asking.current = new AbortController();
    const { signal } = asking.current;
    state.value = 'loading';
    try {
      const query = new URLSearchParams(before.next === undefined ? {} : { next: before.next });
      if (executionId !== undefined) query.set('execution', executionId);
      const page = await get<HeldPage>(`held?${query}`, signal);
      found.value = withPage(before, page);
      state.value = 'there';
    } catch (error) {
      if (!signal.aborted) state.value = (error as Error).message;
    }
  };
  useEffect(() => {
    void load(NOTHING_HELD);
    return () => asking.current?.abort();
  }, []);
  const { cases, looked, next } = found.value;
  const isLoading = state.value === 'loading';
  const decided = (says: string) => {
    said.value = [...said.value, says];
    void load(NOTHING_HELD);
  };
  return (
    <>
      <p class="crumbs">
        {executionId === undefined ? (
          <a href={linkTo()}>Now</a>
        ) : (
          <>
            <a href={linkTo('ingests', executionId)}>The ingest</a> ·{' '}
            <a href={linkTo('held')}>All that is held</a>
          </>
        )}
      </p>
      <h1>Held for a decision</h1>
      <p class="dim">
        These objects are not stored: only a person can say whose they are, or which content is right. They
        wait as they came, and nothing stored was changed.
      </p>
      <div role="status">
        {said.value.map((says, index) => (
          <p key={`${index} ${says}`} class="said">
            <Advice text={says} />
          </p>
        ))}
      </div>
      <Cases
        title="Whose are they?"
        explained="A study holds, or would hold, differing patients."
        cases={cases.filter(({ code }) => code === 'IdentityConflict')}
        decided={decided}
      />
      <Cases
        title="Which content is right?"
        explained="Another content came under the SOP Instance UID of a stored instance."
        cases={cases.filter(({ code }) => code === 'InstanceConflict')}
        decided={decided}
      />
      {isLoading && <Busy />}
      {state.value === 'there' && cases.length === 0 && (
        <Empty>
          {next === undefined
            ? 'Nothing waits for a decision.'
            : `Nothing waits for a decision in the last ${plural(looked, 'ingest')}.`}
        </Empty>
      )}
      {!isLoading && state.value !== 'there' && (
        <Problem message={state.value} again={() => void load(goingOnFrom.current)} />
      )}
      {next !== undefined && !isLoading && (
        <p class="row">
          <span class="dim">Looked at the last {plural(looked, 'ingest')}</span>
          <button type="button" onClick={() => void load(found.value)}>
            Look at older ones
          </button>
        </p>
      )}
    </>
  );
}

function Cases(props: {
  readonly title: string;
  readonly explained: string;
  readonly cases: readonly HeldCase[];
  readonly decided: (says: string) => void;
}) {
  const { title, explained, cases, decided } = props;
  if (cases.length === 0) return null;
  return (
    <section aria-label={title}>
      <h2>
        {title} <span class="dim">{explained}</span>
      </h2>
      {cases.map((which) => (
        <Case key={keyOf(which)} which={which} decided={decided} />
      ))}
    </section>
  );
}

function Case({ which, decided }: { readonly which: HeldCase; readonly decided: (says: string) => void }) {
  const { code, studyInstanceUID, series, objects, isMore, since, executions } = which;
  const isOpen = useSignal(false);
  const isPatients = code === 'IdentityConflict';
  return (
    <article class="card">
      <header class="row">
        <span>
          <span class="badge warn">
            {isMore && 'at least '}
            {count(objects)}
          </span>{' '}
          {isPatients ? 'study' : 'series'}{' '}
          <span class="uid">{isPatients ? studyInstanceUID : series[0]}</span>
        </span>
        <span class="dim">for {age(since, now.value)}</span>
      </header>
      <p class="dim">
        {isPatients && `${plural(series.length, 'series', 'series')} · `}from{' '}
        {executions.map(({ executionId, upload, objects: ours }, index) => (
          <span key={executionId}>
            {index > 0 && ', '}
            <a href={linkTo('ingests', executionId, code)}>{upload}</a> ({count(ours)})
          </span>
        ))}
      </p>
      {!isOpen.value && (
        <p>
          <button type="button" onClick={() => (isOpen.value = true)}>
            Look and decide…
          </button>
        </p>
      )}
      {isOpen.value &&
        (isPatients ? (
          <HeldPatients which={which} decided={decided} />
        ) : (
          <HeldInstances which={which} decided={decided} />
        ))}
    </article>
  );
}
