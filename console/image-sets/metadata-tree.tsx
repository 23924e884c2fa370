/** The metadata document as a list of paths and values, found by any part of either. */
import { useSignal } from '@preact/signals';
import { count } from '../format.ts';
import { Empty } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import type { DicomValue, MetadataDocument } from './document.ts';

/** Only so many rows are drawn; the search looks at all. */
const DRAWN = 200;
/** Of a document with thousands of instances, so many values are flattened. */
const LOOKED_AT = 200_000;

interface Line {
  readonly level: string;
  readonly path: string;
  readonly value: string;
}

/** Pure. */
export function linesOf(document: MetadataDocument): Line[] {
  const lines: Line[] = [];
  const walk = (level: string, path: string, value: DicomValue) => {
    if (lines.length >= LOOKED_AT) return;
    if (Array.isArray(value) && value.some((one: DicomValue) => typeof one === 'object' && one !== null))
      for (const [index, one] of (value as readonly DicomValue[]).entries())
        walk(level, `${path}[${index}]`, one);
    else if (typeof value === 'object' && value !== null && !Array.isArray(value))
      for (const [key, one] of Object.entries(value)) walk(level, path === '' ? key : `${path}.${key}`, one);
    else
      lines.push({
        level,
        path,
        value: Array.isArray(value) ? value.join(' \\ ') : value === null ? '' : String(value),
      });
  };
  walk('Patient', '', document.Patient.DICOM);
  walk('Study', '', document.Study.DICOM);
  for (const series of Object.values(document.Study.Series)) {
    walk('Series', '', series.DICOM);
    for (const instance of Object.values(series.Instances))
      walk(`Instance ${String(instance.DICOM.InstanceNumber ?? '')}`.trim(), '', instance.DICOM);
  }
  return lines;
}

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
