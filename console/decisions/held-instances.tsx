/** Instances of a series that came with another content: in what it differs from the stored one, and which is to stand. */
import { useSignal } from '@preact/signals';
import type { HeldCase, HeldConflict, HeldInstance } from '../../shared/console/api.ts';
import { count, plural } from '../format.ts';
import { Loaded, useLoaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { post } from '../server.ts';
import { DecisionForm } from './decision-form.tsx';
import { Keywords } from './keywords.tsx';
import { LeaveOut } from './leave-out.tsx';

/** Listed at once; the rest on demand. */
const SHOWN = 20;

export function HeldInstances(props: { readonly which: HeldCase; readonly decided: (says: string) => void }) {
  const { which } = props;
  const { instances = [], series } = which;
  const shown = useSignal(SHOWN);
  const compared = useSignal('');
  const choice = useSignal<readonly HeldInstance[] | 'leave-out' | undefined>(undefined);
  const cancel = () => {
    choice.value = undefined;
  };
  const decided = (says: string) => {
    cancel();
    props.decided(says);
  };
  const wanted = choice.value;
  return (
    <div class="resolve">
      <ul class="listed-instances" aria-label="Instances">
        {instances.slice(0, shown.value).map((one) => (
          <li key={one.sop}>
            <p class="row">
              <span class="uid">{one.sop}</span>
              <span class="buttons">
                <button
                  type="button"
                  aria-expanded={compared.value === one.sop}
                  onClick={() => (compared.value = compared.peek() === one.sop ? '' : one.sop)}
                >
                  Compare
                </button>
                {instances.length > 1 && (
                  <button type="button" onClick={() => (choice.value = [one])}>
                    Replace…
                  </button>
                )}
              </span>
            </p>
            {compared.value === one.sop && (
              <Comparison key={one.object} series={series[0] ?? ''} instance={one} />
            )}
          </li>
        ))}
      </ul>
      {instances.length > shown.value && (
        <button type="button" onClick={() => (shown.value += 5 * SHOWN)}>
          {count(instances.length - shown.value)} more
        </button>
      )}
      {wanted === undefined && (
        <p class="buttons">
          <button type="button" onClick={() => (choice.value = instances)}>
            {instances.length > 1
              ? `Replace all ${count(instances.length)} stored ones…`
              : 'Replace the stored one…'}
          </button>
          <button type="button" onClick={() => (choice.value = 'leave-out')}>
            Leave out…
          </button>
        </p>
      )}
      {wanted === 'leave-out' && <LeaveOut which={which} decided={decided} cancel={cancel} />}
      {wanted !== undefined && wanted !== 'leave-out' && (
        <DecisionForm
          key={wanted.map(({ object }) => object).join()}
          body={{ action: 'replace', series: series[0], instances: wanted }}
          name="Replace"
          decided={decided}
          cancel={cancel}
        >
          the refused content of {plural(wanted.length, 'instance')} that is listed here goes back into the
          inbox. Once the next ingest has stored and proven it, the content that is stored now gives way.
        </DecisionForm>
      )}
    </div>
  );
}

function Comparison({ series, instance }: { readonly series: string; readonly instance: HeldInstance }) {
  const withValues = useSignal(false);
  const { loading, again } = useLoaded(`${instance.object} ${withValues.value}`, (signal) =>
    post<HeldConflict>('held/conflict', { series, ...instance, withValues: withValues.peek() }, { signal }),
  );
  return (
    <Loaded of={loading.value} again={again}>
      {({ imageSetId, differences }) => (
        <div class="comparison">
          {differences.length === 0 ? (
            <p>All elements agree: the pixels differ, or elements that a metadata document does not hold.</p>
          ) : withValues.value ? (
            <Table label="What differs" heads={['Keyword', 'Stored', 'Refused']}>
              {differences.map(({ keyword, stored, refused }) => (
                <tr key={keyword}>
                  <th scope="row">{keyword}</th>
                  <td>{stored || '(empty)'}</td>
                  <td>{refused || '(empty)'}</td>
                </tr>
              ))}
            </Table>
          ) : (
            <Keywords keywords={differences.map(({ keyword }) => keyword)} />
          )}
          <p class="row">
            {differences.length > 0 && (
              <button type="button" onClick={() => (withValues.value = !withValues.peek())}>
                {withValues.value ? 'Hide the values' : 'Show the values'}
              </button>
            )}
            {imageSetId === undefined ? (
              <span class="dim">No image set holds the instance any more.</span>
            ) : (
              <a href={linkTo('image-sets', imageSetId)}>The stored image set</a>
            )}
          </p>
        </div>
      )}
    </Loaded>
  );
}
