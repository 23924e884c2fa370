/** Steps of the tests that write: an imported image set, an update or copy waited for, its last version. */
import * as sdk from '@aws-sdk/client-medical-imaging';
import { eventually } from './client.ts';
import { slice } from './instances.ts';
import type { TestWorld } from './world.ts';

export interface Imported {
  readonly datastoreId: string;
  readonly imageSetId: string;
}

/** An image set of slices 1 to `count`, in a data store of its own unless one is given. */
export async function importedSet(
  world: TestWorld,
  options: { count?: number; from?: number; elements?: Record<string, string>; datastoreId?: string } = {},
): Promise<Imported> {
  const datastoreId = options.datastoreId ?? (await world.createDatastore());
  const numbers = Array.from({ length: options.count ?? 2 }, (_, i) => (options.from ?? 1) + i);
  const files = Object.fromEntries(
    numbers.map((number) => [
      String(number),
      slice({ number, size: 16, ...(options.elements && { elements: options.elements }) }),
    ]),
  );
  const { manifest } = await world.importFiles(datastoreId, files);
  return { datastoreId, imageSetId: manifest.jobSummary.imageSetsSummary[0]!.imageSetId };
}

export function blob(content: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ SchemaVersion: 1.1, ...content }));
}

export async function settled(world: TestWorld, set: Imported): Promise<sdk.GetImageSetResponse> {
  let reply: sdk.GetImageSetResponse | undefined;
  await eventually(async () => {
    reply = await world.client.send(new sdk.GetImageSetCommand(set));
    return reply.imageSetState !== 'LOCKED';
  });
  return reply as sdk.GetImageSetResponse;
}

export interface Update {
  readonly set?: object;
  readonly remove?: object;
  readonly revertTo?: string;
  readonly force?: boolean;
  readonly latestVersionId?: string;
}

export async function update(world: TestWorld, set: Imported, { set: updatable, remove, ...rest }: Update) {
  const { versionId } = await world.client.send(new sdk.GetImageSetCommand(set));
  const DICOMUpdates = {
    ...(updatable && { updatableAttributes: blob(updatable) }),
    ...(remove && { removableAttributes: blob(remove) }),
  };
  return world.client.send(
    new sdk.UpdateImageSetMetadataCommand({
      ...set,
      latestVersionId: rest.latestVersionId ?? versionId,
      ...(rest.force !== undefined && { force: rest.force }),
      updateImageSetMetadataUpdates:
        rest.revertTo === undefined ? { DICOMUpdates } : { revertToVersionId: rest.revertTo },
    }),
  );
}

export async function copy(
  world: TestWorld,
  source: Imported,
  options: {
    to?: Imported;
    subset?: object | string;
    force?: boolean;
    promoteToPrimary?: boolean;
  } = {},
) {
  const versionOf = async (set: Imported) =>
    (await world.client.send(new sdk.GetImageSetCommand(set))).versionId as string;
  const text = typeof options.subset === 'string' ? options.subset : JSON.stringify(options.subset);
  return world.client.send(
    new sdk.CopyImageSetCommand({
      datastoreId: source.datastoreId,
      sourceImageSetId: source.imageSetId,
      ...(options.force !== undefined && { force: options.force }),
      ...(options.promoteToPrimary !== undefined && { promoteToPrimary: options.promoteToPrimary }),
      copyImageSetInformation: {
        sourceImageSet: {
          latestVersionId: await versionOf(source),
          ...(options.subset !== undefined && { DICOMCopies: { copiableAttributes: text } }),
        },
        ...(options.to && {
          destinationImageSet: {
            imageSetId: options.to.imageSetId,
            latestVersionId: await versionOf(options.to),
          },
        }),
      },
    }),
  );
}
