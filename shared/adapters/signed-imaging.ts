/**
 * Signed requests to HealthImaging without the SDK's machinery a call (0.9 ms of the processor; this takes a sixth): for
 * frames, of which there are thousands, and for DICOMweb, which no SDK knows. Everything but the sending is the SDK
 * client's: where to and as whom (asked once by a request of its own that is never sent), credentials and their renewal,
 * its clock, its retries and their rate.
 */
import type { IncomingMessage } from 'node:http';
import { GetDatastoreCommand, type MedicalImagingClient } from '@aws-sdk/client-medical-imaging';
import { type ErrorMetadata, imagingError, kindOf } from './imaging-errors.ts';
import { exchange, type HttpRequest, wholeBody } from './keep-alive.ts';
import { type SigningScope, signedHeaders } from './sigv4.ts';

export interface ImagingRequest {
  /** The IAM action without its service. A literal: scripts/template-checks reads it. */
  readonly action: string;
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** From the root, percent-encoded; may have a query. */
  readonly path: string;
  /** What the service's host name begins with (reference, "Hosts"); nothing for its control plane. */
  readonly plane?: 'runtime-' | 'dicom-';
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface SignedImaging {
  /**
   * The answer, its body not yet read: whoever asks reads or destroys it. Throws the SDK's exceptions for answers from 400
   * on, and after its retries what hindered the last attempt.
   */
  signedRequest(request: ImagingRequest): Promise<IncomingMessage>;
  /** The whole body, in room of one's own where wanted; an answer that breaks off is asked for again. */
  signedBytes(request: ImagingRequest, roomFor?: (sizeBytes: number) => Uint8Array): Promise<Uint8Array>;
}

export function signedImaging(client: MedicalImagingClient): SignedImaging {
  const target = targetOnce(client);
  return {
    signedRequest: (request) => withRetries(client, () => send(client, target, request)),
    signedBytes: (request, roomFor) =>
      withRetries(client, async () => wholeBody(await send(client, target, request), roomFor)),
  };
}

/** Where the SDK sends to, and what it signs for. */
interface Target extends Pick<HttpRequest, 'protocol' | 'hostname' | 'port'>, SigningScope {
  /** Of an endpoint with a path of its own. */
  readonly basePath: string;
  readonly userAgent: Readonly<Record<string, string>>;
}

function targetOnce(client: MedicalImagingClient): () => Promise<Target> {
  let asked: Promise<Target> | undefined;
  return () => {
    asked ??= targetOf(client).catch((error) => {
      asked = undefined;
      throw error;
    });
    return asked;
  };
}

type SdkRequest = Pick<HttpRequest, 'protocol' | 'hostname' | 'port' | 'path' | 'headers'>;
const PROBE_ID = '0'.repeat(32);

/** A request of the SDK's, signed and ready, of which everything is taken but the path. */
async function targetOf(client: MedicalImagingClient): Promise<Target> {
  const command = new GetDatastoreCommand({ datastoreId: PROBE_ID });
  let ready: SdkRequest | undefined;
  const notSent = new Error('signed, not sent');
  command.middlewareStack.add(
    () =>
      async ({ request }) => {
        ready = request as SdkRequest;
        throw notSent;
      },
    { step: 'finalizeRequest', priority: 'low', name: 'notSent' },
  );
  await client.send(command).catch((error) => {
    if (error !== notSent) throw error;
  });
  const { protocol, hostname, port, path, headers } = ready!;
  const [, region = '', service = ''] =
    /Credential=[^/]+\/\d+\/([^/]+)\/([^/]+)\//.exec(headers.authorization ?? '') ?? [];
  const userAgent = Object.fromEntries(Object.entries(headers).filter(([name]) => /user-agent$/.test(name)));
  const basePath = path.slice(0, path.indexOf(`/datastore/${PROBE_ID}`));
  return { protocol, hostname, port, region, service, basePath, userAgent };
}

async function send(
  client: MedicalImagingClient,
  target: () => Promise<Target>,
  request: ImagingRequest,
): Promise<IncomingMessage> {
  const { protocol, hostname, port, basePath, userAgent, ...scope } = await target();
  const credentials = await client.config.credentials();
  const host = client.config.disableHostPrefix ? hostname : `${request.plane ?? ''}${hostname}`;
  const { method, body = '', signal } = request;
  const [path = '', query = ''] = `${basePath}${request.path}`.split(/\?(.*)/s, 2);
  const headers: Record<string, string> = {
    host: port === undefined ? host : `${host}:${port}`,
    ...userAgent,
    ...request.headers,
  };
  if (body.length > 0) headers['content-length'] = String(Buffer.byteLength(body));
  const at = Date.now() + client.config.systemClockOffset;
  const signed = signedHeaders({ method, path, query, headers, body }, scope, credentials, at);
  const whole = query === '' ? path : `${path}?${query}`;
  const answer = await exchange({
    protocol,
    hostname: host,
    port,
    method,
    path: whole,
    headers: signed,
    body,
    signal,
  });
  if ((answer.statusCode ?? 0) < 300) return answer;
  const error = await imagingError(answer);
  const metadata: ErrorMetadata = error.$metadata;
  if (correctClock(client, answer.headers.date)) metadata.clockSkewCorrected = true;
  throw error;
}

/** Attempts as many and as far apart as the SDK client's own; they count together with those of its other calls. */
async function withRetries<T>(client: MedicalImagingClient, attempt: () => Promise<T>): Promise<T> {
  const strategy = await client.config.retryStrategy();
  if (!('acquireInitialRetryToken' in strategy)) return attempt();
  let token = await strategy.acquireInitialRetryToken('');
  for (;;) {
    try {
      const answer = await attempt();
      strategy.recordSuccess(token);
      return answer;
    } catch (error) {
      try {
        token = await strategy.refreshRetryTokenForRetry(token, { errorType: kindOf(error) });
      } catch {
        throw error;
      }
    }
  }
}

/** The service takes requests signed up to five minutes ago, or ahead (as the SDK, one minute less). */
const MAX_SKEW_MS = 240_000;

/** Whether our clock was the trouble and is corrected now. */
function correctClock({ config }: MedicalImagingClient, date: string | undefined): boolean {
  const told = Date.parse(date ?? '');
  if (Number.isNaN(told) || Math.abs(told - (Date.now() + config.systemClockOffset)) < MAX_SKEW_MS)
    return false;
  config.systemClockOffset = told - Date.now();
  return true;
}
