/** HTTP as every SDK client of ours uses it. */
import { NodeHttpHandler } from '@smithy/node-http-handler';

/** Enough for the widest fan-out of one function; the services' own rates are kept by adaptive retries. */
const SOCKETS = 64;
const CONNECT_TIMEOUT_MS = 5000;
/** Longer than any single answer takes; a silent connection is tried again. */
const REQUEST_TIMEOUT_MS = 60_000;

export const requestHandler = (): NodeHttpHandler =>
  new NodeHttpHandler({
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    httpAgent: { keepAlive: true, maxSockets: SOCKETS },
    httpsAgent: { keepAlive: true, maxSockets: SOCKETS },
  });
