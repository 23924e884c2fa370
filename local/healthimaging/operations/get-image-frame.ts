/** GetImageFrame: one frame in its stored encoding, with the content type of that encoding. */
import { contentTypeOfFrame } from '../../../shared/healthimaging/content-types.ts';
import { notFound } from '../errors.ts';
import { requireImageSet, type Service } from '../service.ts';

export interface GetImageFrameInput {
  readonly datastoreId: string;
  readonly imageSetId: string;
  readonly imageFrameInformation: { readonly imageFrameId: string };
}

export async function getImageFrame(service: Service, input: GetImageFrameInput) {
  const { datastoreId, imageSetId } = input;
  const { set, version } = await requireImageSet(service, { datastoreId, imageSetId });
  if (version.imageSetState === 'DELETED') throw notFound(`Image set ${imageSetId} was deleted`);
  const { imageFrameId } = input.imageFrameInformation;
  const frame = await service.store.frame(datastoreId, imageSetId, imageFrameId);
  if (!frame) throw notFound(`Image set ${imageSetId} has no image frame ${imageFrameId}`);
  service.access.touch(set);
  const contentType = contentTypeOfFrame(frame.transferSyntaxUID);
  const { blobs } = service.store;
  // A video is one frame, of any size.
  const imageFrameBlob = contentType.startsWith('video/')
    ? { sizeBytes: await blobs.sizeOf(frame.blob), chunks: blobs.stream(frame.blob) }
    : await blobs.get(frame.blob);
  return { imageFrameBlob, contentType };
}
