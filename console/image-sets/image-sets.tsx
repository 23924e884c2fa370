/** Search as SearchImageSets has it; what may name a patient is sent in a body. */
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { ImageSetPage, ImageSetSummary } from '../../shared/console/api.ts';
import { clock, count } from '../format.ts';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';
import { Thumbnail } from '../viewer/thumbnail.tsx';

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
      const page = await post<ImageSetPage>('image-sets/search', body, signal);
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
      {state.value === 'there' && sets.value.length === 0 && <Empty>No image set is like that.</Empty>}
      {!['loading', 'there'].includes(state.value) && (
        <Problem message={state.value} again={() => void load(undefined)} />
      )}
      <p class="row">
        <span class="dim">{count(sets.value.length)} image sets shown</span>
        {next.value !== undefined && state.value === 'there' && (
          <button type="button" onClick={() => void load(next.value)}>
            More
          </button>
        )}
      </p>
    </>
  );
}

/** Image sets under their study, in the order in which they came. */
function Studies({ sets }: { readonly sets: readonly ImageSetSummary[] }) {
  const studies = new Map<string, ImageSetSummary[]>();
  for (const set of sets) {
    const uid = String(set.DICOMTags.DICOMStudyInstanceUID ?? '');
    studies.set(uid, [...(studies.get(uid) ?? []), set]);
  }
  return (
    <div class="studies">
      {[...studies].map(([uid, members]) => (
        <section key={uid} class="card" aria-label={`Study ${uid}`}>
          <h2 class="study">
            {String(members[0]?.DICOMTags.DICOMStudyDescription ?? 'Study')} <span class="uid">{uid}</span>
          </h2>
          <ul class="sets">
            {members.map((set) => (
              <li key={set.imageSetId}>
                <a href={linkTo('image-sets', set.imageSetId)}>
                  <Thumbnail imageSetId={set.imageSetId} />
                  <span>
                    <strong>{String(set.DICOMTags.DICOMSeriesModality ?? '?')}</strong>{' '}
                    {String(set.DICOMTags.DICOMSeriesDescription ?? '')}
                  </span>
                </a>
                <span class="dim">
                  version {set.version}
                  {set.isPrimary === false && ', not primary'}
                </span>
                <span class="dim">{clock(new Date(set.updatedAt * 1000).toISOString())}</span>
              </li>
            ))}
          </ul>
        </section>
      ))}
    </div>
  );
}
