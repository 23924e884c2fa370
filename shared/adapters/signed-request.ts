/**
 * Requests that are signed by hand, for what no SDK command does: with the signer, the credentials and the region of an
 * SDK client that is there anyway (AWS Signature Version 4). Any client can sign for any service.
 */
import type { MedicalImagingClientResolvedConfig } from '@aws-sdk/client-medical-imaging';

/** What every SDK client has as its `config`. */
export type Signing = Pick<MedicalImagingClientResolvedConfig, 'signer' | 'region'>;

export interface UnsignedRequest {
  /** The service's name in signatures (`medical-imaging`). */
  readonly service: string;
  readonly url: string;
  readonly method?: string | undefined;
  /** Of the request itself; `host` and the signature's own are added. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array | undefined;
  readonly signal?: AbortSignal | null | undefined;
}

/** The headers of the request with the signature among them, for whatever then sends it to that very URL. */
export async function signedHeaders(
  { signer, region }: Signing,
  { service, url, method = 'GET', headers = {}, body }: UnsignedRequest,
): Promise<Record<string, string>> {
  const { protocol, host, hostname, port, pathname, searchParams } = new URL(url);
  const scheme = { name: 'sigv4', signingName: service, signingRegion: await region(), properties: {} };
  const { headers: signed } = await (await signer(scheme)).sign({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path: pathname,
    query: Object.fromEntries(searchParams),
    headers: { ...headers, host },
    ...(body === undefined ? {} : { body }),
  });
  // Whoever sends it says the host by itself.
  const { host: _host, ...rest } = signed;
  return rest;
}

/** Signs and sends. Rejects as `fetch` does; an answer of any status is an answer. */
export async function signedFetch(signing: Signing, request: UnsignedRequest): Promise<Response> {
  const { url, method = 'GET', body, signal } = request;
  return fetch(url, {
    method,
    headers: await signedHeaders(signing, request),
    redirect: 'error',
    ...(body === undefined ? {} : { body }),
    ...(signal == null ? {} : { signal }),
  });
}
