/** GetObjectTagging, PutObjectTagging, DeleteObjectTagging. */
import { noSuchKey } from '../conditions.ts';
import { checkTags } from '../object-headers.ts';
import type { Operation } from '../operation.ts';
import { readDocument } from '../payload.ts';
import { S3Error } from '../s3-error.ts';
import type { ObjectRecord, Tag } from '../store/records.ts';
import { childElements, childText, parseXml, renderXml } from '../xml.ts';
import { findObject } from './objects.ts';

export const getObjectTagging: Operation = async (request, deps) => {
  const tags = findObject(request, deps).tags ?? [];
  return { xml: renderXml('Tagging', { TagSet: { Tag: tags.map(([Key, Value]) => ({ Key, Value })) } }) };
};

export const putObjectTagging: Operation = async (request, deps) => {
  findObject(request, deps);
  const [tagSet] = childElements(parseXml(await readDocument(request), 'Tagging'), 'TagSet');
  const tags = childElements(tagSet ?? {}, 'Tag').map((element): Tag => {
    const key = childText(element, 'Key');
    if (key === undefined) throw new S3Error('MalformedXML');
    return [key, childText(element, 'Value') ?? ''];
  });
  checkTags(tags);
  await deps.store.updateObject(request.bucket, request.key, (current) =>
    withTags(request.key, current, tags),
  );
  return {};
};

export const deleteObjectTagging: Operation = async (request, deps) => {
  findObject(request, deps);
  await deps.store.updateObject(request.bucket, request.key, (current) => withTags(request.key, current, []));
  return { status: 204 };
};

function withTags(key: string, current: ObjectRecord | undefined, tags: readonly Tag[]): ObjectRecord {
  if (!current) throw noSuchKey(key);
  return { ...current, tags };
}
