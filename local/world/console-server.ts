/** The console's port: health for other processes, and a page with the addresses of this world. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WorldFile } from './world-file.ts';

/** Names by which this machine may be asked: a foreign Host header is a page elsewhere that had its name rebound. */
const HOSTS = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;

const escapeHtml = (text: string) =>
  text.replace(/[&<>"]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c] as string);

function page(world: WorldFile | undefined): string {
  const rows = Object.entries(world ?? { status: 'starting' })
    .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(value) : String(value)])
    .map(
      ([name, value]) =>
        `<tr><th>${escapeHtml(name as string)}</th><td>${escapeHtml(value as string)}</td></tr>`,
    );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Isocenter</title><h1>Isocenter</h1><table>${rows.join('')}</table></html>`;
}

function answer(request: IncomingMessage, response: ServerResponse, world: WorldFile | undefined): void {
  const security = { 'content-security-policy': "default-src 'none'", 'x-content-type-options': 'nosniff' };
  if (!HOSTS.test(request.headers.host ?? '')) response.writeHead(403, security).end('unknown host\n');
  else if (request.method !== 'GET' && request.method !== 'HEAD') response.writeHead(405, security).end();
  else if (request.url === '/health') {
    const body = JSON.stringify({ status: world ? 'ready' : 'starting', pid: process.pid });
    response.writeHead(world ? 200 : 503, { ...security, 'content-type': 'application/json' }).end(body);
  } else if (request.url === '/')
    response.writeHead(200, { ...security, 'content-type': 'text/html; charset=utf-8' }).end(page(world));
  else response.writeHead(404, security).end('not found\n');
}

/** Listens on 127.0.0.1; `world` is undefined until everything answers. */
export async function startConsoleServer(
  port: number,
  world: () => WorldFile | undefined,
): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => answer(request, response, world()));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
