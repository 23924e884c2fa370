/** How Lambda tells that an invocation failed, with the names that Step Functions matches in Retry and Catch. */

export interface ErrorDocument {
  readonly errorType: string;
  readonly errorMessage: string;
  /** The lines of the stack; absent when the runtime, not the code, gives the error. */
  readonly trace?: readonly string[];
}

/** `name` is the error's type (what ErrorEquals matches), `message` the JSON document (what becomes Cause). */
export class FunctionError extends Error {
  readonly document: ErrorDocument;

  constructor(document: ErrorDocument) {
    super(JSON.stringify(document));
    this.name = document.errorType;
    this.document = document;
  }
}

/** The invocation ran longer than the function's timeout. */
export const timedOut = (requestId: string, timeoutSeconds: number): FunctionError =>
  new FunctionError({
    errorType: 'Sandbox.Timedout',
    errorMessage: `RequestId: ${requestId} Error: Task timed out after ${timeoutSeconds.toFixed(2)} seconds`,
  });

/** The process of the function ended, or ran out of memory, in the middle of an invocation. */
export const runtimeExited = (requestId: string, how: string): FunctionError =>
  new FunctionError({
    errorType: 'Runtime.ExitError',
    errorMessage: `RequestId: ${requestId} Error: Runtime exited with error: ${how}`,
  });

/** Lambda's quota for synchronous invocations, in bytes: request and response (Developer Guide, "Lambda quotas"). */
export const PAYLOAD_LIMIT_BYTES = 6 * 1024 * 1024;

export const requestTooLarge = (bytes: number): FunctionError =>
  new FunctionError({
    errorType: 'Lambda.RequestTooLargeException',
    errorMessage: `${bytes} byte payload is too large for the RequestResponse invocation type (limit ${PAYLOAD_LIMIT_BYTES} bytes)`,
  });

export const responseTooLarge = (bytes: number): FunctionError =>
  new FunctionError({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${PAYLOAD_LIMIT_BYTES} bytes).`,
  });
