/** The metadata document as a list of paths and values, found by any part of either. */
import { useSignal } from '@preact/signals';
import { count } from '../format.ts';
import { Empty } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import type { MetadataDocument } from './document.ts';
import { linesOf } from './metadata-lines.ts';

/** Only so many rows are drawn; the search looks at all. */
const DRAWN = 200;

export function MetadataTree({ document }: { readonly document: MetadataDocument }) {
  const isOpen = useSignal(false);
  return (
    <details
      class="group"
      onToggle={(event) => {
        isOpen.value = event.currentTarget.open;
      }}
    >
      <summary>
        <strong>Metadata</strong> <span class="dim">patient, study, series and instances, with search</span>
      </summary>
      {isOpen.value && <Lines document={document} />}
    </details>
  );
}

function Lines({ document }: { readonly document: MetadataDocument }) {
  const text = useSignal('');
  const lines = linesOf(document);
  const wanted = text.value.toLowerCase();
  const found = lines.filter(
    ({ level, path, value }) => wanted === '' || `${level} ${path} ${value}`.toLowerCase().includes(wanted),
  );
  return (
    <>
      <p>
        <label>
          Find a keyword or a value{' '}
          <input
            type="search"
            spellcheck={false}
            onInput={(event) => {
              text.value = event.currentTarget.value;
            }}
          />
        </label>
      </p>
      {found.length === 0 ? (
        <Empty>Nothing is like that.</Empty>
      ) : (
        <Table label="Metadata" heads={['Level', 'Keyword', 'Value']}>
          {found.slice(0, DRAWN).map((line, index) => (
            <tr key={index}>
              <td>{line.level}</td>
              <th scope="row">{line.path}</th>
              <td class="long">{line.value.length > 300 ? `${line.value.slice(0, 300)}…` : line.value}</td>
            </tr>
          ))}
        </Table>
      )}
      {found.length > DRAWN && (
        <p class="dim">{count(found.length - DRAWN)} more: search to narrow them down.</p>
      )}
    </>
  );
}
