/** Has a function of the stack run, without waiting for it (Lambda API reference, "Invoke", invocation type Event). */
import type { SFNClient } from '@aws-sdk/client-sfn';
import { exchange, wholeBody } from './keep-alive.ts';
import { signedHeaders } from './sigv4.ts';

/** Any SDK client's region and credentials. */
type Signing = Pick<SFNClient['config'], 'region' | 'credentials'>;

/** `endpoint`: of a compatible service; absent, Lambda's in the client's region. Throws when Lambda does not take it. */
export async function invokeLater(
  config: Signing,
  functionName: string,
  payload: object,
  endpoint?: string,
): Promise<void> {
  const region = await config.region();
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
  const { protocol, hostname, host, port } = new URL(endpoint ?? `https://lambda.${region}.${suffix}`);
  const path = `/2015-03-31/functions/${encodeURIComponent(functionName)}/invocations`;
  const body = JSON.stringify(payload);
  const headers = {
    host,
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    'x-amz-invocation-type': 'Event',
  };
  const request = { method: 'POST', path, query: '', headers, body };
  const scope = { region, service: 'lambda' };
  const signed = signedHeaders(request, scope, await config.credentials(), Date.now());
  const answer = await exchange({
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    method: 'POST',
    path,
    headers: signed,
    body,
  });
  await wholeBody(answer);
  if (answer.statusCode === 202) return;
  const error = new Error(`Lambda did not take the invocation: HTTP ${answer.statusCode}`);
  error.name = String(answer.headers['x-amzn-errortype'] ?? 'InvocationNotTaken').split(':')[0] as string;
  throw error;
}
