/** The properties of an image set version as GetImageSet and ListImageSetVersions show them. Pure. */
import type { Behaviour } from '../service.ts';
import type { ImageSetRecord, VersionRecord } from '../store/records.ts';

export function versionProperties(set: ImageSetRecord, version: VersionRecord, behaviour: Behaviour) {
  return {
    imageSetId: set.imageSetId,
    versionId: String(version.version),
    imageSetState: version.imageSetState,
    createdAt: version.createdAt,
    updatedAt: version.updatedAt,
    deletedAt: version.deletedAt,
    message: version.message,
    overrides: version.forced ? { forced: true } : undefined,
    // Primary image sets came in May 2025.
    isPrimary: behaviour === 'current' ? version.isPrimary : undefined,
  };
}
