/**
 * Presigned addresses of S3: whoever has one may do this one request, for a while, without credentials. Signed by the
 * client's own signer; the SDK's presigner is a package of its own that we would need for nothing else.
 */
import type { S3Client } from '@aws-sdk/client-s3';
import type { ObjectLocation } from '../ports/object-store.ts';

export interface PresignOptions extends ObjectLocation {
  readonly method: 'GET' | 'PUT';
  readonly expiresSeconds: number;
  /** Of the request; what is here must be sent as it is here. */
  readonly headers?: Readonly<Record<string, string>>;
  /** `partNumber` and `uploadId` of a part, `response-content-disposition` of a download. */
  readonly query?: Readonly<Record<string, string>>;
}

interface Presignable {
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
}
interface Presigner {
  presign(request: object, options: object): Promise<Presignable>;
}

/** Like S3 wants it: every byte but the unreserved ones, the slashes of keys kept. */
const encoded = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
const pathOf = (key: string) => key.split('/').map(encoded).join('/');

/** `endpoint`: a compatible store, asked path style (`http://127.0.0.1:4082`); absent: S3 in the client's region. */
export async function presignedUrl(
  client: S3Client,
  { bucket, key, method, expiresSeconds, headers = {}, query = {} }: PresignOptions,
  endpoint?: string,
): Promise<string> {
  const region = await client.config.region();
  const { origin, host, hostname, port, protocol } = new URL(endpoint ?? originOf(bucket, region));
  const path = endpoint === undefined ? `/${pathOf(key)}` : `/${bucket}/${pathOf(key)}`;
  const scheme = { name: 'sigv4', signingName: 's3', signingRegion: region, properties: {} };
  const signer = (await client.config.signer(scheme)) as unknown as Presigner;
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const signed = await signer.presign(
    {
      method,
      protocol,
      hostname,
      ...(port === '' ? {} : { port: Number(port) }),
      path,
      query,
      headers: { ...own, host, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    },
    // Headers that S3 acts upon stay headers: in a query it would not see them.
    { expiresIn: expiresSeconds, unhoistableHeaders: new Set(Object.keys(own)) },
  );
  const pairs = Object.entries(signed.query ?? {}).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encoded(name)}=${encoded(String(one ?? ''))}`),
  );
  return `${origin}${path}?${pairs.join('&')}`;
}

function originOf(bucket: string, region: string): string {
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  return `https://${bucket}.s3.${region}.${suffix}`;
}
