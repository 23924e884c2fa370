/** Lambda's own ways to invoke a function (API reference, "Invoke"): and wait, or asynchronously, with its retries. */
import { FunctionError } from './function-error.ts';
import type { FunctionHost } from './function-host.ts';

/** Lambda tries an asynchronous invocation three times. Never rejects; the last failure is told. */
export async function invokeAsynchronously(
  host: FunctionHost,
  nameOrArn: string,
  payload: unknown,
  log: (line: string) => void,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return void (await host.invoke(nameOrArn, payload));
    } catch (error) {
      const name = error instanceof Error ? error.name : String(error);
      if (attempt === 3) return log(`${nameOrArn.split(':').at(-1)}: failed three times: ${name}`);
    }
  }
}

const INVOKE = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;

/** Name or ARN of the function that `POST <path>` invokes; undefined where it is no invocation. */
export function invokedFunction(method: string | undefined, path: string | undefined): string | undefined {
  const [, name] = method === 'POST' ? (INVOKE.exec(path ?? '') ?? []) : [];
  return name === undefined ? undefined : decodeURIComponent(name);
}

export interface InvokeAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** `type`: the header `x-amz-invocation-type`. An error of the function is an answer, as Lambda has it. */
export async function answerInvocation(
  host: FunctionHost,
  nameOrArn: string,
  type: string,
  payload: unknown,
  log: (line: string) => void,
): Promise<InvokeAnswer> {
  if (type === 'Event') {
    if (!host.has(nameOrArn)) return refused(404, 'ResourceNotFoundException', nameOrArn);
    void invokeAsynchronously(host, nameOrArn, payload, log);
    return { status: 202, headers: {}, body: null };
  }
  try {
    const headers = { 'x-amz-executed-version': '$LATEST' };
    return { status: 200, headers, body: (await host.invoke(nameOrArn, payload)) ?? null };
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    if (error.name === 'Lambda.ResourceNotFoundException')
      return refused(404, 'ResourceNotFoundException', nameOrArn);
    if (error.name === 'Lambda.RequestTooLargeException')
      return refused(413, 'RequestTooLargeException', nameOrArn);
    return { status: 200, headers: { 'x-amz-function-error': 'Unhandled' }, body: error.document };
  }
}

const refused = (status: number, name: string, nameOrArn: string): InvokeAnswer => ({
  status,
  headers: { 'x-amzn-errortype': name },
  body: { Type: 'User', Message: `${name}: ${nameOrArn}` },
});
