/**
 * An HTTP API in front of a function, for tests: routes, authorizers and stage are read from the packaged template, and
 * requests travel as API Gateway has them travel (payload format 2.0), with its limits.
 */
import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Claims, jwtAuthorizer } from './jwt-authorizer.ts';

/** HTTP APIs: request and answer (quotas for HTTP APIs), and what an integration may take. */
const MAX_BODY_BYTES = 10 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

export interface GatewayFrontOptions {
  readonly template: {
    readonly Resources: Readonly<
      Record<string, { Type: string; Properties?: Readonly<Record<string, unknown>> }>
    >;
  };
  readonly issuer: string;
  readonly clientId: string;
  /** The function behind the integration: its answer, or a rejection where it failed. */
  readonly invoke: (event: object) => Promise<unknown>;
}

export interface GatewayFront {
  readonly url: string;
  /** One line a request, as the access log has it: `GET /api/{proxy+} 200`. */
  readonly log: readonly string[];
  /** Events as they went to the function. */
  readonly events: readonly GatewayEvent[];
  close(): Promise<void>;
}

export interface GatewayEvent {
  readonly rawPath: string;
  readonly requestContext: { readonly authorizer?: { readonly jwt: { readonly claims: Claims } } };
}

interface Route {
  readonly key: string;
  readonly method: string;
  readonly path: string;
  readonly isOpen: boolean;
}

function routesOf({ template }: GatewayFrontOptions): Route[] {
  const routes = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
  return routes.map(({ Properties = {} }) => {
    const key = String(Properties.RouteKey);
    const [method = '', path = ''] = key.split(' ');
    return { key, method, path, isOpen: Properties.AuthorizationType !== 'JWT' };
  });
}

/** Most specific first: a whole path, then the longest one with a greedy end; a method before ANY. */
function routeFor(routes: readonly Route[], method: string, path: string): Route | undefined {
  const fits = routes.filter(
    (route) =>
      (route.method === method || route.method === 'ANY') &&
      (route.path.endsWith('/{proxy+}')
        ? path.startsWith(route.path.slice(0, -'{proxy+}'.length)) &&
          path.length > route.path.length - '{proxy+}'.length
        : route.path === path),
  );
  const weight = (route: Route) =>
    (route.path.includes('{') ? 0 : 1_000_000) + 2 * route.path.length + Number(route.method !== 'ANY');
  return fits.sort((a, b) => weight(b) - weight(a))[0];
}

export async function startGatewayFront(options: GatewayFrontOptions): Promise<GatewayFront> {
  const routes = routesOf(options);
  const authorize = jwtAuthorizer(options.issuer, [options.clientId]);
  const log: string[] = [];
  const events: GatewayEvent[] = [];
  const server = createServer((request, response) => {
    handle().catch(() => refuse(response, 500, 'Internal Server Error'));
    async function handle() {
      const url = new URL(request.url ?? '/', 'http://front');
      const route = routeFor(routes, request.method ?? '', url.pathname);
      response.once('finish', () => log.push(`${route?.key ?? '-'} ${response.statusCode}`));
      if (route === undefined) return refuse(response, 404, 'Not Found');
      const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
      const claims = route.isOpen ? undefined : await authorize(token);
      if (!route.isOpen && claims === undefined) return refuse(response, 401, 'Unauthorized');
      const body = await readBody(request);
      if (body === undefined) return refuse(response, 413, 'Request Entity Too Large');
      const event = eventOf(request, { route, url, body, claims });
      events.push(event);
      const answered = await inTime(options.invoke(event));
      if (answered === 'late') return refuse(response, 503, 'Service Unavailable');
      send(response, answered);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    log,
    events,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function inTime(work: Promise<unknown>): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), TIMEOUT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

const isText = (type = '') =>
  type === '' || /^(text\/|application\/(json|javascript|xml|x-www-form-urlencoded))/.test(type);

interface Asked {
  readonly route: Route;
  readonly url: URL;
  readonly body: Buffer;
  readonly claims: Claims | undefined;
}

/** Payload format 2.0 (developer guide, "AWS Lambda proxy integrations for HTTP APIs"). */
function eventOf(request: IncomingMessage, { route, url, body, claims }: Asked): GatewayEvent {
  const headers = Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [name, [value].flat().join(',')]),
  );
  const isBase64Encoded = body.length > 0 && !isText(request.headers['content-type']);
  const query = [...url.searchParams.keys()].map((name) => [name, url.searchParams.getAll(name).join(',')]);
  const proxy = url.pathname.slice(route.path.indexOf('{proxy+}'));
  const event = {
    version: '2.0',
    routeKey: route.key,
    rawPath: url.pathname,
    rawQueryString: url.search.slice(1),
    headers,
    ...(query.length === 0 ? {} : { queryStringParameters: Object.fromEntries(query) as object }),
    ...(route.path.includes('{proxy+}') ? { pathParameters: { proxy } } : {}),
    requestContext: {
      accountId: '000000000000',
      apiId: 'front',
      ...(claims === undefined ? {} : { authorizer: { jwt: { claims: asTexts(claims), scopes: null } } }),
      domainName: request.headers.host,
      domainPrefix: 'front',
      http: {
        method: request.method,
        path: url.pathname,
        protocol: 'HTTP/1.1',
        sourceIp: '127.0.0.1',
        userAgent: request.headers['user-agent'] ?? '',
      },
      requestId: randomUUID(),
      routeKey: route.key,
      stage: '$default',
      time: new Date().toUTCString(),
      timeEpoch: Date.now(),
    },
    ...(body.length === 0 ? {} : { body: body.toString(isBase64Encoded ? 'base64' : 'utf8') }),
    isBase64Encoded,
  };
  return event;
}

/** Every claim comes as a text. */
const asTexts = (claims: Claims): Claims =>
  Object.fromEntries(Object.entries(claims).map(([name, value]) => [name, String(value)]));

interface Answered {
  readonly statusCode?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly isBase64Encoded?: boolean;
}

function send(response: ServerResponse, answered: unknown): void {
  const { statusCode, headers = {}, body = '', isBase64Encoded = false } = (answered ?? {}) as Answered;
  if (statusCode === undefined) {
    refuse(response, 500, 'Internal Server Error');
    return;
  }
  const bytes = Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8');
  response.writeHead(statusCode, { ...headers, 'content-length': String(bytes.length) });
  response.end(bytes);
}

function refuse(response: ServerResponse, status: number, message: string): void {
  if (response.headersSent) return void response.destroy();
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ message }));
}
