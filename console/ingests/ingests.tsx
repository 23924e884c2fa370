/** Past ingests: filtered by outcome and code, searched by upload, UID, patient or accession number. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ExecutionPage, Summary } from '../../shared/console/api.ts';
import { OUTCOMES } from '../../shared/ingest/outcomes.ts';
import { count } from '../format.ts';
import { SummaryTable } from '../now/now.tsx';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { post } from '../server.ts';
import { TIMES, timesOf } from './times.ts';

const OUTCOME_CHOICES = [
  ['', 'any outcome'],
  ['Ingested', 'all ingested'],
  ['PartlyIngested', 'partly ingested'],
  ['NothingIngested', 'nothing ingested'],
  ['Failed', 'execution failed'],
  ['Coalesced', 'coalesced'],
  ['rejected', 'with rejected objects'],
  ['failed', 'with failed objects'],
  ['duplicate', 'with duplicates'],
] as const;

const CODES = Object.entries(OUTCOMES)
  .filter(([, { kind }]) => kind !== 'note')
  .map(([code]) => code)
  .sort();

interface Query {
  readonly when: string;
  readonly text: string;
  readonly outcome: string;
  readonly code: string;
  readonly patientId: string;
  readonly accessionNumber: string;
}

const EVERYTHING: Query = { when: '', text: '', outcome: '', code: '', patientId: '', accessionNumber: '' };

interface Found {
  readonly executions: readonly Summary[];
  readonly looked: number;
  readonly next?: string;
}

/** `outcome` and `when`: what another panel's link wants to see. */
export function IngestsPanel({
  outcome = '',
  when = '',
}: {
  readonly outcome?: string | undefined;
  readonly when?: string | undefined;
}) {
  const query = useSignal<Query>(outcome + when === '' ? EVERYTHING : { ...EVERYTHING, outcome, when });
  const found = useSignal<Found>({ executions: [], looked: 0 });
  const state = useSignal<'loading' | 'there' | string>('loading');
  const load = async (from: Found, signal?: AbortSignal) => {
    state.value = 'loading';
    try {
      const { when: time, ...wanted } = query.peek();
      const body = {
        ...wanted,
        ...timesOf(time, Date.now()),
        ...(from.next === undefined ? {} : { next: from.next }),
      };
      const { executions, looked, next } = await post<ExecutionPage>('executions/search', body, { signal });
      found.value = {
        executions: [...from.executions, ...executions],
        looked: from.looked + looked,
        ...(next === undefined ? {} : { next }),
      };
      state.value = 'there';
    } catch (error) {
      if (!signal?.aborted) state.value = (error as Error).message;
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void load({ executions: [], looked: 0 }, abort.signal);
    return () => abort.abort();
  }, [query.value]);
  const isLoading = state.value === 'loading';
  return (
    <>
      <h1>Ingests</h1>
      <Search
        first={query.peek()}
        onQuery={(next) => {
          query.value = next;
        }}
      />
      {found.value.executions.length > 0 && (
        <SummaryTable label="Ingests" summaries={found.value.executions} />
      )}
      {isLoading && <Busy />}
      {state.value === 'there' && found.value.executions.length === 0 && (
        <Empty>{query.value === EVERYTHING ? 'Nothing was ingested yet.' : 'No ingest is like that.'}</Empty>
      )}
      {!isLoading && state.value !== 'there' && (
        <Problem message={state.value} again={() => void load({ executions: [], looked: 0 })} />
      )}
      <p class="row">
        <span class="dim">
          {count(found.value.executions.length)} shown of {count(found.value.looked)} looked at
        </span>
        {found.value.next !== undefined && !isLoading && (
          <button type="button" onClick={() => void load(found.value)}>
            Older ones
          </button>
        )}
      </p>
    </>
  );
}

function Search({ first, onQuery }: { readonly first: Query; readonly onQuery: (query: Query) => void }) {
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const of = (name: string) => String(data.get(name) ?? '').trim();
    onQuery({
      when: of('when'),
      text: of('text'),
      outcome: of('outcome'),
      code: of('code'),
      patientId: of('patientId'),
      accessionNumber: of('accessionNumber'),
    });
  };
  return (
    <form class="search" onSubmit={submit} onReset={() => onQuery(EVERYTHING)} autocomplete="off">
      <label class="wide">
        Upload, execution, study, series, instance UID or image set
        <input name="text" type="search" spellcheck={false} />
      </label>
      <label>
        When
        <select name="when" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
          {[['', 'any time'] as const, ...TIMES].map(([value, text]) => (
            <option key={value} value={value} selected={value === first.when}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        Outcome
        <select name="outcome" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
          {OUTCOME_CHOICES.map(([value, text]) => (
            <option key={value} value={value} selected={value === first.outcome}>
              {text}
            </option>
          ))}
        </select>
      </label>
      <label>
        Code
        <select name="code" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
          <option value="">any code</option>
          {CODES.map((code) => (
            <option key={code}>{code}</option>
          ))}
        </select>
      </label>
      <label>
        Patient ID
        <input name="patientId" type="search" spellcheck={false} />
      </label>
      <label>
        Accession number
        <input name="accessionNumber" type="search" spellcheck={false} />
      </label>
      <span class="buttons">
        <button type="submit" class="main">
          Search
        </button>
        <button type="reset">Clear</button>
      </span>
    </form>
  );
}
