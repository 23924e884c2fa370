/** GetImageSetMetadata: the gzip document of a version, as it was stored; no client inflates it by itself. */
import { conflict, notFound } from '../errors.ts';
import { requireImageSet, type Service } from '../service.ts';
import type { ImageSetInput } from './get-image-set.ts';

export async function getImageSetMetadata(service: Service, input: ImageSetInput) {
  const { set, version } = await requireImageSet(service, input);
  if (version.imageSetState === 'DELETED') throw notFound(`Image set ${set.imageSetId} was deleted`);
  if (version.document === undefined) {
    throw conflict(`The metadata of image set ${set.imageSetId} are not consistent yet`);
  }
  service.access.touch(set);
  return {
    imageSetMetadataBlob: await service.store.blobs.get(version.document),
    contentType: 'application/json',
    contentEncoding: 'gzip',
  };
}
