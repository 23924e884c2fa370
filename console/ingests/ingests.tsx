/** Past ingests: filtered by outcome and code, searched by upload, UID, patient or accession number. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ExecutionPage, Summary } from '../../local/console/api.ts';
import { OUTCOMES } from '../../shared/ingest/outcomes.ts';
import { count } from '../format.ts';
import { SummaryTable } from '../now/now.tsx';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { post } from '../server.ts';

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
  readonly text: string;
  readonly outcome: string;
  readonly code: string;
  readonly patientId: string;
  readonly accessionNumber: string;
}

const EVERYTHING: Query = { text: '', outcome: '', code: '', patientId: '', accessionNumber: '' };

interface Found {
  readonly executions: readonly Summary[];
  readonly looked: number;
  readonly next?: string;
}

export function IngestsPanel() {
  const query = useSignal(EVERYTHING);
  const found = useSignal<Found>({ executions: [], looked: 0 });
  const state = useSignal<'loading' | 'there' | string>('loading');
  const load = async (from: Found, signal?: AbortSignal) => {
    state.value = 'loading';
    try {
      const body = { ...query.peek(), ...(from.next === undefined ? {} : { next: from.next }) };
      const { executions, looked, next } = await post<ExecutionPage>('executions/search', body, signal);
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

function Search({ onQuery }: { readonly onQuery: (query: Query) => void }) {
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    const of = (name: string) => String(data.get(name) ?? '').trim();
    onQuery({
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
        Outcome
        <select name="outcome" onChange={(event) => event.currentTarget.form?.requestSubmit()}>
          {OUTCOME_CHOICES.map(([value, text]) => (
            <option key={value} value={value}>
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
