/** ListImageSetVersions: newest first, failed ones included. This list spells `ImageSetWorkflowStatus` with a capital. */
import { requireImageSet, type Service } from '../service.ts';
import { below, keyOf } from '../store/keys.ts';
import type { VersionRecord } from '../store/records.ts';
import { versionProperties } from './image-set-properties.ts';
import { DEFAULT_PAGE, page } from './paging.ts';

export interface ListImageSetVersionsInput {
  readonly datastoreId: string;
  readonly imageSetId: string;
  readonly nextToken?: string;
  readonly maxResults?: number;
}

export async function listImageSetVersions(service: Service, input: ListImageSetVersionsInput) {
  const { set } = await requireImageSet(service, {
    datastoreId: input.datastoreId,
    imageSetId: input.imageSetId,
  });
  const { items, nextToken } = await page<VersionRecord>(service.store, {
    scope: `ListImageSetVersions ${set.datastoreId} ${set.imageSetId}`,
    range: below('version', set.datastoreId, set.imageSetId),
    limit: input.maxResults ?? DEFAULT_PAGE,
    reverse: true,
    nextToken: input.nextToken,
    keep: () => true,
    keyOf: (version) => keyOf('version', set.datastoreId, set.imageSetId, version.version),
  });
  const imageSetPropertiesList = items.map((version) => ({
    ...versionProperties(set, version, service.behaviour),
    ImageSetWorkflowStatus: version.imageSetWorkflowStatus,
  }));
  return { imageSetPropertiesList, nextToken };
}
