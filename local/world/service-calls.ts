/** Which API operation a request of a function was, and on what: for counting, pricing, and holding against its role. */
import { routeOf } from '../healthimaging/routes.ts';
import { invokedFunction } from './invocations.ts';

/** A request as the worker saw it leave. */
export interface HttpCall {
  readonly host: string;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** `x-amz-target`, of the JSON protocols. */
  readonly target?: string;
  /** `x-amz-copy-source`, of S3 copies. */
  readonly copySource?: string;
}

export interface ServiceCall {
  readonly service: 's3' | 'medical-imaging' | 'states' | 'events' | 'lambda' | 'other';
  readonly operation: string;
  /** Of S3: bucket and decoded key (empty for the bucket itself), and the source of a copy as `bucket/key`. */
  readonly bucket?: string;
  readonly key?: string;
  readonly copySource?: string;
}

export interface ServiceHosts {
  readonly s3: string;
  readonly 'medical-imaging': string;
  readonly states: string;
  readonly events: string;
}

/** `host` as `127.0.0.1:port`, without the prefix that SDKs may put before it. */
export function classifyCall(call: HttpCall, hosts: ServiceHosts): ServiceCall {
  const service = (Object.keys(hosts) as (keyof ServiceHosts)[]).find((name) =>
    call.host.endsWith(hosts[name]),
  );
  if (service === 's3') return s3Call(call);
  if (invokedFunction(call.method, call.path) !== undefined)
    return { service: 'lambda', operation: 'InvokeFunction' };
  if (service === 'medical-imaging') return { service, operation: healthImagingOperation(call) };
  return {
    service: service ?? 'other',
    operation: call.target?.split('.').at(-1) ?? `${call.method} ${call.host}`,
  };
}

/** The one DICOMweb service that we ask; it is in no API model. */
const DICOM_INSTANCE = /^\/datastore\/[^/]+\/studies\/[^/]+\/series\/[^/]+\/instances\/[^/?]+(\?|$)/;

function healthImagingOperation({ method, path }: HttpCall): string {
  if (method === 'GET' && DICOM_INSTANCE.test(path)) return 'GetDICOMInstance';
  try {
    return routeOf(method, path.split('?')[0] ?? '/').operation;
  } catch {
    return 'Unknown';
  }
}

/** Query parameter that tells the operation apart, method, and whether the path has a key → operation. */
const S3_OPERATIONS: readonly (readonly [
  method: string,
  parameter: string,
  hasKey: boolean,
  operation: string,
])[] = [
  ['GET', 'list-type', false, 'ListObjectsV2'],
  ['POST', 'delete', false, 'DeleteObjects'],
  ['POST', 'uploads', true, 'CreateMultipartUpload'],
  ['POST', 'uploadId', true, 'CompleteMultipartUpload'],
  ['DELETE', 'uploadId', true, 'AbortMultipartUpload'],
  ['PUT', 'partNumber', true, 'UploadPart'],
  ['GET', 'uploadId', true, 'ListParts'],
  ['GET', '', true, 'GetObject'],
  ['HEAD', '', true, 'HeadObject'],
  ['PUT', '', true, 'PutObject'],
  ['DELETE', '', true, 'DeleteObject'],
];

function s3Call({ method, path, copySource }: HttpCall): ServiceCall {
  const [pathname = '/', query = ''] = path.split(/\?(.*)/s, 2);
  const [, bucket = '', ...rest] = pathname.split('/');
  const key = decodeURIComponent(rest.join('/'));
  const parameters = new URLSearchParams(query);
  const found = S3_OPERATIONS.find(
    ([m, parameter, hasKey]) =>
      m === method && hasKey === (key !== '') && (parameter === '' || parameters.has(parameter)),
  );
  const base = found?.[3] ?? `${method} ${query}`;
  const copies = copySource !== undefined;
  const operation = copies ? (base === 'UploadPart' ? 'UploadPartCopy' : 'CopyObject') : base;
  return {
    service: 's3',
    operation,
    bucket: decodeURIComponent(bucket),
    key,
    ...(copies ? { copySource: decodeURIComponent(copySource).replace(/^\//, '') } : {}),
  };
}
