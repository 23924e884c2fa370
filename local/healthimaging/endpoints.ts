/** What a path leads to: an operation of the API model, or one of DICOMweb, which no model describes. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Fault } from './access/faults.ts';
import { dicomwebEndpoint } from './dicomweb/endpoints.ts';
import { ServiceError } from './errors.ts';
import { MAX_BODY_BYTES } from './http.ts';
import { parseInput } from './input.ts';
import { OPERATIONS } from './operations.ts';
import { type Reply, toReply } from './output.ts';
import { routeOf } from './routes.ts';
import type { Service } from './service.ts';

type Values = Readonly<Record<string, unknown>>;

export interface RequestParts {
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: Uint8Array;
}

export interface CallContext {
  /** Faults that strike after the call, in its job. */
  readonly faults: readonly Fault[];
}

export interface Endpoint {
  /** The operation's, or the IAM action's, name. */
  readonly operation: string;
  readonly maxBodyBytes: number;
  /** Throws ValidationException. */
  parse(request: RequestParts): Values;
  run(service: Service, input: Values, call: CallContext): Promise<{ reply: Reply; output?: Values }>;
}

/** Throws UnknownOperationException, ValidationException. */
export function endpointOf(method: string, rawPath: string): Endpoint {
  const dicomweb = dicomwebEndpoint(method, rawPath);
  if (dicomweb) return dicomweb;
  const { operation, labels } = routeOf(method, rawPath);
  const run = OPERATIONS[operation];
  if (!run) throw new ServiceError('UnknownOperationException', `${operation} is not implemented`);
  return {
    operation,
    maxBodyBytes: MAX_BODY_BYTES,
    parse: ({ query, body }) => parseInput(operation, { labels, query, body }),
    async run(service, input, call) {
      const output = (await run(service, input as never, call)) as Values;
      return { reply: toReply(operation, output), output };
    },
  };
}
