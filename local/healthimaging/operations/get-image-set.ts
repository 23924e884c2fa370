/** GetImageSet: the properties of one version, the latest by default. */
import { imageSetArn } from '../identifiers.ts';
import { requireImageSet, type Service } from '../service.ts';
import { versionProperties } from './image-set-properties.ts';

export interface ImageSetInput {
  readonly datastoreId: string;
  readonly imageSetId: string;
  readonly versionId?: string;
}

export async function getImageSet(service: Service, input: ImageSetInput) {
  const { set, version } = await requireImageSet(service, input);
  const { datastoreId, imageSetId } = set;
  return {
    datastoreId,
    ...versionProperties(set, version, service.behaviour),
    imageSetWorkflowStatus: version.imageSetWorkflowStatus,
    imageSetArn: imageSetArn(service, datastoreId, imageSetId),
    ...(await service.access.read(set)),
  };
}
