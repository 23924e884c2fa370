/** Which operation a request asks for: one table by level, method and sub-resource. A missing one is a missing line. */
import type { Operation } from './operation.ts';
import * as buckets from './operations/buckets.ts';
import { copyObject } from './operations/copy.ts';
import * as cors from './operations/cors.ts';
import * as listings from './operations/listings.ts';
import * as objects from './operations/objects.ts';
import * as tagging from './operations/tagging.ts';
import * as uploads from './operations/uploads.ts';
import { S3Error } from './s3-error.ts';
import type { S3Request } from './s3-request.ts';

const OPERATIONS: Readonly<Record<string, Operation>> = {
  'service GET': buckets.listBuckets,
  'bucket PUT': buckets.createBucket,
  'bucket HEAD': buckets.headBucket,
  'bucket DELETE': buckets.deleteBucket,
  'bucket GET': listings.listObjects,
  'bucket GET list-type': listings.listObjectsV2,
  'bucket GET uploads': listings.listMultipartUploads,
  'bucket GET cors': cors.getBucketCors,
  'bucket PUT cors': cors.putBucketCors,
  'bucket DELETE cors': cors.deleteBucketCors,
  'bucket GET location': buckets.getBucketLocation,
  'bucket GET versioning': buckets.getBucketVersioning,
  'bucket GET notification': buckets.getBucketNotification,
  'bucket PUT notification': buckets.putBucketNotification,
  'bucket POST delete': objects.deleteObjects,
  'object PUT': objects.putObject,
  'object PUT copy': copyObject,
  'object GET': objects.getObject,
  'object HEAD': objects.headObject,
  'object DELETE': objects.deleteObject,
  'object GET attributes': objects.getObjectAttributes,
  'object GET tagging': tagging.getObjectTagging,
  'object PUT tagging': tagging.putObjectTagging,
  'object DELETE tagging': tagging.deleteObjectTagging,
  'object POST uploads': uploads.createMultipartUpload,
  'object PUT uploadId': uploads.uploadPart,
  'object PUT uploadId copy': uploads.uploadPartCopy,
  'object POST uploadId': uploads.completeMultipartUpload,
  'object DELETE uploadId': uploads.abortMultipartUpload,
  'object GET uploadId': uploads.listParts,
};

/** Query names that choose an operation; one that is here but not in the table is answered with NotImplemented. */
const SUB_RESOURCES = new Set(
  (
    'abac accelerate acl analytics annotation attributes cors delete encryption intelligent-tiering inventory legal-hold ' +
    'lifecycle list-type location logging metadataConfiguration metadataTable metrics notification object-lock ' +
    'ownershipControls policy policyStatus publicAccessBlock renameObject replication requestPayment restore retention ' +
    'select session tagging torrent uploadId uploads versioning versions website'
  ).split(' '),
);

/** Throws MethodNotAllowed or NotImplemented. */
export function findOperation(request: S3Request): Operation {
  const level = request.bucket === '' ? 'service' : request.key === '' ? 'bucket' : 'object';
  const asked = [...request.query.keys()].filter((name) => SUB_RESOURCES.has(name));
  const copy =
    level === 'object' && request.method === 'PUT' && request.headers['x-amz-copy-source'] !== undefined;
  const name = [level, request.method, ...asked, ...(copy ? ['copy'] : [])].join(' ');
  const operation = Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
  if (operation) return operation;
  if (asked.length > 0) throw new S3Error('NotImplemented', `This store does not implement ${name}.`);
  throw new S3Error('MethodNotAllowed', undefined, {
    facts: { Method: request.method, ResourceType: level },
  });
}
