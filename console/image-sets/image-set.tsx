/** One image set: its frames, its instances, its metadata with search, its versions and what changed between them. */
import { useSignal } from '@preact/signals';
import { clock, count, plural } from '../format.ts';
import { Badge } from '../parts/badge.tsx';
import { DownloadButton } from '../parts/download-button.tsx';
import { Empty, Loaded, type Loading, useLoaded } from '../parts/loaded.tsx';
import { Table } from '../parts/table.tsx';
import { linkTo } from '../route.ts';
import { get } from '../server.ts';
import { Viewer } from '../viewer/viewer.tsx';
import { type Attributes, framesOf, keptWhole, type MetadataDocument, numberOf, textOf } from './document.ts';
import { MetadataTree } from './metadata-tree.tsx';
import { Versions } from './versions.tsx';

interface ImageSetProperties {
  readonly imageSetId: string;
  readonly versionId: string;
  readonly imageSetState: string;
  readonly imageSetWorkflowStatus?: string;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly isPrimary?: boolean;
}

export function ImageSetPanel({ imageSetId }: { readonly imageSetId: string }) {
  const path = `image-sets/${encodeURIComponent(imageSetId)}`;
  const version = useSignal('');
  const properties = useLoaded(imageSetId, (signal) => get<ImageSetProperties>(path, signal));
  const { loading, again } = useLoaded(`${imageSetId} ${version.value}`, (signal) =>
    get<MetadataDocument>(
      `${path}/metadata${version.value === '' ? '' : `?version=${version.value}`}`,
      signal,
    ),
  );
  if (isUnknown(properties.loading.value) || (version.value === '' && isUnknown(loading.value)))
    return <Gone imageSetId={imageSetId} />;
  return (
    <>
      <header class="heading">
        <p class="crumbs">
          <a href={linkTo('image-sets')}>Image sets</a>
        </p>
        <h1>
          Image set <code class="title-id">{imageSetId}</code>
        </h1>
        <Loaded of={properties.loading.value} again={properties.again}>
          {(set) => (
            <p class="dim">
              <Badge of={set.imageSetState} /> version {set.versionId}
              {set.isPrimary !== undefined && (set.isPrimary ? ', primary' : ', not primary')} · made{' '}
              {clock(new Date(set.createdAt * 1000).toISOString())}
            </p>
          )}
        </Loaded>
      </header>
      <Loaded of={loading.value} again={again}>
        {(document) => <Parts imageSetId={imageSetId} document={document} />}
      </Loaded>
      <Versions
        imageSetId={imageSetId}
        shown={version.value}
        show={(wanted) => {
          version.value = wanted;
        }}
      />
    </>
  );
}

/** Not there, or no image set's ID at all: asking again would not help. */
const isUnknown = (of: Loading<unknown>): boolean =>
  of.state === 'problem' && (of.status === 404 || of.status === 400);

function Gone({ imageSetId }: { readonly imageSetId: string }) {
  return (
    <>
      <h1>Image set</h1>
      <p class="empty" role="status">
        There is no image set <code>{imageSetId}</code> in this data store (any more). It may have been merged
        into another or deleted. <a href={linkTo('image-sets')}>Image sets</a>
      </p>
    </>
  );
}

function Parts({
  imageSetId,
  document,
}: {
  readonly imageSetId: string;
  readonly document: MetadataDocument;
}) {
  const frames = framesOf(document);
  const kept = keptWhole(document);
  return (
    <>
      {frames.length > 0 && <Viewer imageSetId={imageSetId} frames={frames} />}
      {frames.length === 0 && kept.instances === 0 && (
        <Empty>This image set has no frames: its data is all in the metadata below.</Empty>
      )}
      {kept.instances > 0 && <Kept {...kept} />}
      <Instances imageSetId={imageSetId} document={document} />
      <MetadataTree document={document} />
    </>
  );
}

function Kept({ instances, syntaxes }: ReturnType<typeof keptWhole>) {
  const isOne = instances === 1;
  return (
    <Empty>
      No frame of {isOne ? 'one instance' : plural(instances, 'instance')} can be shown:{' '}
      {isOne ? 'it is' : 'they are'} kept as {isOne ? 'it' : 'they'} came, in transfer syntax UID{' '}
      <code>{syntaxes.join(', ')}</code>. Download {isOne ? 'it' : 'them'} below.
    </Empty>
  );
}

const ROWS = 100;

interface InstanceRow {
  readonly series: string;
  readonly instance: string;
  readonly attributes: Attributes;
  readonly frames: number;
}

function rowsOf(document: MetadataDocument): InstanceRow[] {
  return Object.entries(document.Study.Series).flatMap(([series, { Instances }]) =>
    Object.entries(Instances)
      .map(([instance, entry]) => ({
        series,
        instance,
        attributes: entry.DICOM,
        frames: entry.ImageFrames?.length ?? 0,
      }))
      .sort(
        (a, b) => (numberOf(a.attributes.InstanceNumber) ?? 0) - (numberOf(b.attributes.InstanceNumber) ?? 0),
      ),
  );
}

function Instances({
  imageSetId,
  document,
}: {
  readonly imageSetId: string;
  readonly document: MetadataDocument;
}) {
  const shown = useSignal(ROWS);
  const rows = rowsOf(document);
  const study = textOf(document.Study.DICOM.StudyInstanceUID);
  const more = rows.length - shown.value;
  return (
    <details class="group">
      <summary>
        <strong>Instances</strong>{' '}
        <span class="dim">{plural(rows.length, 'instance')}, each as DICOM P10</span>
      </summary>
      <Table label="Instances" heads={['#', 'SOP Instance UID', 'Frames', '']} numbers={[0, 2]}>
        {rows.slice(0, shown.value).map((row) => (
          <tr key={row.instance}>
            <td class="number">{textOf(row.attributes.InstanceNumber)}</td>
            <th scope="row" class="uid">
              {row.instance}
            </th>
            <td class="number">{count(row.frames)}</td>
            <td>
              <DownloadButton
                what={{ what: 'instance', imageSetId, uids: [study, row.series, row.instance] }}
              >
                Download<span class="hidden"> instance {textOf(row.attributes.InstanceNumber)}</span>
              </DownloadButton>
            </td>
          </tr>
        ))}
      </Table>
      {more > 0 && (
        <button
          type="button"
          onClick={() => {
            shown.value += ROWS;
          }}
        >
          {count(more)} more
        </button>
      )}
    </details>
  );
}
