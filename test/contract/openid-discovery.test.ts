/** Discovery against a provider, and against what answers like one. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { openIdProvider } from '../../shared/adapters/openid-discovery.ts';
import { startOpenIdProvider } from '../console/openid-provider.ts';

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A provider whose document is that of a good one with these changes. */
async function serveDocument(changes: (issuer: string) => object): Promise<string> {
  const issuer: string = await serve((_request, response) => {
    const document = {
      issuer,
      authorization_endpoint: 'https://login.example.org/authorize',
      token_endpoint: 'https://login.example.org/token',
      ...changes(issuer),
    };
    response.end(JSON.stringify(document));
  });
  return issuer;
}

describe('discovery', () => {
  it('gives what signing in needs, and asks once for many', async () => {
    const provider = await startOpenIdProvider({ clientId: 'console', redirectUris: () => [] });
    closing.push(provider.close);
    let asked = 0;
    const counting: typeof fetch = (...args) => {
      asked++;
      return fetch(...args);
    };
    const discover = openIdProvider(provider.issuer, { fetch: counting });
    const [first] = await Promise.all([discover(), discover(), discover()]);
    await discover();
    expect(asked).toBe(1);
    expect(first).toEqual({
      issuer: provider.issuer,
      authorizationEndpoint: `${provider.issuer}/authorize`,
      tokenEndpoint: `${provider.issuer}/token`,
      endSessionEndpoint: `${provider.issuer}/logout`,
      scope: 'openid email',
    });
  });

  it('takes an issuer that ends in a slash, as some do', async () => {
    const issuer: string = await serve((request, response) => {
      const base = `http://${request.headers.host}`;
      const document = {
        issuer: `${base}/`,
        authorization_endpoint: `${base}/a`,
        token_endpoint: `${base}/t`,
      };
      response.end(request.url === '/.well-known/openid-configuration' ? JSON.stringify(document) : '');
    });
    expect(await openIdProvider(`${issuer}/`)()).toMatchObject({ tokenEndpoint: `${issuer}/t` });
  });

  it.each([
    ['another issuer', () => ({ issuer: 'https://other.example.org' }), /expected the issuer http/],
    [
      'an address that is not https',
      () => ({ token_endpoint: 'http://elsewhere.test/token' }),
      /token_endpoint: exp/,
    ],
    [
      'no address',
      () => ({ authorization_endpoint: undefined }),
      /authorization_endpoint: expected an https/,
    ],
    [
      'an address for a script',
      () => ({ token_endpoint: 'javascript:alert(1)' }),
      /token_endpoint: expected/,
    ],
    ['far too much', () => ({ more: 'x'.repeat(300_000) }), /over 262144 bytes/],
  ])('refuses %s', async (_name, changes, message) => {
    await expect(openIdProvider(await serveDocument(changes))()).rejects.toThrow(message);
  });

  it('gives up on one that redirects, fails, or does not answer', async () => {
    const elsewhere = await serve((_request, response) => response.writeHead(302, { location: '/x' }).end());
    await expect(openIdProvider(elsewhere)()).rejects.toThrow('TypeError');
    const failing = await serve((_request, response) => response.writeHead(503).end());
    await expect(openIdProvider(failing)()).rejects.toThrow('HTTP 503');
    const silent = await serve(() => {});
    await expect(openIdProvider(silent, { deadlineMs: 50 })()).rejects.toThrow('TimeoutError');
  });

  it('goes on with what it knows when the issuer fails later, and asks a failing one only now and then', async () => {
    let isUp = true;
    let asked = 0;
    const issuer: string = await serve((_request, response) => {
      asked++;
      const document = { issuer, authorization_endpoint: `${issuer}/a`, token_endpoint: `${issuer}/t` };
      response.writeHead(isUp ? 200 : 500).end(JSON.stringify(document));
    });
    let now = 0;
    const discover = openIdProvider(issuer, { now: () => now });
    await discover();
    isUp = false;
    now = 4_000_000;
    expect(await discover()).toMatchObject({ issuer });
    expect(await discover()).toMatchObject({ issuer });
    expect(asked).toBe(2);
    now += 6_000;
    isUp = true;
    await discover();
    expect(asked).toBe(3);
  });
});
