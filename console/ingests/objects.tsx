/** Objects of one ingest, any number of them: rows are drawn and asked for as they come into view. */
import { useSignal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { ObjectLine } from '../../shared/console/api.ts';
import { bytes, count, plural } from '../format.ts';
import { Advice } from '../parts/advice.tsx';
import { Busy, Empty, Problem } from '../parts/loaded.tsx';
import { LongTable } from '../parts/long-table.tsx';
import { linkTo } from '../route.ts';
import { makeObjectPages } from './object-pages.ts';

export function Objects(props: {
  readonly executionId: string;
  readonly outcome: string;
  readonly code: string;
  readonly total: number;
}) {
  const { executionId, outcome, code, total } = props;
  const pages = useMemo(() => makeObjectPages({ executionId, outcome, code }, total), []);
  useEffect(() => pages.close, []);
  const chosen = useSignal<ObjectLine | undefined>(undefined);
  const searched = useSignal('');
  const source = pages.source.value;
  const state = pages.state.value;
  const hasSets = outcome !== 'rejected';
  const row = (index: number) => {
    const line = source.at(index);
    return (
      line && (
        <Cells line={line} hasSets={hasSets} chosen={chosen.value} choose={() => (chosen.value = line)} />
      )
    );
  };
  const find = (text: string) => {
    searched.value = text.trim();
    chosen.value = undefined;
    pages.search(text);
  };
  return (
    <div class="objects">
      <form
        class="find"
        onSubmit={(event) => {
          event.preventDefault();
          find(String(new FormData(event.currentTarget).get('text') ?? ''));
        }}
      >
        <label>
          Find in keys, UIDs, reasons{' '}
          <input
            type="search"
            name="text"
            spellcheck={false}
            autocomplete="off"
            // The cross in the field empties it.
            onInput={(event) => event.currentTarget.value === '' && find('')}
          />
        </label>
        <button type="submit">Find</button>
        <span class="dim" role="status">
          {searched.value !== '' && state === 'there' && `${plural(source.total, 'object')} found`}
        </span>
      </form>
      {source.total > 0 && (
        <LongTable
          label={`Objects: ${outcome} ${code}`}
          heads={hasSets ? ['Object', 'Size', 'Why', 'Image set'] : ['Object', 'Size', 'Why']}
          numbers={[1]}
          total={source.total}
          onView={pages.see}
          row={row}
        />
      )}
      {state === 'loading' && <Busy />}
      {state === 'there' && source.total === 0 && <Empty>No such object.</Empty>}
      {state !== 'loading' && state !== 'there' && (
        <Problem message={state} again={() => find(searched.value)} />
      )}
      {state === 'there' && source.isMore && (
        <button type="button" onClick={pages.more}>
          Search on
        </button>
      )}
      {chosen.value && <OneObject line={chosen.value} close={() => (chosen.value = undefined)} />}
    </div>
  );
}

const reasonsOf = (line: ObjectLine): string =>
  [line.message, ...(line.warnings ?? []).map((one) => `${one.code}: ${one.message}`)]
    .filter(Boolean)
    .join(' · ');

const proofOf = ({ proof, frames, framesVerified }: ObjectLine): string =>
  proof === undefined || frames === undefined || frames === 0
    ? ''
    : `${count(framesVerified ?? 0)}/${count(frames)} frames proven (${proof})`;

const pathOf = ({ key }: ObjectLine): string => key.slice(key.indexOf('/') + 1);

function Cells(props: {
  readonly line: ObjectLine;
  readonly hasSets: boolean;
  readonly chosen: ObjectLine | undefined;
  readonly choose: () => void;
}) {
  const { line, hasSets, chosen, choose } = props;
  return (
    <>
      <th scope="row" class="key">
        <button type="button" class="plain clamp" aria-pressed={chosen?.key === line.key} onClick={choose}>
          {pathOf(line)}
        </button>
      </th>
      <td class="number">{bytes(line.sizeBytes)}</td>
      <td class="why">
        <div class="clamp">{[reasonsOf(line), proofOf(line)].filter(Boolean).join(' · ')}</div>
      </td>
      {hasSets && (
        <td>
          {line.imageSetId && (
            <a href={linkTo('image-sets', line.imageSetId)}>{line.imageSetId.slice(0, 8)}…</a>
          )}
        </td>
      )}
    </>
  );
}

/** Everything that the report says of an object. */
function OneObject({ line, close }: { readonly line: ObjectLine; readonly close: () => void }) {
  const facts = [
    ['Key', line.key],
    ['Why', reasonsOf(line)],
    ['What to do', line.advice && <Advice text={line.advice} />],
    ['Proof', proofOf(line) || line.proof],
    ['Study', line.studyInstanceUID],
    ['Series', line.seriesInstanceUID],
    ['Instance', line.sopInstanceUID],
    ['Transfer syntax', line.transferSyntaxUID],
    ['Size', `${count(line.sizeBytes)} bytes`],
    ['SHA-256', line.sha256],
  ].filter(([, value]) => value);
  return (
    <section class="one-object" aria-label="Chosen object">
      <dl>
        {facts.map(([name, value]) => (
          <div key={String(name)}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
        {line.imageSetId && (
          <div>
            <dt>Image set</dt>
            <dd>
              <a href={linkTo('image-sets', line.imageSetId)}>{line.imageSetId}</a>
            </dd>
          </div>
        )}
      </dl>
      <button type="button" onClick={close}>
        Close
      </button>
    </section>
  );
}
