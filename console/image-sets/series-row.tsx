/** A series of a study: its image sets, each with a picture and what its metadata says of it. */
import { useSignal } from '@preact/signals';
import type { ImageSetSummary } from '../../shared/console/api.ts';
import { clock, plural } from '../format.ts';
import { linkTo } from '../route.ts';
import { Thumbnail } from '../viewer/thumbnail.tsx';
import { type MetadataDocument, textOf } from './document.ts';
import { type Series, tagOf } from './studies.ts';

export function SeriesRow({ series }: { readonly series: Series }) {
  const { imageSets, hasVariants } = series;
  return (
    <li class={hasVariants ? 'with-variants' : ''}>
      {hasVariants && (
        <p class="variant-mark">
          <span class="badge warn">kept apart</span>{' '}
          {imageSets.length > 1
            ? `one series in ${plural(imageSets.length, 'image set')}`
            : 'not the primary image set of its series'}
        </p>
      )}
      {imageSets.map((set) => (
        <OneSet key={set.imageSetId} set={set} />
      ))}
    </li>
  );
}

function OneSet({ set }: { readonly set: ImageSetSummary }) {
  const document = useSignal<MetadataDocument | undefined>(undefined);
  const known = document.value && factsOf(document.value);
  const number = tagOf(set, 'SeriesNumber');
  const marks = [
    known && plural(known.instances, 'instance'),
    known && known.frames > known.instances && plural(known.frames, 'frame'),
    set.isPrimary !== undefined && (set.isPrimary ? 'primary' : 'not primary'),
    set.version > 1 && `version ${set.version}: merged or corrected since its import`,
  ].filter(Boolean);
  return (
    <div class="one-set">
      <Thumbnail
        imageSetId={set.imageSetId}
        onDocument={(found) => {
          document.value = found;
        }}
      />
      <div>
        <a href={linkTo('image-sets', set.imageSetId)}>
          <strong>{tagOf(set, 'SeriesModality') || '?'}</strong> {number && `#${number}`}{' '}
          {known?.description || tagOf(set, 'SeriesBodyPart') || 'series without description'}
        </a>
        <p class="dim">{marks.join(' · ')}</p>
        <p class="dim">{clock(new Date(set.updatedAt * 1000).toISOString())}</p>
      </div>
    </div>
  );
}

function factsOf({ Study }: MetadataDocument) {
  const all = Object.values(Study.Series);
  const instances = all.flatMap(({ Instances }) => Object.values(Instances));
  return {
    description: textOf(all[0]?.DICOM.SeriesDescription),
    instances: instances.length,
    frames: instances.reduce((sum, { ImageFrames }) => sum + (ImageFrames?.length ?? 0), 0),
  };
}
