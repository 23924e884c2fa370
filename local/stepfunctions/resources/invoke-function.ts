/** lambda:invoke: calls a function and waits for its answer. */
import { randomUUID } from 'node:crypto';
import { type Json, plainJson } from '../json.ts';
import { requestObject, stringIn, type TaskCall } from './call.ts';

export async function invokeFunction({ request, visit, signal }: TaskCall): Promise<Json> {
  const fields = requestObject(request);
  const name = stringIn(fields, 'FunctionName');
  const answer = await visit.engine.services.invokeFunction(name, fields.Payload ?? {}, { signal });
  const payload = plainJson(answer ?? null) ?? null;
  return { ExecutedVersion: '$LATEST', Payload: payload, ...metadata(payload, visit.engine.timers.now()) };
}

/** What the service adds to a result. It is some 900 bytes, and they count against the limit of state data. */
function metadata(payload: Json, now: number): { readonly [key: string]: Json } {
  const requestId = randomUUID();
  const headers = {
    'X-Amz-Executed-Version': '$LATEST',
    'x-amzn-Remapped-Content-Length': '0',
    Connection: 'keep-alive',
    'x-amzn-RequestId': requestId,
    'Content-Length': String(Buffer.byteLength(JSON.stringify(payload))),
    Date: new Date(now).toUTCString(),
    'X-Amzn-Trace-Id': `Root=1-${requestId.slice(0, 8)}-${requestId.replaceAll('-', '').slice(8)}`,
    'Content-Type': 'application/json',
  };
  const listed = Object.fromEntries(Object.entries(headers).map(([header, value]) => [header, [value]]));
  return {
    SdkHttpMetadata: { AllHttpHeaders: listed, HttpHeaders: headers, HttpStatusCode: 200 },
    SdkResponseMetadata: { RequestId: requestId },
    StatusCode: 200,
  };
}
