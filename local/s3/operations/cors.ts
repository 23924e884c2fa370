/** The CORS configuration of a bucket. */
import { type CorsRule, checkCorsRules } from '../cors.ts';
import type { Operation } from '../operation.ts';
import { readDocument } from '../payload.ts';
import { S3Error } from '../s3-error.ts';
import { childElements, childText, childTexts, parseXml, renderXml, type XmlElement } from '../xml.ts';

export const getBucketCors: Operation = async (request, { store }) => {
  const { cors } = store.bucket(request.bucket);
  if (cors === undefined) throw new S3Error('NoSuchCORSConfiguration');
  return {
    xml: renderXml('CORSConfiguration', {
      CORSRule: cors.map((rule) => ({
        ID: rule.id,
        AllowedOrigin: rule.allowedOrigins,
        AllowedMethod: rule.allowedMethods,
        AllowedHeader: rule.allowedHeaders,
        ExposeHeader: rule.exposeHeaders,
        MaxAgeSeconds: rule.maxAgeSeconds,
      })),
    }),
  };
};

export const putBucketCors: Operation = async (request, { store, now }) => {
  store.bucket(request.bucket);
  const document = parseXml(await readDocument(request), 'CORSConfiguration');
  const cors = checkCorsRules(childElements(document, 'CORSRule').map(toRule));
  await store.putBucket(request.bucket, { cors, now: now() });
  return {};
};

function toRule(element: XmlElement): CorsRule {
  const maxAge = childText(element, 'MaxAgeSeconds');
  const id = childText(element, 'ID');
  if (maxAge !== undefined && !/^\d{1,9}$/.test(maxAge)) throw new S3Error('MalformedXML');
  return {
    allowedOrigins: childTexts(element, 'AllowedOrigin'),
    allowedMethods: childTexts(element, 'AllowedMethod'),
    allowedHeaders: childTexts(element, 'AllowedHeader'),
    exposeHeaders: childTexts(element, 'ExposeHeader'),
    ...(maxAge === undefined ? {} : { maxAgeSeconds: Number(maxAge) }),
    ...(id === undefined ? {} : { id }),
  };
}

export const deleteBucketCors: Operation = async (request, { store, now }) => {
  store.bucket(request.bucket);
  await store.putBucket(request.bucket, { cors: null, now: now() });
  return { status: 204 };
};
