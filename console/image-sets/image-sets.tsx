/** Search as SearchImageSets has it; what may name a patient is sent in a body. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ImageSetPage, ImageSetSummary } from '../../shared/console/api.ts';
import { count, plural } from '../format.ts';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';
import { studiesOf } from './studies.ts';
import { StudyCard } from './study-card.tsx';

const FIELDS = [
  ['studyInstanceUID', 'Study UID'],
  ['seriesInstanceUID', 'Series UID'],
  ['sopInstanceUID', 'Instance UID'],
  ['patientId', 'Patient ID'],
  ['accessionNumber', 'Accession number'],
] as const;

export function ImageSetsPanel() {
  const query = useSignal<Record<string, string>>({});
  const sets = useSignal<readonly ImageSetSummary[]>([]);
  const next = useSignal<string | undefined>(undefined);
  const state = useSignal('loading');
  const load = async (from: string | undefined, signal?: AbortSignal) => {
    state.value = 'loading';
    try {
      const body = { ...query.peek(), ...(from === undefined ? {} : { next: from }) };
      const page = await post<ImageSetPage>('image-sets/search', body, { signal });
      sets.value = from === undefined ? page.imageSets : [...sets.peek(), ...page.imageSets];
      next.value = page.next;
      state.value = 'there';
    } catch (error) {
      if (!signal?.aborted) state.value = (error as Error).message;
    }
  };
  useEffect(() => {
    const abort = new AbortController();
    void load(undefined, abort.signal);
    return () => abort.abort();
  }, [query.value]);
  const submit = (event: Event) => {
    event.preventDefault();
    const data = new FormData(event.currentTarget as HTMLFormElement);
    query.value = Object.fromEntries(
      FIELDS.map(([name]) => [name, String(data.get(name) ?? '').trim()]).filter(([, value]) => value !== ''),
    );
  };
  return (
    <>
      <h1>Image sets</h1>
      <form
        class="search"
        autocomplete="off"
        onSubmit={submit}
        onReset={() => {
          query.value = {};
        }}
      >
        {FIELDS.map(([name, label]) => (
          <label key={name}>
            {label}
            <input name={name} type="search" spellcheck={false} />
          </label>
        ))}
        <span class="buttons">
          <button type="submit" class="main">
            Search
          </button>
          <button type="reset">Clear</button>
        </span>
      </form>
      <Studies sets={sets.value} />
      {state.value === 'loading' && <Busy />}
      {state.value === 'there' && sets.value.length === 0 && (
        <Empty>
          {Object.keys(query.value).length > 0 ? (
            'No image set is like that.'
          ) : (
            <>
              There is no image set yet. <a href={linkTo('upload')}>Upload files</a>
            </>
          )}
        </Empty>
      )}
      {!['loading', 'there'].includes(state.value) && (
        <Problem message={state.value} again={() => void load(undefined)} />
      )}
      <p class="row">
        <span class="dim">{plural(sets.value.length, 'image set')} shown</span>
        {next.value !== undefined && state.value === 'there' && (
          <button type="button" onClick={() => void load(next.value)}>
            More
          </button>
        )}
      </p>
    </>
  );
}

/** Patients are shown from a click on until the panel is left: nothing keeps it. */
function Studies({ sets }: { readonly sets: readonly ImageSetSummary[] }) {
  const isPatientShown = useSignal(false);
  const isFiltered = useSignal(false);
  const studies = studiesOf(sets);
  const withVariants = studies.flatMap((study) => {
    const series = study.series.filter(({ hasVariants }) => hasVariants);
    return series.length === 0 ? [] : [{ ...study, series }];
  });
  if (sets.length === 0) return null;
  return (
    <>
      <p class="row study-choices">
        <label>
          <input
            type="checkbox"
            checked={isFiltered.value}
            onChange={(event) => {
              isFiltered.value = event.currentTarget.checked;
            }}
          />{' '}
          Only with variants ({count(withVariants.length)} of {plural(studies.length, 'study', 'studies')})
        </label>
        <button
          type="button"
          aria-pressed={isPatientShown.value}
          onClick={() => {
            isPatientShown.value = !isPatientShown.value;
          }}
        >
          Show patients
        </button>
      </p>
      {isFiltered.value && withVariants.length === 0 && <Empty>None of those shown has variants.</Empty>}
      <div class="studies">
        {(isFiltered.value ? withVariants : studies).map((study) => (
          <StudyCard key={study.studyInstanceUID} study={study} isPatientShown={isPatientShown.value} />
        ))}
      </div>
    </>
  );
}
