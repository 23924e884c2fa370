/** Operations on buckets and on the service itself. */
import { isoTime, type Operation } from '../operation.ts';
import { readDocument } from '../payload.ts';
import { S3Error } from '../s3-error.ts';
import { childElements, parseXml, renderXml } from '../xml.ts';

export const listBuckets: Operation = async (_request, { store, accountId }) => ({
  xml: renderXml('ListAllMyBucketsResult', {
    Owner: { ID: accountId },
    Buckets: {
      Bucket: store
        .buckets()
        .map(({ name, createdAt }) => ({ Name: name, CreationDate: isoTime(createdAt) })),
    },
  }),
});

/** Bucket naming rules (S3 user guide): 3 to 63 of a-z, 0-9, dot and hyphen, no address. */
export function checkBucketName(name: string): void {
  const wellFormed = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) && !name.includes('..');
  if (!wellFormed || /^\d+\.\d+\.\d+\.\d+$/.test(name)) {
    throw new S3Error('InvalidBucketName', undefined, { facts: { BucketName: name } });
  }
}

export const createBucket: Operation = async (request, { store, region, now }) => {
  checkBucketName(request.bucket);
  await readDocument(request);
  // S3 answers 200 in us-east-1 and BucketAlreadyOwnedByYou elsewhere.
  if (store.hasBucket(request.bucket)) {
    if (region !== 'us-east-1') throw new S3Error('BucketAlreadyOwnedByYou');
  } else await store.putBucket(request.bucket, { now: now() });
  return { headers: { location: `/${request.bucket}` } };
};

export const headBucket: Operation = async (request, { store, region }) => {
  store.bucket(request.bucket);
  return { headers: { 'x-amz-bucket-region': region } };
};

export const deleteBucket: Operation = async (request, { store }) => {
  await store.deleteBucket(request.bucket);
  return { status: 204 };
};

export const getBucketLocation: Operation = async (request, { store, region }) => {
  store.bucket(request.bucket);
  const xml = renderXml('LocationConstraint', {});
  return { xml: region === 'us-east-1' ? xml : xml.replace('></', `>${region}</`) };
};

export const getBucketVersioning: Operation = async (request, { store }) => {
  store.bucket(request.bucket);
  return { xml: renderXml('VersioningConfiguration', {}) };
};

export const getBucketNotification: Operation = async (request, { store }) => {
  const { eventBridge } = store.bucket(request.bucket);
  return {
    xml: renderXml('NotificationConfiguration', { EventBridgeConfiguration: eventBridge ? {} : undefined }),
  };
};

/** EventBridge only: queues, topics and functions get their events from the bus. */
export const putBucketNotification: Operation = async (request, { store, now }) => {
  store.bucket(request.bucket);
  const document = parseXml(await readDocument(request), 'NotificationConfiguration');
  const others = ['QueueConfiguration', 'TopicConfiguration', 'CloudFunctionConfiguration'];
  if (others.some((name) => childElements(document, name).length > 0)) {
    throw new S3Error('NotImplemented', 'Only EventBridgeConfiguration is supported.');
  }
  await store.putBucket(request.bucket, { eventBridge: 'EventBridgeConfiguration' in document, now: now() });
  return {};
};
