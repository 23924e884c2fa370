/** Versions of an image set, and what the one shown changed against the one before it. */
import { useSignal } from '@preact/signals';
import { clock } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { Empty, Loaded, Problem, useLoaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { get } from '../server.ts';
import type { MetadataDocument } from './document.ts';
import { type Change, changesBetween } from './metadata-lines.ts';

interface Version {
  readonly versionId: string;
  readonly imageSetState: string;
  readonly imageSetWorkflowStatus?: string;
  readonly createdAt: number;
  readonly message?: string;
}

export function Versions(props: {
  readonly imageSetId: string;
  /** Empty: the latest. */
  readonly shown: string;
  readonly show: (version: string) => void;
}) {
  const { imageSetId, shown, show } = props;
  const { loading, again } = useLoaded(imageSetId, (signal) =>
    get<{ imageSetPropertiesList: readonly Version[] }>(`image-sets/${imageSetId}/versions`, signal),
  );
  return (
    <details class="group">
      <summary>
        <strong>Versions</strong> <span class="dim">what changed, and when</span>
      </summary>
      <Loaded of={loading.value} again={again}>
        {({ imageSetPropertiesList: versions }) => (
          <Table label="Versions" heads={['Version', 'State', 'Step', 'When', '']} numbers={[0]}>
            {versions.map((version, index) => (
              <tr key={version.versionId}>
                <th scope="row" class="number">
                  {version.versionId}
                </th>
                <td>
                  <Badge of={version.imageSetState} />
                </td>
                <td>{version.imageSetWorkflowStatus ?? ''}</td>
                <td>{clock(new Date(version.createdAt * 1000).toISOString())}</td>
                <td>
                  <span class="buttons">
                    <button
                      type="button"
                      aria-pressed={shown === version.versionId || (shown === '' && index === 0)}
                      onClick={() => show(version.versionId)}
                    >
                      Show
                    </button>
                    {versions[index + 1] && (
                      <Changes
                        imageSetId={imageSetId}
                        before={versions[index + 1]?.versionId ?? ''}
                        after={version.versionId}
                      />
                    )}
                  </span>
                </td>
              </tr>
            ))}
          </Table>
        )}
      </Loaded>
    </details>
  );
}

function Changes(props: { readonly imageSetId: string; readonly before: string; readonly after: string }) {
  const { imageSetId, before, after } = props;
  const changes = useSignal<readonly Change[] | undefined>(undefined);
  const problem = useSignal('');
  const compare = async () => {
    problem.value = '';
    try {
      const [old, fresh] = await Promise.all(
        [before, after].map((version) =>
          get<MetadataDocument>(`image-sets/${imageSetId}/metadata?version=${version}`),
        ),
      );
      if (old && fresh) changes.value = changesBetween(old, fresh);
    } catch (error) {
      problem.value = (error as Error).message;
    }
  };
  if (problem.value !== '') return <Problem message={problem.value} again={() => void compare()} />;
  if (changes.value === undefined)
    return (
      <button type="button" onClick={() => void compare()}>
        Compare with {before}
      </button>
    );
  if (changes.value.length === 0) return <Empty>No metadata changed.</Empty>;
  return (
    <ul class="changes">
      {changes.value.slice(0, 100).map((change) => (
        <li key={`${change.path} ${change.before} ${change.after}`}>
          <code>{change.path}</code>: {change.before !== '' && <del>{change.before}</del>}{' '}
          {change.after !== '' && <ins>{change.after}</ins>}
        </li>
      ))}
    </ul>
  );
}
