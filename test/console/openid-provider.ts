/**
 * An OpenID Connect provider for tests: a page that "signs in" at once, authorization codes with PKCE, RS256 tokens and
 * the keys to check them by. It refuses what a real one refuses: an unknown client or address, a code used twice, a
 * verifier that is not the challenge's.
 */
import { createHash, createSign, generateKeyPairSync, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OpenIdProviderOptions {
  readonly clientId: string;
  /** Where browsers may be sent back to. */
  readonly redirectUris: () => readonly string[];
  readonly tokenSeconds?: number;
  readonly person?: Readonly<Record<string, unknown>>;
}

export interface TestOpenIdProvider {
  readonly issuer: string;
  /** How often somebody signed in. */
  readonly signIns: () => number;
  /** A token by the provider's key; `claims` replace what it would say. */
  idToken(claims?: Readonly<Record<string, unknown>>, options?: { foreignKey?: boolean }): string;
  close(): Promise<void>;
}

interface Grant {
  readonly redirectUri: string;
  readonly challenge: string;
  readonly nonce: string | null;
}
interface Running extends OpenIdProviderOptions {
  readonly issuer: string;
  readonly codes: Map<string, Grant>;
  readonly idToken: TestOpenIdProvider['idToken'];
  readonly jwks: object;
  readonly count: { signIns: number };
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'content-type' };

export async function startOpenIdProvider(options: OpenIdProviderOptions): Promise<TestOpenIdProvider> {
  const keys = [0, 1].map(() => generateKeyPairSync('rsa', { modulusLength: 2048 }));
  const server = createServer((request, response) => {
    answer(running, request, response).catch(() => send(response, 400, { error: 'invalid_request' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const idToken: TestOpenIdProvider['idToken'] = (claims = {}, { foreignKey = false } = {}) => {
    const now = Math.floor(Date.now() / 1000);
    const head = base64url({ alg: 'RS256', typ: 'JWT', kid: 'one' });
    const body = base64url({
      iss: issuer,
      aud: options.clientId,
      sub: 'person-1',
      email: 'operator@example.org',
      iat: now,
      exp: now + (options.tokenSeconds ?? 3600),
      token_use: 'id',
      ...options.person,
      ...claims,
    });
    const key = keys[foreignKey ? 1 : 0]!.privateKey;
    const signature = createSign('RSA-SHA256').update(`${head}.${body}`).sign(key, 'base64url');
    return `${head}.${body}.${signature}`;
  };
  const jwk = { ...keys[0]!.publicKey.export({ format: 'jwk' }), kid: 'one', use: 'sig', alg: 'RS256' };
  const running: Running = {
    ...options,
    issuer,
    codes: new Map(),
    idToken,
    jwks: { keys: [jwk] },
    count: { signIns: 0 },
  };
  return {
    issuer,
    signIns: () => running.count.signIns,
    idToken,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answer(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', running.issuer);
  const { issuer } = running;
  if (request.method === 'OPTIONS') return send(response, 204, undefined, CORS);
  if (url.pathname === '/.well-known/openid-configuration')
    return send(response, 200, {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      end_session_endpoint: `${issuer}/logout`,
      jwks_uri: `${issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      scopes_supported: ['openid', 'email'],
      code_challenge_methods_supported: ['S256'],
    });
  if (url.pathname === '/jwks') return send(response, 200, running.jwks);
  if (url.pathname === '/authorize') return authorize(running, url.searchParams, response);
  if (url.pathname === '/logout')
    return redirect(response, url.searchParams.get('post_logout_redirect_uri') ?? issuer);
  if (url.pathname === '/token' && request.method === 'POST') return token(running, request, response);
  return send(response, 404, { error: 'not_found' });
}

function authorize(running: Running, query: URLSearchParams, response: ServerResponse): void {
  const redirectUri = query.get('redirect_uri') ?? '';
  const challenge = query.get('code_challenge') ?? '';
  // What is wrong with client or address is told to the person, never to the address.
  if (query.get('client_id') !== running.clientId || !running.redirectUris().includes(redirectUri)) {
    send(response, 400, { error: 'unknown client or redirect_uri' });
    return;
  }
  const back = new URL(redirectUri);
  back.searchParams.set('state', query.get('state') ?? '');
  const isWanted =
    query.get('response_type') === 'code' &&
    query.get('code_challenge_method') === 'S256' &&
    /^[\w-]{43}$/.test(challenge) &&
    (query.get('scope') ?? '').split(' ').includes('openid');
  if (isWanted) {
    const code = randomBytes(16).toString('hex');
    running.codes.set(code, { redirectUri, challenge, nonce: query.get('nonce') });
    running.count.signIns++;
    back.searchParams.set('code', code);
  } else back.searchParams.set('error', 'invalid_request');
  redirect(response, back.href);
}

async function token(running: Running, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
  const code = form.get('code') ?? '';
  const grant = running.codes.get(code);
  running.codes.delete(code);
  const verifier = createHash('sha256')
    .update(form.get('code_verifier') ?? '')
    .digest('base64url');
  const isGood =
    form.get('grant_type') === 'authorization_code' &&
    form.get('client_id') === running.clientId &&
    grant !== undefined &&
    grant.redirectUri === form.get('redirect_uri') &&
    grant.challenge === verifier;
  if (!isGood) return send(response, 400, { error: 'invalid_grant' }, CORS);
  const id_token = running.idToken(grant.nonce === null ? {} : { nonce: grant.nonce });
  const answered = { id_token, access_token: 'opaque', token_type: 'Bearer' };
  send(response, 200, { ...answered, expires_in: running.tokenSeconds ?? 3600 }, CORS);
}

function redirect(response: ServerResponse, location: string): void {
  response.writeHead(302, { location, 'cache-control': 'no-store' }).end();
}

function send(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers });
  response.end(body === undefined ? '' : JSON.stringify(body));
}
