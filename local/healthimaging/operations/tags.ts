/** TagResource, UntagResource, ListTagsForResource: up to 50 tags on a data store or an image set. */
import { notFound, validation } from '../errors.ts';
import { parseArn } from '../identifiers.ts';
import { requireDatastore, requireImageSet, type Service } from '../service.ts';
import { put } from '../store/database.ts';
import { keyOf } from '../store/keys.ts';

/** Developer guide, "Tagging resources". */
export const MAX_TAGS = 50;

type Tags = Readonly<Record<string, string>>;

export async function listTagsForResource(service: Service, input: { readonly resourceArn: string }) {
  return { tags: await tagsOf(service, await requireResource(service, input.resourceArn)) };
}

export async function tagResource(
  service: Service,
  input: { readonly resourceArn: string; readonly tags: Tags },
) {
  return change(service, input.resourceArn, (tags) => ({ ...tags, ...input.tags }));
}

export async function untagResource(
  service: Service,
  input: { readonly resourceArn: string; readonly tagKeys: readonly string[] },
) {
  const gone = new Set(input.tagKeys);
  return change(service, input.resourceArn, (tags) =>
    Object.fromEntries(Object.entries(tags).filter(([key]) => !gone.has(key))),
  );
}

async function change(service: Service, arn: string, edit: (tags: Tags) => Tags) {
  const key = await requireResource(service, arn);
  await service.locks.run(key, async () => {
    const tags = edit(await tagsOf(service, key));
    if (Object.keys(tags).length > MAX_TAGS) throw validation(`A resource has at most ${MAX_TAGS} tags`);
    await service.store.database.write([put(key, tags)], { durable: true });
  });
  return {};
}

/** The database key of a resource's tags. Throws ResourceNotFoundException. */
async function requireResource(service: Service, arn: string): Promise<string> {
  const resource = parseArn(arn);
  if (!resource) throw notFound('The resource does not exist');
  const { datastoreId, imageSetId } = resource;
  if (!imageSetId) {
    await requireDatastore(service, datastoreId);
    return keyOf('tags', datastoreId);
  }
  const { version } = await requireImageSet(service, { datastoreId, imageSetId });
  if (version.imageSetState === 'DELETED') throw notFound(`Image set ${imageSetId} was deleted`);
  return keyOf('tags', datastoreId, imageSetId);
}

async function tagsOf(service: Service, key: string): Promise<Tags> {
  return (await service.store.database.get<Tags>(key)) ?? {};
}
