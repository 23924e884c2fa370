/** Series in several image sets: what differs, by keyword; the values only when somebody asks to see them. */
import { useSignal } from '@preact/signals';
import type { Report } from '../../shared/console/api.ts';
import { Keywords } from '../decisions/keywords.tsx';
import { Resolve } from '../decisions/resolve.tsx';
import { plural } from '../format.ts';
import { findValues, type MetadataDocument } from '../image-sets/document.ts';
import { Badge } from '../parts/badge.tsx';
import { Problem } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { get } from '../server.ts';
import { Thumbnail } from '../viewer/thumbnail.tsx';

type Merge = Report['merges'][number];

export function Variants({ report }: { readonly report: Report }) {
  if (report.merges.length === 0) return null;
  return (
    <section aria-labelledby="variants">
      <h2 id="variants">Variants</h2>
      {report.merges.map((merge) => (
        <Variant key={merge.seriesInstanceUID} merge={merge} />
      ))}
    </section>
  );
}

function Variant({ merge }: { readonly merge: Merge }) {
  const ids = [merge.destination, ...merge.sources].filter(Boolean);
  const isOpen = merge.outcome !== 'merged';
  return (
    <article class="card">
      <header class="row">
        <span>
          <Badge of={merge.outcome} /> series <span class="uid">{merge.seriesInstanceUID}</span>
        </span>
        <span class="dim">{plural(merge.instances, 'instance')}</span>
      </header>
      {merge.reason && <p>{merge.reason}</p>}
      <Keywords keywords={merge.keywords} />
      <ul class="sets">
        {ids.map((id, index) => (
          <li key={id}>
            {(isOpen || index === 0) && <Thumbnail imageSetId={id} />}
            <a href={linkTo('image-sets', id)}>
              <code>{id.slice(0, 12)}…</code>
            </a>
            <span class="dim">
              {index === 0 ? 'destination' : isOpen ? 'other variant' : 'merged into it'}
            </span>
          </li>
        ))}
      </ul>
      {isOpen && ids.length > 1 && merge.keywords.length > 0 && (
        <Values ids={ids} keywords={merge.keywords} />
      )}
      <Decide series={merge.seriesInstanceUID} isOpen={isOpen} />
    </article>
  );
}

/** Asked for when somebody wants to decide: looking at a report costs nothing of it. */
function Decide({ series, isOpen }: { readonly series: string; readonly isOpen: boolean }) {
  const isWanted = useSignal(false);
  if (isWanted.value) return <Resolve series={series} />;
  return (
    <p>
      <button
        type="button"
        onClick={() => {
          isWanted.value = true;
        }}
      >
        {isOpen ? 'Resolve…' : 'Undo or change…'}
      </button>
    </p>
  );
}

function Values({
  ids,
  keywords,
}: {
  readonly ids: readonly string[];
  readonly keywords: readonly string[];
}) {
  const documents = useSignal<readonly MetadataDocument[] | undefined>(undefined);
  const problem = useSignal('');
  const show = async () => {
    problem.value = '';
    try {
      documents.value = await Promise.all(
        ids.map((id) => get<MetadataDocument>(`image-sets/${id}/metadata`)),
      );
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  if (problem.value !== '') return <Problem message={problem.value} again={() => void show()} />;
  if (documents.value === undefined)
    return (
      <p class="row">
        <button type="button" onClick={() => void show()}>
          Show the values
        </button>
        <span class="dim">They may identify a patient; they are shown here only, and not kept.</span>
      </p>
    );
  const shown = documents.value;
  return (
    <>
      <Table label="What differs" heads={['Keyword', ...ids.map((id) => `${id.slice(0, 12)}…`)]}>
        {keywords.map((keyword) => (
          <tr key={keyword}>
            <th scope="row">{keyword}</th>
            {shown.map((document, index) => (
              <td key={ids[index]}>{findValues(document, keyword).join(' | ') || '(empty)'}</td>
            ))}
          </tr>
        ))}
      </Table>
      <button
        type="button"
        onClick={() => {
          documents.value = undefined;
        }}
      >
        Hide the values
      </button>
    </>
  );
}
